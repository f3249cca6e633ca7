"""Frames as arrays: equal to what astropy and pillow read, copied only where they must be, never a danger."""

from __future__ import annotations

import contextlib
import io
import random
import re
import struct
import subprocess
import sys
import threading
import tracemalloc
import warnings
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from indipyclient.arrays import stream_shape, to_array, to_fits, to_header
from indipyclient.arrays.rice import decode_rows
from indipyclient.errors import InvalidValue
from indipyclient.protocol.scanner import Scanner
from indipyclient.state.apply import apply
from indipyclient.state.snapshots import Snap, SnapDevice
from tests.support.servers import CCD, IndiServer
from tests.support.session import QueueSession
from tests.support.simulators import connect_camera

RANDOM = np.random.default_rng(5)


def array_of(dtype: str, shape: tuple[int, ...] = (21, 34)) -> Any:
    """Random numbers over the whole range of a type."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return RANDOM.normal(1000, 200, shape).astype(kind)
    limits = np.iinfo(kind)
    return RANDOM.integers(limits.min, limits.max, shape, kind, endpoint=True)


def file_of(*hdus: Any) -> memoryview:
    file = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(file)
    return memoryview(file.getvalue())


def plain(array: Any, **keywords: Any) -> memoryview:
    return file_of(fits.PrimaryHDU(array, fits.Header(keywords)))


def compressed(array: Any, kind: str = "RICE_1", **options: Any) -> memoryview:
    return file_of(fits.PrimaryHDU(), fits.CompImageHDU(array, compression_type=kind, **options))


def astropys(buffer: memoryview, number: int = 0) -> Any:
    with fits.open(io.BytesIO(buffer)) as hdus:
        return hdus[number].data.copy()


def changed(buffer: memoryview, old: bytes, new: bytes) -> memoryview:
    """A file with one card changed, which must be in it once."""
    data = bytes(buffer)
    assert data.count(old) == 1
    return memoryview(data.replace(old, new.ljust(len(old))))


def card(name: str, value: object) -> bytes:
    return f"{name:8}= {value!s:>20}".encode()


FLAT = plain(array_of("i2"))
PACKED = compressed(array_of("i2"))
AXIS1, AXIS2 = card("NAXIS1", 34), card("NAXIS2", 21)


# -- FITS ------------------------------------------------------------------------------------

TYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
AS_THEY_ARE = ["u1", "i2", "i4", "i8", "f4", "f8"]


@pytest.mark.parametrize("dtype", TYPES)
def test_a_fits_frame_is_the_array_that_was_written(dtype: str) -> None:
    image = array_of(dtype)
    array = to_array(plain(image), ".fits")
    assert array.dtype.newbyteorder("=") == image.dtype
    assert np.array_equal(array, image)
    assert np.array_equal(array, astropys(plain(image)))


@pytest.mark.parametrize("dtype", AS_THEY_ARE)
def test_numbers_that_mean_themselves_are_a_view_of_the_frame(dtype: str) -> None:
    buffer = plain(array_of(dtype))
    array = to_array(buffer, ".fits")
    assert np.shares_memory(array, np.frombuffer(buffer, "u1"))
    assert array.dtype == np.dtype(dtype).newbyteorder(">")


@pytest.mark.parametrize("dtype", ["i1", "u2", "u4", "u8"])
def test_numbers_of_the_other_sign_are_copied_once_in_the_machines_order(dtype: str) -> None:
    buffer = plain(array_of(dtype, (500, 700)))
    to_array(buffer, ".fits")  # whatever is imported is imported
    tracemalloc.start()
    array = to_array(buffer, ".fits")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert array.dtype == np.dtype(dtype)
    assert array.nbytes < peak < 1.1 * array.nbytes + 200_000


@pytest.mark.parametrize(
    ("frame", "form", "shape"),
    [
        (plain(array_of("f4")), ".fits", None),
        (plain(array_of("u2")), ".fits", None),
        (plain(array_of("i2"), BSCALE=0.5), ".fits", None),
        (compressed(array_of("u1")), ".fits.fz", None),
        (compressed(array_of("i2")), ".fits.fz", None),
        (memoryview(bytes(12)), ".stream", (3, 4)),
        (memoryview(bytearray(12)), ".stream", (3, 4)),
    ],
)
def test_arrays_are_read_only(frame: memoryview, form: str, shape: tuple[int, int] | None) -> None:
    array = to_array(frame, form, shape)
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


def test_rows_come_first_and_colour_planes_before_them() -> None:
    cube = array_of("u2", (3, 20, 30))
    buffer = plain(cube)
    assert fits.getheader(io.BytesIO(buffer))["NAXIS1"] == 30
    array = to_array(buffer, ".fits")
    assert array.shape == (3, 20, 30)
    assert np.array_equal(array, cube)


SCALES = [
    {"BSCALE": 0.25},
    {"BZERO": 100.5},
    {"BSCALE": -2.0, "BZERO": 7.0},
    {"BZERO": 32768, "BSCALE": 3},
    {"BZERO": 32767},
    {"BLANK": 7},
    {"BLANK": 7, "BSCALE": 0.5, "BZERO": 1.0},
    {"BLANK": 7, "BZERO": 32768},
    {"BLANK": 10**30, "BSCALE": 2.0},
    {"BSCALE": 1e300},
]


@pytest.mark.parametrize("keywords", SCALES)
@pytest.mark.parametrize("dtype", AS_THEY_ARE)
def test_scaled_numbers_mean_what_they_mean_in_astropy(dtype: str, keywords: dict[str, float]) -> None:
    stored = array_of(dtype)
    stored[3, 4:8] = 7
    buffer = plain(stored)
    lines = b"".join(card(name, value).ljust(80) for name, value in keywords.items())
    end = b"END".ljust(80 + len(lines))
    buffer = changed(buffer, end, lines + b"END")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of overflow, and that BLANK is not for floats
        expected = astropys(buffer)
    array = to_array(buffer, ".fits")
    assert array.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
    assert np.array_equal(array, expected, equal_nan=dtype not in ("u8",) and array.dtype.kind == "f")


def test_the_image_is_found_behind_an_empty_first_part_and_a_table() -> None:
    image = array_of("i2")
    table = fits.BinTableHDU.from_columns([fits.Column("x", "1J", array=np.arange(2000))])
    buffer = file_of(fits.PrimaryHDU(), table, fits.ImageHDU(image), fits.ImageHDU(image + 1))
    array = to_array(buffer, ".fits")
    assert np.array_equal(array, image)
    assert np.shares_memory(array, np.frombuffer(buffer, "u1"))


def test_a_file_that_is_not_filled_up_to_whole_blocks_is_read() -> None:
    image = array_of("i2")
    buffer = plain(image)
    assert np.array_equal(to_array(buffer[: 2880 + image.nbytes], ".fits"), image)


def test_the_first_of_two_equal_keywords_is_taken() -> None:
    lines = b"".join(card("BZERO", zero).ljust(80) for zero in (100, 200))
    frame = changed(plain(np.zeros((2, 2), "i2")), b"END".ljust(240), lines + b"END")
    assert to_array(frame, ".fits").tolist() == [[100, 100], [100, 100]]


@pytest.mark.parametrize("form", [".fits", ".FITS", ".fit", ".Fts"])
def test_the_suffix_may_be_in_any_case(form: str) -> None:
    assert to_array(plain(array_of("u1")), form).shape == (21, 34)


# -- compressed FITS -------------------------------------------------------------------------


def stars(dtype: str) -> Any:
    """Noise with lone pixels that reach the top, which are coded by long runs of zeros."""
    image = RANDOM.poisson(20, (40, 300)).astype(dtype)
    image.ravel()[RANDOM.integers(0, image.size, 30)] = np.iinfo(dtype).max
    return image


def mixed(dtype: str) -> Any:
    """Rows of every kind: all the same, small numbers, the whole range, and changing in between."""
    image = array_of(dtype, (40, 301))
    image[:10] = 3
    image[10:20] %= 5
    image[20:30, 40:170] = 9
    return image


IMAGES: dict[str, Callable[[str], Any]] = {
    "whole range": array_of,
    "constant": lambda dtype: np.full((9, 100), 42, dtype),
    "noise": lambda dtype: RANDOM.poisson(90, (50, 333)).astype(dtype),
    "stars": stars,
    "mixed": mixed,
    "one row": lambda dtype: RANDOM.poisson(90, (1, 500)).astype(dtype),
    "one column": lambda dtype: RANDOM.poisson(90, (500, 1)).astype(dtype),
    "cube": lambda dtype: RANDOM.poisson(50, (3, 20, 40)).astype(dtype),
}


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4"])
@pytest.mark.parametrize("make", IMAGES.values(), ids=IMAGES)
def test_a_compressed_frame_is_the_array_that_was_written(make: Callable[[str], Any], dtype: str) -> None:
    image = make(dtype)
    array = to_array(compressed(image), ".fits.fz")
    assert array.dtype == image.dtype
    assert np.array_equal(array, image)


def test_more_rows_than_are_decoded_at_a_time_are_all_there() -> None:
    image = RANDOM.poisson(90, (5000, 20)).astype("u2")
    assert np.array_equal(to_array(compressed(image), ".fits.fz"), image)


def test_scaled_numbers_in_a_compressed_frame_are_as_in_astropy() -> None:
    hdu = fits.CompImageHDU(array_of("i2"), compression_type="RICE_1")
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.5, 10
    buffer = file_of(fits.PrimaryHDU(), hdu)
    assert np.array_equal(to_array(buffer, ".fits.fz"), astropys(buffer, 1))


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (array_of("i2"), {"kind": "GZIP_1"}),
        (array_of("i2"), {"kind": "HCOMPRESS_1"}),
        (array_of("f4"), {}),
        (array_of("i2"), {"tile_shape": (7, 34)}),
    ],
)
def test_compression_that_libindi_does_not_use_is_refused_by_name(
    image: Any, options: dict[str, Any]
) -> None:
    message = rf"compressed by {options.get('kind', 'RICE_1')} with BITPIX .* only whole numbers by RICE_1"
    with pytest.raises(InvalidValue, match=message):
        to_array(compressed(image, **options), ".fits.fz")


def row(*bits: str) -> memoryview:
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return memoryview(int(text, 2).to_bytes(len(text) // 8, "big"))


def decode(data: memoryview, columns: int, size: int, length: int | None = None) -> Any:
    lengths = np.array([len(data) if length is None else length])
    return decode_rows(data, np.array([0]), lengths, columns, size, 32)


FIRST = f"{1000:016b}"  # the number a row begins with


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        (row(FIRST, "0000"), [1000, 1000, 1000]),
        (row(FIRST, "0001", "1", "01", "001"), [1000, 999, 1000]),
        (row(FIRST, "0011", "100", "0111", "00101"), [1000, 996, 991]),
        (row(FIRST, "0001", "0" * 200 + "1", "1", "01"), [1100, 1100, 1099]),
        (row(FIRST, "1111", f"{0:016b}", f"{3:016b}", f"{65534:016b}"), [1000, 998, 33765]),
    ],
)
def test_a_row_is_decoded_as_the_standard_says(data: memoryview, numbers: list[int]) -> None:
    assert decode(data, 3, 2).tolist() == [numbers]


@pytest.mark.parametrize(
    ("data", "size", "message"),
    [
        (row(FIRST, FIRST, "11111", "1" * 300), 4, "no such block"),
        (row(FIRST, "0001", "0" * 300 + "1", "1" * 99), 2, "no such pixel"),
        (row(FIRST, "1111"), 2, "cut short"),
        (row(FIRST, "0001", "0" * 250 + "1"), 2, "cut short|no such pixel"),
        (row(FIRST, "0001", "1" * 20), 2, "cut short"),
    ],
)
def test_a_row_that_no_encoder_makes_is_refused(data: memoryview, size: int, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        decode(data, 99, size)


def test_a_row_is_not_read_on_into_the_next() -> None:
    data = row(FIRST, "0001", "1" * 31, "00001")
    assert decode(data, 32, 2)[0, -1] == 1002
    with pytest.raises(InvalidValue, match="cut short"):
        decode(data, 32, 2, len(data) - 1)


def test_rows_in_one_and_the_same_place_are_refused() -> None:
    """Each would be unpacked, and so few bytes ask for any amount of memory."""
    table = np.array([[200, 0]] * 21, ">i4").tobytes()
    place = bytes(PACKED).index(b"END".ljust(80), 2880)
    place += -place % 2880
    frame = memoryview(bytes(PACKED[:place]) + table + bytes(PACKED[place + len(table) :]))
    with pytest.raises(InvalidValue, match="rows are not where they should be"):
        to_array(frame, ".fits.fz")


def test_zeros_in_the_place_of_a_row_that_kill_the_process_in_astropy_are_refused() -> None:
    coded = bytes(50_000)
    cards = {
        "XTENSION": "'BINTABLE'", "BITPIX": 8, "NAXIS": 2, "NAXIS1": 8, "NAXIS2": 1, "PCOUNT": len(coded),
        "GCOUNT": 1, "TFIELDS": 1, "TTYPE1": "'COMPRESSED_DATA'", "TFORM1": "'1PB'", "ZIMAGE": "T",
        "ZBITPIX": 16, "ZNAXIS": 1, "ZNAXIS1": 100_000, "ZCMPTYPE": "'RICE_1'", "ZNAME1": "'BYTEPIX'",
        "ZVAL1": 2,
    }  # fmt: skip
    lines = b"".join(card(name, value).ljust(80) for name, value in cards.items())
    start = np.array([len(coded), 0], ">i4").tobytes()
    buffer = (
        bytes(file_of(fits.PrimaryHDU())) + (lines + b"END").ljust(2880) + start + b"\0\0\x10" + coded[3:]
    )
    with pytest.raises(InvalidValue, match="damaged"):
        to_array(memoryview(buffer), ".fits.fz")


# -- damage ----------------------------------------------------------------------------------

DAMAGE = {
    "nothing": (b"", "no FITS file"),
    "text": (b"<html>not found</html>" * 200, "no FITS file"),
    "a JPEG": (b"\xff\xd8\xff\xe0" + bytes(5000), "no FITS file"),
    "no end of the header": (bytes(FLAT[:80]) * 100, "no end"),
    "a header of megabytes": (bytes(FLAT[:80]) * 40_000 + b"END".ljust(80), "no end"),
    "no image": (file_of(fits.PrimaryHDU()), "no image"),
    "only a table": (
        file_of(
            fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("x", "J", array=np.arange(9))])
        ),
        "no image",
    ),
    "an axis of 0": (changed(FLAT, AXIS1, card("NAXIS1", 0)), "no image"),
    "a negative axis": (changed(FLAT, AXIS1, card("NAXIS1", -34)), "-34"),
    "an axis that is no number": (changed(FLAT, AXIS1, card("NAXIS1", "3x4")), "NAXIS1 is '3x4'"),
    "an axis that is missing": (changed(FLAT, AXIS1, b"COMMENT"), "NAXIS1 is None"),
    "an axis beyond any memory": (changed(FLAT, AXIS1, card("NAXIS1", 10**15)), "cut short"),
    "axes beyond any number": (
        changed(changed(FLAT, AXIS1, card("NAXIS1", 10**19)), AXIS2, card("NAXIS2", 10**19)),
        "cut short",
    ),
    "999 axes": (changed(FLAT, card("NAXIS", 2), card("NAXIS", 999)), "999 axes"),
    "a negative number of axes": (changed(FLAT, card("NAXIS", 2), card("NAXIS", -1)), "-1 axes"),
    "pixels of 17 bits": (changed(FLAT, card("BITPIX", 16), card("BITPIX", 17)), "BITPIX is 17"),
    "a scale that is no number": (
        changed(FLAT, b"END".ljust(160), card("BSCALE", "'x'").ljust(80) + b"END"),
        "BSCALE is",
    ),
    "half the pixels": (FLAT[: 2880 + 700], "700 of 1428 bytes"),
    "half the compressed pixels": (PACKED[: len(PACKED) - 2880], "cut short"),
    "a compressed axis beyond any memory": (
        changed(PACKED, card("ZNAXIS1", 34), card("ZNAXIS1", 10**12)),
        "absurd|compressed by",
    ),
    "fewer rows in the table": (changed(PACKED, card("NAXIS2", 21), card("NAXIS2", 20)), "another size"),
    "negative size": (changed(PACKED, card("GCOUNT", 1), card("GCOUNT", -1)), "negative size"),
    "tiles that are no rows": (changed(PACKED, card("ZTILE1", 34), card("ZTILE1", 17)), "absurd"),
    "another place for the rows": (changed(PACKED, b"EXTNAME =", card("THEAP", 9)[:9]), "absurd"),
    "numbers of another size": (changed(PACKED, card("ZVAL2", 2), card("ZVAL2", 4)), "absurd"),
    "a compressed image without pixels": (
        changed(PACKED, card("ZNAXIS2", 21), card("ZNAXIS2", 0)),
        "absurd",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "message"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_fits_frame_is_refused_with_the_reason(data: Any, message: str) -> None:
    with pytest.raises(InvalidValue, match=message) as caught:
        to_array(memoryview(data), ".fits.fz")
    assert isinstance(caught.value, ValueError)


def peak_of_refusing(frame: memoryview, form: str) -> int:
    """The most memory that is held while a frame is refused."""
    tracemalloc.start()
    with pytest.raises(InvalidValue):
        to_array(frame, form)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def huge_png() -> memoryview:
    file = io.BytesIO()
    Image.new("L", (10, 10)).save(file, "PNG")
    data = file.getvalue()
    header = data[12:16] + struct.pack(">II", 12_000, 12_000) + data[24:29]
    return memoryview(data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])


ROW = compressed(np.zeros((1, 100), "i2"))
LONG_ROW = changed(ROW, card("ZNAXIS1", 100), card("ZNAXIS1", 10**6))
ABSURD = {
    "FITS": (changed(FLAT, AXIS1, card("NAXIS1", 10**9)), ".fits"),
    "compressed FITS": (changed(LONG_ROW, card("ZTILE1", 100), card("ZTILE1", 10**6)), ".fits.fz"),
}


def test_a_picture_with_more_pixels_than_its_bytes_can_hold_is_refused() -> None:
    with pytest.raises(InvalidValue, match="12000 x 12000 pixels in"):
        to_array(huge_png(), ".png")


@pytest.mark.parametrize(("frame", "form"), ABSURD.values(), ids=ABSURD)
def test_an_absurd_size_takes_no_memory(frame: memoryview, form: str) -> None:
    peak_of_refusing(frame, form)  # whatever is imported is imported
    assert peak_of_refusing(frame, form) < 200_000


def picture(mode: str, kind: str, size: tuple[int, int] = (31, 17), **options: Any) -> memoryview:
    file = io.BytesIO()
    image = Image.fromarray(RANDOM.integers(0, 256, (size[1], size[0], 3), "u1"))
    image.convert(mode).save(file, kind, **options)
    return memoryview(file.getvalue())


FRAMES = {
    "FITS": (FLAT, ".fits"),
    "FITS of unsigned numbers": (plain(array_of("u2")), ".fits"),
    "FITS in a later part": (file_of(fits.PrimaryHDU(), fits.ImageHDU(array_of("f4"))), ".fits"),
    "compressed FITS": (PACKED, ".fits.fz"),
    "JPEG": (picture("RGB", "JPEG"), ".stream_jpg"),
    "PNG": (picture("RGB", "PNG"), ".png"),
    "TIFF": (picture("L", "TIFF"), ".tif"),
    "pixels only": (memoryview(bytes(17 * 31)), ".stream"),
}


def read(data: bytes, form: str) -> None:
    """Read a frame that may be damaged: one error may come, and no warning, which is an error here."""
    with contextlib.suppress(InvalidValue), np.errstate(all="ignore"):
        to_array(memoryview(data), form, (17, 31)).sum()


@pytest.mark.parametrize(("frame", "form"), FRAMES.values(), ids=FRAMES)
def test_a_frame_cut_at_any_byte_raises_nothing_else(frame: memoryview, form: str) -> None:
    for end in range(len(frame)):
        read(bytes(frame[:end]), form)


@pytest.mark.parametrize(("frame", "form"), FRAMES.values(), ids=FRAMES)
def test_a_frame_with_wrong_bytes_anywhere_raises_nothing_else(frame: memoryview, form: str) -> None:
    chance = random.Random(7)
    for _ in range(700):
        data = bytearray(frame)
        for _ in range(chance.choice([1, 1, 2, 5, 40])):
            place = chance.randrange(len(data))
            # a digit for a digit reaches further than rubbish does
            digit = chr(data[place]).isdigit()
            data[place] = ord(chance.choice("0123456789-. ")) if digit else chance.randrange(256)
        read(bytes(data), form)
        if form.startswith(".fits"):
            with contextlib.suppress(InvalidValue):
                to_header(memoryview(data), form).tostring()


# -- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "kind", "form", "shape", "dtype"),
    [
        ("L", "JPEG", ".stream_jpg", (17, 31), "u1"),
        ("RGB", "JPEG", ".stream_jpg", (17, 31, 3), "u1"),
        ("RGB", "JPEG", ".JPG", (17, 31, 3), "u1"),
        ("L", "JPEG", ".jpeg", (17, 31), "u1"),
        ("RGB", "PNG", ".png", (17, 31, 3), "u1"),
        ("RGBA", "PNG", ".png", (17, 31, 4), "u1"),
        ("P", "PNG", ".png", (17, 31, 3), "u1"),
        ("1", "PNG", ".png", (17, 31), "u1"),
        ("F", "TIFF", ".tiff", (17, 31), "f4"),
    ],
)
def test_a_picture_has_rows_columns_and_colours(
    mode: str, kind: str, form: str, shape: tuple[int, ...], dtype: str
) -> None:
    array = to_array(picture(mode, kind), form)
    assert (array.shape, array.dtype, array.flags.writeable) == (shape, np.dtype(dtype), False)


@pytest.mark.parametrize(("kind", "form"), [("PNG", ".png"), ("TIFF", ".tif")])
def test_a_picture_of_16_bits_keeps_them(kind: str, form: str) -> None:
    file, image = io.BytesIO(), array_of("u2")
    Image.fromarray(image).save(file, kind)
    assert np.array_equal(to_array(memoryview(file.getvalue()), form), image)


def test_a_picture_has_its_top_row_first_and_red_green_blue() -> None:
    image = np.zeros((8, 8, 3), "u1")
    image[0] = (255, 128, 1)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    assert np.array_equal(to_array(memoryview(file.getvalue()), ".png"), image)


def test_a_jpeg_is_what_pillow_makes_of_it() -> None:
    frame = picture("RGB", "JPEG", (640, 480))
    with Image.open(io.BytesIO(frame)) as expected:
        assert np.array_equal(to_array(frame, ".stream_jpg"), np.asarray(expected))


@pytest.mark.parametrize("form", [".stream_jpg", ".png", ".tif"])
def test_a_picture_of_another_kind_than_its_format_says_is_refused(form: str) -> None:
    with pytest.raises(InvalidValue, match=form):
        to_array(picture("RGB", "GIF"), form)


def test_reading_in_many_threads_leaves_the_programs_warnings_as_they_were() -> None:
    before, frame = list(warnings.filters), picture("RGB", "JPEG")

    def read_many() -> None:
        for _ in range(100):
            to_array(frame, ".jpg")

    threads = [threading.Thread(target=read_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


# -- pixels only -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", [".stream", ".bin", ".STREAM"])
@pytest.mark.parametrize(
    ("image", "shape"),
    [
        (array_of("u1", (5, 7)), (5, 7)),
        (array_of("u2", (5, 7)).astype("<u2"), (5, 7)),
        (array_of("u1", (5, 7, 3)), (5, 7)),
        (array_of("u1", (5, 7, 3)), (5, 7, 3)),
    ],
)
def test_pixels_alone_are_viewed_in_the_shape_given(image: Any, shape: tuple[int, ...], form: str) -> None:
    buffer = memoryview(image.tobytes())
    array = to_array(buffer, form, shape)
    assert (array.shape, array.dtype) == (image.shape, image.dtype)
    assert np.array_equal(array, image)
    assert np.shares_memory(array, np.frombuffer(buffer, "u1"))


@pytest.mark.parametrize(
    ("size", "shape", "message"),
    [
        (12, None, r"its shape \(rows, columns\) is needed"),
        (12, (), "its shape"),
        (12, (0, 4), "its shape"),
        (12, (-3, -4), "its shape"),
        (12, (5, 3), "12 bytes are no frame of 5 x 3 pixels"),
        (48, (3, 4), "48 bytes are no frame of 3 x 4 pixels"),
        (0, (3, 4), "0 bytes are no frame"),
        (13, (3, 4), "13 bytes are no frame"),
        (12, (10**12, 10**12), "12 bytes are no frame"),
    ],
)
def test_pixels_alone_without_a_shape_they_have_are_refused(
    size: int, shape: tuple[int, ...] | None, message: str
) -> None:
    with pytest.raises(InvalidValue, match=message):
        to_array(memoryview(bytes(size)), ".stream", shape)


@pytest.mark.parametrize("form", ["", ".cr2", ".fits.z", "fits", ".xisf", "../.fits"])
def test_a_format_that_is_not_known_is_refused_with_those_that_are(form: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(repr(form)) + r".* \.fits .* \.stream_jpg .* \.bin"):
        to_array(FLAT, form)


def device(xml: str) -> SnapDevice:
    """A camera of which a server has said this."""
    snap = Snap("localhost", 7624)
    for message in Scanner().feed(xml.encode()):
        snap = apply(snap, message, datetime.now(timezone.utc), lambda *names: ("", 0))
    return snap["Camera"]


def numbers(name: str, **members: object) -> str:
    inner = "".join(f'<defNumber name="{key}">{value}</defNumber>' for key, value in members.items())
    head = f'<defNumberVector device="Camera" name="{name}" state="Ok" perm="rw">'
    return f"{head}{inner}</defNumberVector>"


VIDEO = numbers("CCD_STREAM_FRAME", X=0, Y=0, WIDTH=640, HEIGHT=480)
EMPTY_VIDEO = numbers("CCD_STREAM_FRAME", X=0, Y=0, WIDTH=0, HEIGHT=0)
SENSOR = numbers("CCD_FRAME", X=10, Y=10, WIDTH=1281, HEIGHT=1025)
GONE = '<delProperty device="Camera" name="CCD_STREAM_FRAME"/>'
BINNING = numbers("CCD_BINNING", HOR_BIN=2, VER_BIN=4)


@pytest.mark.parametrize(
    ("said", "shape"),
    [
        ([VIDEO, SENSOR, BINNING], (480, 640)),
        ([EMPTY_VIDEO, SENSOR, BINNING], (256, 640)),
        ([VIDEO, SENSOR, GONE], (1025, 1281)),
        ([SENSOR], (1025, 1281)),
        ([VIDEO], (480, 640)),
        ([BINNING], None),
        ([numbers("CCD_FRAME", WIDTH="wide", HEIGHT=3)], None),
        ([numbers("CCD_FRAME", WIDTH=1e300, HEIGHT=3)], None),
        ([numbers("CCD_FRAME", WIDTH=5)], None),
        ([numbers("CCD_FRAME", WIDTH=5, HEIGHT=5), numbers("CCD_BINNING", HOR_BIN=9, VER_BIN=9)], None),
        ([numbers("CCD_FRAME", WIDTH=5, HEIGHT=5).replace("Number", "Text")], None),
    ],
)
def test_the_shape_of_a_video_frame_is_what_the_camera_announces(
    said: list[str], shape: tuple[int, int] | None
) -> None:
    assert stream_shape(device("".join(said))) == shape


# -- headers ---------------------------------------------------------------------------------


def test_the_header_of_a_frame_is_that_of_astropy() -> None:
    hdu = fits.PrimaryHDU(array_of("u2"))
    hdu.header["EXPTIME"] = (1.5, "[s] exposure")
    hdu.header["OBJECT"] = "M 31"
    hdu.header["HISTORY"] = "taken"
    frame = file_of(hdu)
    header = to_header(frame, ".fits")
    assert header.tostring() == fits.getheader(io.BytesIO(frame)).tostring()
    assert header["EXPTIME"] == 1.5
    assert header.comments["EXPTIME"] == "[s] exposure"


def test_the_header_of_a_compressed_frame_is_that_of_the_image() -> None:
    frame = compressed(array_of("u2"), header=fits.Header({"EXPTIME": 1.5, "GAIN": 90}), name="SCI")
    header = to_header(frame, ".fits.fz")
    with fits.open(io.BytesIO(frame)) as hdus:
        expected = dict(hdus[1].header)
    frames_own = {
        "SIMPLE",
        "XTENSION",
        "PCOUNT",
        "GCOUNT",
    }  # these are not the same in all versions of astropy
    assert {name: header[name] for name in header if name not in frames_own} == (
        {name: expected[name] for name in expected if name not in frames_own}
    )
    assert (header["NAXIS1"], header["BITPIX"], header["EXTNAME"]) == (34, 16, "SCI")


def test_the_header_of_a_later_part_is_that_of_the_image() -> None:
    frame = file_of(fits.PrimaryHDU(), fits.ImageHDU(array_of("i2"), fits.Header({"GAIN": 90})))
    assert to_header(frame, ".fits")["GAIN"] == 90


def test_a_long_text_is_put_together() -> None:
    text = "a long way " * 20
    assert to_header(plain(array_of("i2"), NOTES=text), ".fits")["NOTES"].strip() == text.strip()


@pytest.mark.parametrize(
    ("line", "keyword", "value"),
    [
        (b"OBJECT  = M 31 without quotes", "OBJECT", "M 31 without quotes"),
        (b"GAIN    = nan", "GAIN", "nan"),
        (b"exptime = 3", "EXPTIME", 3),
        (b"HUGE    = 1e400", "HUGE", float("inf")),
        (b"TABBED  = 'a\tb'", "TABBED", "a?b"),
        (b"PLACE   = 'K\xc3\xb6ln'", "PLACE", "K??ln"),
        (b"HIERARCH ESO INS = 3 / unit", "ESO INS", 3),
    ],
)
def test_a_line_that_breaks_the_standard_is_mended(line: bytes, keyword: str, value: object) -> None:
    frame = changed(FLAT, b"END".ljust(160), line.ljust(80) + b"END")
    header = to_header(frame, ".fits")
    assert header[keyword] == value
    assert fits.Header.fromstring(header.tostring())[keyword] == value


def test_a_line_that_cannot_be_mended_is_left_out() -> None:
    line = b"FOO!BAR = 3".ljust(80)
    header = to_header(changed(FLAT, b"END".ljust(160), line + b"END"), ".fits")
    assert header.tostring() == to_header(FLAT, ".fits").tostring()


@pytest.mark.parametrize("form", [".stream", ".jpg", ""])
def test_only_fits_has_a_header(form: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(repr(form)) + " have no header"):
        to_header(FLAT, form)


# -- arrays as files -------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", TYPES)
def test_an_array_is_written_as_a_file_that_astropy_and_we_read_back(dtype: str, order: str) -> None:
    image = array_of(dtype, (3, 20, 31)).astype(order + dtype)
    before = image.copy()
    data = to_fits(image)
    assert len(data) % 2880 == 0
    assert np.array_equal(image, before)
    with fits.open(io.BytesIO(data)) as hdus:
        hdus.verify("exception")
        assert np.array_equal(hdus[0].data, image)
        assert hdus[0].data.dtype.newbyteorder("=") == np.dtype(dtype)
    assert np.array_equal(to_array(memoryview(data), ".fits"), image)


def test_parts_of_an_array_are_written_too() -> None:
    image = array_of("u2", (40, 60))
    for part in (image[::2, 5:20], image.T, image[::-1], image[0]):
        assert np.array_equal(to_array(memoryview(to_fits(part)), ".fits"), part)


def test_an_array_that_was_received_can_be_sent() -> None:
    array = to_array(FLAT, ".fits")
    assert np.array_equal(to_array(memoryview(to_fits(array)), ".fits"), array)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 4), bool),
        np.zeros((3, 4), "f2"),
        np.zeros((3, 4), complex),
        np.array([["a"]]),
        np.zeros((0, 4), "u1"),
        np.array(3, "u1"),
    ],
)
def test_what_is_no_image_is_not_written(array: Any) -> None:
    with pytest.raises(InvalidValue, match="no FITS image can be made of"):
        to_fits(array)


# -- without the extra -----------------------------------------------------------------------

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({missing}))
from indipyclient import arrays
try:
    {call}
except ImportError as error:
    print(type(error).__name__, error.name, error)
else:
    print("works")
"""
FITS_FILE = bytes(plain(np.arange(4, dtype="u2")))


@pytest.mark.parametrize(
    ("missing", "call", "answer"),
    [
        ("numpy", "arrays.to_array(memoryview({file}), '.fits')", "numpy"),
        ("numpy", "arrays.to_array(memoryview(bytes(12)), '.stream', (3, 4))", "numpy"),
        ("astropy", "arrays.to_header(memoryview({file}), '.fits')", "astropy"),
        ("PIL", "arrays.to_array(memoryview(bytes(12)), '.stream_jpg')", "PIL"),
        ("astropy PIL", "arrays.to_array(memoryview({file}), '.fits')", ""),
        ("astropy PIL", "arrays.to_array(memoryview({packed}), '.fits.fz')", ""),
        ("astropy PIL", "arrays.to_array(memoryview(bytes(12)), '.stream', (3, 4))", ""),
        ("numpy astropy PIL", "from indipyclient.queclient import runqueclient", ""),
    ],
)
def test_what_is_missing_is_named_with_how_to_get_it(missing: str, call: str, answer: str) -> None:
    packed = bytes(compressed(np.arange(20, dtype="i2").reshape(4, 5)))
    program = WITHOUT.format(missing=missing.split(), call=call.format(file=FITS_FILE, packed=packed))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    expected = (
        f'MissingExtra {answer} {answer} is missing: pip install "indipyclient[fits]"' if answer else "works"
    )
    assert (done.stdout.strip(), done.stderr) == (expected, "")


# -- real frames -----------------------------------------------------------------------------


@pytest.fixture
def session() -> Iterator[QueueSession]:
    with IndiServer(CCD) as server, QueueSession(server.port) as session:
        connect_camera(session)
        session.send(CCD, "CCD1", "Also")
        yield session


def frame_of(session: QueueSession, vector: str, members: dict[str, Any]) -> tuple[Any, SnapDevice]:
    """The first frame after a command, and the camera at that moment."""
    session.send(CCD, vector, members)
    camera = session.wait_event("SetBLOB", CCD, "CCD1").snapshot[CCD]
    return camera["CCD1"].member("CCD1"), camera


@pytest.mark.real
def test_compressed_and_plain_exposures_are_equal_arrays_with_equal_headers(session: QueueSession) -> None:
    frames = []
    for enabled in ("INDI_DISABLED", "INDI_ENABLED"):
        session.command(CCD, "CCD_COMPRESSION", {enabled: "On"})
        frames.append(frame_of(session, "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.1})[0])
    assert [frame.blobformat for frame in frames] == [".fits", ".fits.fz"]
    plain_one, packed = (to_array(frame.buffer, frame.blobformat) for frame in frames)
    assert plain_one.shape == packed.shape == (1024, 1280)
    assert plain_one.dtype == packed.dtype == np.uint16
    assert np.array_equal(packed, astropys(frames[1].buffer, 1))
    headers = [to_header(frame.buffer, frame.blobformat) for frame in frames]
    assert [header["EXPTIME"] for header in headers] == [0.1, 0.1]
    assert set(headers[0]) == set(headers[1])


@pytest.mark.real
@pytest.mark.parametrize(
    ("vector", "members", "shape"),
    [
        ("CCD_BINNING", {"HOR_BIN": 2, "VER_BIN": 4}, (256, 640)),
        ("CCD_STREAM_FRAME", {"X": 100, "Y": 50, "WIDTH": 640, "HEIGHT": 320}, (320, 640)),
    ],
)
def test_a_raw_video_frame_has_the_shape_that_is_announced(
    session: QueueSession, vector: str, members: dict[str, int], shape: tuple[int, int]
) -> None:
    session.command(CCD, vector, members)
    frame, camera = frame_of(session, "CCD_VIDEO_STREAM", {"STREAM_ON": "On"})
    array = to_array(frame.buffer, frame.blobformat, stream_shape(camera))
    assert (frame.blobformat, array.shape, array.dtype.str[1:]) == (".stream", shape, "u1")


@pytest.mark.real
def test_a_jpeg_video_frame_is_a_picture(session: QueueSession) -> None:
    session.command(CCD, "CCD_STREAM_ENCODER", {"MJPEG": "On"})
    frame, _ = frame_of(session, "CCD_VIDEO_STREAM", {"STREAM_ON": "On"})
    array = to_array(frame.buffer, frame.blobformat)
    assert (frame.blobformat, array.shape, array.dtype.str[1:]) == (".stream_jpg", (1024, 1280), "u1")


@pytest.mark.real
def test_an_exposure_in_the_cameras_own_format_is_read_in_the_shape_of_the_sensor(
    session: QueueSession,
) -> None:
    session.command(CCD, "CCD_TRANSFER_FORMAT", {"FORMAT_NATIVE": "On"})
    frame, _ = frame_of(session, "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.1})
    array = to_array(frame.buffer, frame.blobformat, (1024, 1280))
    assert (frame.blobformat, array.shape, array.dtype.str[1:]) == (".bin", (1024, 1280), "u2")
