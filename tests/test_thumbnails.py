"""Small pictures of frames: what is to be seen on them, and what they cost."""

from __future__ import annotations

import io
import mmap
import tracemalloc
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from indipyclient.arrays import to_array, to_fits, to_thumbnail
from indipyclient.errors import InvalidValue

RANDOM = np.random.default_rng(5)


def sky(rows: int = 100, columns: int = 160, dtype: str = "u2") -> Any:
    """Noise, with a bright spot near the start of the file."""
    pixels = RANDOM.normal(100, 5, (rows, columns))
    pixels[4 : 4 + rows // 10, 8 : 8 + columns // 10] = 250
    return pixels.astype(dtype)


def seen(buffer: Any, form: str = ".fits", **options: Any) -> Any:
    with Image.open(io.BytesIO(to_thumbnail(memoryview(buffer), form, **options))) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB") if picture.mode == "P" else picture)


def file_of(array: Any, **keywords: Any) -> bytes:
    file = io.BytesIO()
    fits.PrimaryHDU(array, fits.Header(keywords)).writeto(file)
    return file.getvalue()


def packed(array: Any) -> bytes:
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(array, compression_type="RICE_1")]).writeto(file)
    return file.getvalue()


def picture(array: Any, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind)
    return file.getvalue()


def bright(image: Any) -> tuple[Any, Any]:
    """Rows and columns of the middle of what is bright."""
    rows, columns = np.nonzero((image if image.ndim == 2 else image[..., 0]) > 200)
    return np.median(rows) / image.shape[0], np.median(columns) / image.shape[1]


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "f4", "f8"])
def test_the_first_row_of_fits_is_the_lowest(dtype: str) -> None:
    image = seen(file_of(sky(dtype=dtype)))
    assert image.shape == (100, 160)
    assert bright(image) == (pytest.approx(0.91, abs=0.02), pytest.approx(0.1, abs=0.02))


def test_unless_the_camera_says_otherwise() -> None:
    assert bright(seen(file_of(sky(), ROWORDER="TOP-DOWN")))[0] == pytest.approx(0.09, abs=0.02)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_pictures_are_as_they_are(kind: str) -> None:
    pixels = sky(dtype="u1")
    image = seen(picture(pixels, kind), f".{kind.lower()}")
    assert np.abs(image.astype(int) - pixels).mean() < 5


def test_pixels_alone_have_the_shape_that_is_given() -> None:
    pixels = sky(dtype="u1")
    assert np.array_equal(seen(pixels.tobytes(), ".stream", shape=(100, 160)), pixels)
    with pytest.raises(InvalidValue, match="its shape"):
        to_thumbnail(memoryview(pixels.tobytes()), ".stream")


@pytest.mark.parametrize(
    ("buffer", "form"),
    [
        (file_of(np.stack([sky(), sky() // 2, sky()[::-1]])), ".fits"),
        (picture(np.dstack([sky(dtype="u1")] * 3), "JPEG"), ".jpg"),
        (picture(np.dstack([sky(dtype="u1")] * 4), "PNG"), ".png"),
    ],
    ids=["planes of FITS", "colours", "colours and transparency"],
)
def test_colours_stay(buffer: bytes, form: str) -> None:
    assert seen(buffer, form).shape == (100, 160, 3)


@pytest.mark.parametrize("shape", [(2, 50, 60), (2, 3, 50, 60)], ids=str)
def test_of_other_planes_the_first_is_shown(shape: tuple[int, ...]) -> None:
    assert seen(to_fits(np.zeros(shape, "u2"))).shape == (50, 60)


def test_faint_things_are_seen_beside_bright_ones() -> None:
    pixels = RANDOM.normal(1000, 10, (100, 100))
    pixels[20:23, 20:23] = 1080
    pixels[60:70, 60:70] = 60_000
    image = seen(file_of(pixels.astype("f4"), ROWORDER="TOP-DOWN")).astype(int)
    assert image[20:23, 20:23].min() > image[:15, :15].mean() + 20
    assert image[60:70, 60:70].min() > 240
    assert image[:15, :15].mean() < 60


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((10, 10), "u2"),
        np.full((10, 10), 65535, "u2"),
        np.full((10, 10), np.nan),
        np.array([[np.inf, -np.inf], [1e308, -1e308]]),
        np.arange(100.0),
        np.ones((1, 1), "u1"),
        np.arange(100_000, dtype="i4").reshape(1, -1),
        np.arange(100_000, dtype="i4").reshape(-1, 1),
    ],
    ids=["black", "white", "no numbers", "endless", "a row", "a point", "wide", "high"],
)
def test_every_frame_has_a_picture(pixels: Any) -> None:
    image = seen(file_of(pixels))
    assert 1 <= min(image.shape) <= max(image.shape) <= 256


@pytest.mark.parametrize("size", [256, 64])
@pytest.mark.parametrize("make", [file_of, packed], ids=["plain", "packed"])
def test_a_large_frame_is_shrunk_as_a_whole(make: Any, size: int) -> None:
    image = seen(make(sky(1500, 2400)), ".fits.fz", size=size)
    assert image.shape == (round(size * 1500 / 2400), size)
    assert bright(image) == (pytest.approx(0.95, abs=0.02), pytest.approx(0.05, abs=0.02))


def test_of_a_frame_of_512_MB_only_what_is_needed_is_looked_at() -> None:
    to_thumbnail(memoryview(file_of(sky())), ".fits")  # whatever is imported is imported
    header = to_fits(np.zeros((1, 1), "u2"))[:2880]
    for axis in (b"NAXIS1  = ", b"NAXIS2  = "):
        header = header.replace(axis + b"%20d" % 1, axis + b"%20d" % 16384)
    with mmap.mmap(-1, 2880 + 2 * 16384**2) as memory:
        memory[:2880] = header
        with memoryview(memory) as frame:
            tracemalloc.start()
            image = seen(frame)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    assert image.shape == (256, 256)
    assert peak < 50_000_000


def test_what_must_be_unpacked_has_a_limit() -> None:
    large = picture(np.zeros((3200, 3200), "u1"), "PNG")
    assert to_array(memoryview(large), ".png").shape == (3200, 3200)
    with pytest.raises(InvalidValue, match="too large: 3200 x 3200 pixels"):
        to_thumbnail(memoryview(large), ".png")


def test_a_file_full_of_headers_is_given_up_soon() -> None:
    """Each takes time to be read, and a frame can have millions."""
    first = to_fits(np.zeros((1, 1), "u1"))[:2880].replace(
        b"NAXIS   = " + b"%20d" % 2, b"NAXIS   = " + b"%20d" % 0
    )
    more = first.replace(b"SIMPLE  = " + b"%20s" % b"T", b"XTENSION= 'IMAGE   '          ")
    assert to_array(
        memoryview(
            first
            + more * 900
            + to_fits(np.ones((2, 2), "u1")).replace(
                b"SIMPLE  = " + b"%20s" % b"T", b"XTENSION= 'IMAGE   '          "
            )
        ),
        ".fits",
    ).shape == (2, 2)
    with pytest.raises(InvalidValue, match="the FITS headers have no end"):
        to_thumbnail(memoryview(first + more * 1100), ".fits")


FRAMES = {
    "FITS": (file_of(sky(40, 60)), ".fits"),
    "packed FITS": (packed(sky(40, 60)), ".fits.fz"),
    "JPEG": (picture(sky(40, 60, "u1"), "JPEG"), ".jpg"),
    "TIFF": (picture(sky(40, 60, "u1"), "TIFF"), ".tif"),
}


@pytest.mark.parametrize(("frame", "form"), FRAMES.values(), ids=FRAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_frame_has_a_picture_or_a_reason(frame: bytes, form: str, data: st.DataObject) -> None:
    damaged = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = seen(damaged[: data.draw(st.integers(0, len(frame)))], form)
    except InvalidValue as error:
        assert str(error)
    else:
        assert image.size
