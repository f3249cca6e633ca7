"""INDI numbers: reading, printing, sending. Expected results are libindi 1.9.9's and 0.9.4's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indipyclient.protocol.numbers import format_number, getfloat, number_text, parse, read_number

Reader: TypeAlias = Callable[[str], float]

HUGE = 1_000_000
any_float = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
number_like = st.text("0123456789:;, .+-eExXnaif_°h\t", max_size=20)


def same(left: float, right: float) -> bool:
    """Equal, the sign of zero included; nan equals nan."""
    return repr(left) == repr(right)


# -- libindi's reader ------------------------------------------------------------------------

READ_BY_LIBINDI = [
    ("12:30:00", 12.5),
    ("-12:30:00", -12.5),
    ("-0:30:00", -0.5),
    ("+12:30", 12.5),
    ("12.5:30", 13.0),
    ("12:30.5", 12 + 30.5 / 60),
    ("12:75", 13.25),
    ("12:60:60", 13 + 60 / 3600),
    ("12;30;00", 12.5),
    ("1e-06", 1e-06),
    ("1e2:30", 100.5),
    ("5.", 5.0),
    (".5", 0.5),
    ("1:", 1.0),
    ("10:30:", 10.5),
    ("12 30 00", 123000.0),
    ("-12 30 00", -123000.0),
    ("- 12:30", -12.5),
    ("12: 30: 15", 12 + 30 / 60 + 15 / 3600),
    ("12h30m00s", 12.5),
    ("12/30/15", 12 + 30 / 60 + 15 / 3600),
    ("12°30'15\"", 12 + 30 / 60 + 15 / 3600),
    ("12:30:15 N", 12 + 30 / 60 + 15 / 3600),
    ("12,5", 12 + 5 / 60),
    ("1,234.5", 1 + 234.5 / 60),
    ("1.2.3", 1.25),
    ("12:-30:00", 12.5),
    ("12:30:-15", 12 + 30 / 60 + 15 / 3600),
    ("--5", 5.0),
    ("\t-0:30", 0.5),
    ("10:.5", 10 + 5 / 60),
    ("10::15", 10.25),
    ("0x10", 16.0),
    ("inf", math.inf),
    ("-inf", -math.inf),
    ("nan", math.nan),
    ("12:34:56:78", 12 + 34 / 60 + 56 / 3600),
    ("1_000", 1.0),
    ("1e", 1.0),
    ("1e400", math.inf),
    ("0x1.8p1:30", 3.5),
    ("5:0x1p:3", 5 + 1 / 60 + 3 / 3600),
    ("32h.0x:94", 32.0),
]


@pytest.mark.parametrize(("text", "value"), READ_BY_LIBINDI)
def test_parse_reads_what_libindi_reads(text: str, value: float) -> None:
    assert same(parse(text), value)


@pytest.mark.parametrize(
    "text", ["", " ", "-", "+-5", ":30", ":30:15", "\u221212:30", "abc", "N12:30", "0x", "infi", "."]
)
def test_parse_refuses_what_libindi_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="No number"):
        parse(text)


def test_parse_reads_no_more_than_127_bytes() -> None:
    assert parse("0" * 126 + "12") == 1.0
    assert parse("1" + "°" * 64 + "30") == 1.0


def test_parse_refuses_a_hexadecimal_number_that_no_float_holds() -> None:
    with pytest.raises(ValueError, match="too large"):
        parse("0x1p99999")


# -- the public reader of 0.9 ----------------------------------------------------------------

READ_BY_0_9 = [
    (5, 5.0),
    (5.25, 5.25),
    (True, 1.0),
    ("", 0.0),
    (" ", 0.0),
    ("-", -0.0),
    ("+5", 5.0),
    ("--5", -5.0),
    ("-+5", -5.0),
    ("1e3", 1000.0),
    ("1:30", 1.5),
    ("-0:30", -0.5),
    ("\t-0:30", -0.5),
    ("1;30", 1.5),
    ("1 30", 1.5),
    ("1  30", 1 + 0 / 60 + 30 / 3600),
    ("12 30 00", 12.5),
    (":30", 0.5),
    (":30:15", 30 / 60 + 15 / 3600),
    ("1:-30", 0.5),
    ("12:-30:00", 11.5),
    ("1::3", 1 + 3 / 3600),
    ("10:.5", 10 + 0.5 / 60),
    ("- 5", -5 / 60),
    ("nan", math.nan),
    ("inf", math.inf),
    ("-inf", -math.inf),
    ("1_000", 1000.0),
    ("\uff11\uff12", 12.0),
]


@pytest.mark.parametrize(("value", "expected"), READ_BY_0_9)
def test_getfloat_reads_as_0_9_does(value: object, expected: float) -> None:
    assert same(getfloat(value), expected)


@pytest.mark.parametrize(
    "value",
    ["1:2:3:4", "0x10", "1,5", "abc", "1: 30", "- 12:30", "+-5", "1;2:3", "12h30m", "1:::"],
)
def test_getfloat_refuses_other_text_with_a_type_error(value: str) -> None:
    with pytest.raises(TypeError, match=r"^Unable to parse number value$"):
        getfloat(value)


@pytest.mark.parametrize("value", [None, b"1", [], Decimal(1), Fraction(1), 1j, 10**400])
def test_getfloat_refuses_other_types_with_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match=r"^Unable to parse number value$"):
        getfloat(value)


# -- what this package takes a received text to mean -----------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.10000000000000000555", 0.1),
        (" -1e3\n", -1000.0),
        ("nan", math.nan),
        ("-inf", -math.inf),
        ("1e400", math.inf),
        ("1_000", 1000.0),
        ("12 30 00", 12.5),
        ("\t-0:30", -0.5),
        ("12:-30:00", 11.5),
        ("--5", -5.0),
        ("12h30m00s", 12.5),
        ("12,5", 12 + 5 / 60),
        ("12:34:56:78", 12 + 34 / 60 + 56 / 3600),
        ("0x10", 16.0),
        ("1" * 300, float("1" * 300)),
    ],
)
def test_a_received_number_is_read_as_decimal_then_as_0_9_then_as_libindi(text: str, value: float) -> None:
    assert same(read_number(text), value)


@pytest.mark.parametrize("text", ["", "  ", "-", ":", ";", "- :", "abc", "N12:30", "\u2212"])
def test_a_received_text_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_number(text)


@given(number_like)
def test_what_0_9_reads_is_read_the_same(text: str) -> None:
    try:
        expected = getfloat(text)
    except TypeError:
        return
    if any(character.isdigit() for character in text):
        assert same(read_number(text), expected)


@given(st.one_of(st.text(), number_like))
@example("0x1p99999")
@example("\ud800 5")
@pytest.mark.parametrize("reader", [parse, read_number])
def test_reading_ends_in_a_float_or_a_short_value_error(reader: Reader, text: str) -> None:
    try:
        assert isinstance(reader(text), float)
    except ValueError as error:
        assert len(str(error)) < 500


@pytest.mark.parametrize("unit", ["1", " ", "-", ":", "1:", "1e", "0x", "\t", "_", "1_", ".", "inf", "é"])
@pytest.mark.parametrize("reader", [parse, read_number, getfloat])
def test_text_of_a_megabyte_is_read_or_refused(reader: Reader, unit: str) -> None:
    """Quadratic time would take hours here."""
    try:
        assert isinstance(reader(unit * HUGE), float)
    except (ValueError, TypeError) as error:
        assert len(str(error)) < 500


# -- printing by a format --------------------------------------------------------------------

PRINTED_BY_LIBINDI = [
    ("%9.6m", 0.0172222222222, "  0:01:02"),
    ("%9.6m", -0.5, " -0:30:00"),
    ("%9.6m", -0.0001, " -0:00:00"),
    ("%9.6m", 59.9999999, " 60:00:00"),
    ("%9.6m", 359.99999, "360:00:00"),
    ("%9.6m", 1e6, "1000000:00:00"),
    ("%10.6m", 59.9995, "  59:59:58"),
    ("%10.6m", 23.99999999, "  24:00:00"),
    ("%10.6m", -0.25, "  -0:15:00"),
    ("%10.6m", -0.0, "   0:00:00"),
    ("%010.6m", 12.582, "  12:34:55"),
    ("%010.6m", -9.99, "  -9:59:24"),
    ("%10.6m", 0.03125, "   0:01:53"),
    ("%10.6m", -0.03125, "  -0:01:53"),
    ("%10.6m", 43.76625, "  43:45:59"),
    ("%10.6m", 110.59541666666667, " 110:35:44"),
    ("%7.3m", -123.75, "-123:45"),
    ("%7.3m", -0.005, "  -0:00"),
    ("%7.3m", 59.9917, "  60:00"),
    ("%7.3m", 12.375, "  12:23"),
    ("%7.3m", 193.85833333333332, " 193:52"),
    ("%5.3m", -123.5, "-123:30"),
    ("%8.5m", 12.9992, " 13:00.0"),
    ("%8.5m", -0.0008, " -0:00.0"),
    ("%8.5m", 6.004166666666666, "  6:00.3"),
    ("%11.8m", -10.99999, "-11:00:00.0"),
    ("%11.8m", 0.99998611111, "  0:59:59.9"),
    ("%11.8m", 6.316375, "  6:18:59.0"),
    ("%12.9m", 1.23456789, "  1:14:04.44"),
    ("%12.9m", 10.9999986, " 10:59:59.99"),
    ("%12.9m", -0.00001, " -0:00:00.04"),
    ("%11.9m", 10.505102777777778, "10:30:18.37"),
    ("%012.8m", 1.23456789, "   1:14:04.4"),
    ("%10.4m", 12.5, "    12:30"),
    ("%060.4m", 12.5, " " * 54 + "12:30"),
    ("%10.7m", 12.5, " 12:30"),
    ("%10.2m", 12.5, "      12:30"),
    ("%14.10m", 1.23456789, "   1:14"),
    ("%20.12m", 1.23456789, "       1:14"),
    ("%3.6m", 1.5, "1  :30:00"),
    ("%3.6m", -0.5, "     -0:30:00"),
    ("%6.6m", -0.5, "  -0:30:00"),
    ("%7.6m", -0.5, " -0:30:00"),
    ("%-10.6m", 1.5, "1" + " " * 15 + ":30:00"),
    ("%+10.6m", 1.5, "   1:30:00"),
    ("% 10.6m", 1.5, "   1:30:00"),
    (" %10. +6m", 1.5, "   1:30:00"),
    ("%10.6mX", 1.5, "   1:30:00"),
    ("%g", 1234567, "1.23457e+06"),
    ("%g", -0.0, "-0"),
    ("%g", math.nan, "nan"),
    ("%g", -math.inf, "-inf"),
    ("%6.2f", math.nan, "   nan"),
    ("%06.2f", math.inf, "   inf"),
    ("%.f", 0.5, "0"),
    ("%.f", 1.5, "2"),
    ("%.f", 2.5, "2"),
    ("%6.2f", 2.675, "  2.67"),
    ("%-8.2f|", 1.5, "1.50    |"),
    ("%+03.5f", 1.5, "+1.50000"),
    ("%03g", 1.5, "1.5"),
    ("%lf", 1.5, "1.500000"),
    ("%'.2f", 1234.5, "1234.50"),
    ("%.3E", 1.5, "1.500E+00"),
    ("%#.0f", 1.5, "2."),
    ("%4.0f ℃", 21.5, "  22 ℃"),
    ("%4.0f %%", 21.5, "  22 %"),
    ("%% %+.1f°", 21.5, "% +21.5°"),
    ("%.2f%", 1.5, "1.50"),
    ("%a", 1.5, "0x1.8p+0"),
    ("%A", 1.0, "0X1P+0"),
    ("%12a", -0.0, "     -0x0p+0"),
    ("", 1.5, ""),
    ("foo", 1.5, "foo"),
]


@pytest.mark.parametrize(("format", "value", "text"), PRINTED_BY_LIBINDI)
def test_a_number_is_printed_as_libindi_prints_it(format: str, value: float, text: str) -> None:
    assert format_number(format, value) == text


PRINTED_USEFULLY = [
    # libindi prints the text of errno
    ("%.6m", 1.5, "1:30:00"),
    ("%.6m", -0.5, "-0:30:00"),
    ("%6m", 1.5, "  1:30"),
    ("%m", 1.5, "1:30"),
    ("RA %10.6m", 1.5, "1.5"),
    # undefined in libindi, which prints zeros or garbage
    ("%10.6m", math.inf, "inf"),
    ("%10.6m", -math.inf, "-inf"),
    ("%10.6m", math.nan, "nan"),
    ("%10.6m", 1e300, "1e+300"),
    ("%10.6m", 1e10, "10000000000:00:00"),
    # C takes some other word for the integer
    ("%d", 42.0, "42"),
    ("%5d V", -42.9, "  -42 V"),
    ("%05i", 42.0, "00042"),
    ("%u", 42.0, "42"),
    ("%ld", 42.0, "42"),
    ("%x", 255.0, "ff"),
    ("%o", 8.0, "10"),
    ("%d", math.nan, "nan"),
    ("%d", 1e300, "1e+300"),
    # C reads memory that is not there
    ("%s", 1.5, "1.5"),
    ("%c", 1.5, "1.5"),
    ("%n", 1.5, "1.5"),
    ("%*f", 1.5, "1.5"),
    ("%(x)s", 1.5, "1.5"),
    ("%1$f", 1.5, "1.5"),
    ("%f %f", 1.5, "1.5"),
    ("%", 1.5, "1.5"),
    ("%z", 1.5, "1.5"),
    # libindi prints nothing but blanks, zeros or the front of the digits
    ("%999999999d", 42.0, " " * 61 + "42"),
    ("%99999999999999999999.6m", 1.5, " " * 56 + "1:30:00"),
    ("%99999999999999999999.6m", -0.5, " " * 55 + "-0:30:00"),
    ("%.99999999999f", 0.5, "0.5"),
    ("%.2f", 1e300, "1e+300"),
]


@pytest.mark.parametrize(("format", "value", "text"), PRINTED_USEFULLY)
def test_something_useful_is_printed_where_libindi_prints_garbage(
    format: str, value: float, text: str
) -> None:
    assert format_number(format, value) == text


hostile_formats = st.one_of(
    st.text(),
    st.text("%-+ #0'123459.hlLdfgeEGaAxXocsnm*$()", max_size=80),
    st.from_regex(r"\s*%\s*[+-]?\d{0,40}\.\s*[+-]?\d{0,40}m", fullmatch=True),
)


@given(hostile_formats, any_float)
@example("%" + "0" * 10 * HUGE + "d", 1.0)
@example("%%" * HUGE, 1.0)
@example("%060.6m", 1e14)
def test_no_format_and_no_value_raises_or_prints_more_than_63_characters(format: str, value: float) -> None:
    text = format_number(format, value)
    assert isinstance(text, str)
    assert len(text) <= 63


@given(st.sampled_from(["%9.6m", "%12.9m", "%11.8m", "%8.5m", "%7.3m"]), st.floats(-1e6, 1e6))
def test_sexagesimal_text_reads_back_to_the_nearest_piece(format: str, value: float) -> None:
    pieces = {"6": 3600, "9": 360000, "8": 36000, "5": 600, "3": 60}[format[-2]]
    assert abs(read_number(format_number(format, value)) - value) <= 0.5 / pieces + 1e-9


# -- sending ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (-12, "-12"),
        (2**63, "9223372036854775808"),
        (10**200, "1e+200"),
        (5.0, "5.0"),
        (0.1, "0.1"),
        (-0.0, "-0.0"),
        (1e-5, "1e-05"),
        (1e300, "1e+300"),
        (Fraction(1, 2), "0.5"),
        (Decimal("0.1"), "0.1"),
        ("12", "12"),
        ("  -12.50\n", "-12.50"),
        ("+1.E+3", "+1.E+3"),
        (".5", ".5"),
        ("0." + "0" * 200 + "5", "5e-201"),
        ("12:30:00", "12.5"),
        ("-0 30", "-0.5"),
        ("12h30m", "12.5"),
        ("1_000", "1000.0"),
        ("\uff11\uff12", "12.0"),
        ("0x10", "16.0"),
    ],
)
def test_a_number_is_sent_as_a_decimal(value: float | str, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, "nan", "inf", "1e400", "", "  ", "-", "abc", 10**400, Decimal("sNaN")],
)
def test_what_is_no_finite_number_is_not_sent(value: float | str) -> None:
    with pytest.raises(ValueError):
        number_text(value)


@pytest.mark.parametrize("value", [True, False, None, b"1", [1], 1j, object()])
def test_what_is_not_of_a_number_type_is_not_sent(value: object) -> None:
    with pytest.raises(TypeError, match="A number is expected"):
        number_text(value)  # type: ignore[arg-type]


def test_numpy_scalars_are_sent() -> None:
    numpy = pytest.importorskip("numpy")
    assert number_text(numpy.float64(0.1)) == "0.1"
    assert number_text(numpy.float32(0.5)) == "0.5"
    assert number_text(numpy.int16(-7)) == "-7"
    assert number_text(numpy.uint64(2**63)) == "9223372036854775808"
    with pytest.raises(TypeError):
        number_text(numpy.bool_(True))


@given(st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_sent_number_reads_back_the_same_here_and_in_libindi(value: float) -> None:
    text = number_text(value)
    assert read_number(text) == value
    assert parse(text) == value


@given(number_like)
def test_a_sent_text_keeps_its_value_and_is_a_plain_decimal(text: str) -> None:
    try:
        sent = number_text(text)
    except ValueError:
        return
    assert set(sent) <= set("0123456789+-.eE")
    assert parse(sent) == read_number(text)
