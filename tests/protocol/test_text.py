"""Characters: decoding, entities, and what is left out."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indipyclient.protocol.text import clean_attribute, clean_text, decode, escape

from .messages import any_text, as_line, as_text
from .reading import fuzz

HUGE = 100_000


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        ("20 °C λ \U0001f52d".encode(), "20 °C λ \U0001f52d"),
        (b"20 \xb0C", "20 °C"),
        (b"\xe2\x82", "â\x82"),
        ("\ud800".encode(errors="surrogatepass"), "í\xa0\x80"),
        (b"", ""),
    ],
)
def test_what_is_not_utf_8_is_latin_1(data: bytes, text: str) -> None:
    assert decode(data) == decode(bytearray(data)) == text


@given(st.binary())
def test_all_bytes_can_be_decoded(data: bytes) -> None:
    assert not re.search("[\ud800-\udfff]", decode(data))


@given(any_text)
def test_text_is_decoded_as_it_was_encoded(text: str) -> None:
    text = as_text(text)
    assert decode(text.encode()) == text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'"),
        ("&#176;&#xb0;&#XB0;", "°°°"),
        ("&amp;lt;", "&lt;"),
        ("&deg; &; & &lt &LT; &#; &#x; &#xg; & lt;", "&deg; &; & &lt &LT; &#; &#x; &#xg; & lt;"),
        ("&#0;&#7;&#127;", ""),
        ("&#xD800;&#xDFFF;&#x110000;&#1114112;", "&#xD800;&#xDFFF;&#x110000;&#1114112;"),
        ("&#x10FFFF;", "\U0010ffff"),
        ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
    ],
)
def test_entities_are_resolved_once_and_unknown_ones_stay(written: str, meant: str) -> None:
    assert clean_text(written) == meant
    assert clean_attribute(written) == meant
    assert clean_text(written, entities=False) == written


@pytest.mark.parametrize(
    ("written", "text", "attribute"),
    [
        ("a\nb", "a\nb", "a b"),
        ("a\r\nb", "a\r\nb", "a b"),
        ("a\tb", "a\tb", "a b"),
        ("a&#10;b&#13;&#10;c&#9;d", "a\nb\r\nc\td", "a b c d"),
        ("a\x00\x0b\x0c\x1f\x7fb", "ab", "ab"),
        ("a\x85b\u2028c", "a\x85b\u2028c", "a\x85b\u2028c"),
        ("a\ufffe\uffffb", "ab", "ab"),
        ("a&#xFFFE;b", "ab", "ab"),
    ],
)
def test_line_breaks_are_kept_in_text_and_spaces_in_attributes(
    written: str, text: str, attribute: str
) -> None:
    assert clean_text(written) == text
    assert clean_attribute(written) == attribute


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ('"it\'s"', "&quot;it&apos;s&quot;"),
        ("20 °C", "20 °C"),
        ("&lt;", "&amp;lt;"),
        ("a\x00b\ud800c\uffff", "abc"),
    ],
)
def test_only_the_five_named_entities_are_written(text: str, written: str) -> None:
    """libindi knows no others, and makes ``&amp;#176;`` of ``&#176;``."""
    assert escape(text) == escape(text, attribute=True) == written


@given(any_text)
@example("\r\n")
@example("\ud800\udc00")
def test_what_is_written_reads_back_but_for_what_cannot_be_carried(text: str) -> None:
    assert clean_text(escape(text)) == as_text(text)
    assert clean_attribute(escape(text, attribute=True)) == as_line(text)


@fuzz
@given(any_text)
def test_what_is_written_is_xml_to_others(text: str) -> None:
    """Python's own parser reads it the same; XML wants it to make one line break of every kind."""
    element = ET.fromstring(f'<a b="{escape(text, attribute=True)}">{escape(text)}</a>'.encode())
    assert element.get("b") == as_line(text)
    assert (element.text or "") == as_text(text).replace("\r\n", "\n").replace("\r", "\n")


@given(st.text())
def test_cleaned_text_is_clean(text: str) -> None:
    assert as_text(clean_text(text)) == clean_text(text)
    assert as_line(clean_attribute(text)) == clean_attribute(text)


@pytest.mark.parametrize("unit", ["&", "&#", "&#1", "&amp", "&#x1", ";", "&amp;", "\r", "\x00", "&#10;"])
def test_long_text_is_cleaned(unit: str) -> None:
    """Quadratic time would take hours here."""
    assert len(clean_text(unit * HUGE)) <= len(unit) * HUGE
    assert len(clean_attribute(unit * HUGE)) <= len(unit) * HUGE
    assert len(escape(unit * HUGE)) <= 6 * len(unit) * HUGE
