"""Frames on the pages: a picture, or why there is none."""

from __future__ import annotations

import base64
import io
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indipyclient.arrays import to_fits

from .page import Page, frame, member, snap_of, vector


def dot(rows: int = 60, columns: int = 90) -> Any:
    """A frame with noise, and one bright spot near the start of the file."""
    pixels = np.random.default_rng(3).normal(1000, 20, (rows, columns)).astype(np.uint16)
    pixels[5:9, 10:14] = 50_000
    return pixels


def pages(data: bytes | memoryview, form: str) -> list[Page]:
    """Pages of a BLOB vector and of its member."""
    blobs = snap_of(frame(data, form))["D"]["B"]
    return [Page(blobs._repr_html_()), Page(blobs.member("b")._repr_html_())]


def picture(page: Page) -> Image.Image:
    (source,) = page.attribute("img", "src")
    assert source is not None
    return Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))


def test_a_frame_has_its_picture_with_format_and_size() -> None:
    data = to_fits(dot())
    for page in pages(data, ".fits"):
        with picture(page) as seen:
            assert seen.size == (90, 60)
            assert np.asarray(seen)[51:55, 10:14].min() > 200  # the first row is the lowest
        assert f".fits {len(data) / 1000:.3g} kB" in page.text


def test_overviews_have_the_size_and_no_picture() -> None:
    snap = snap_of(frame(to_fits(dot()), ".fits"))
    for page in (Page(snap._repr_html_()), Page(snap["D"]._repr_html_())):
        assert "img" not in page.names()
        assert ".fits" in page.text


def test_a_damaged_frame_says_so() -> None:
    for page in pages(to_fits(dot())[:4000], ".fits"):
        assert "img" not in page.names()
        assert "no picture: the FITS file is cut short: 1120 of" in page.text


def test_a_frame_of_another_kind_says_so() -> None:
    for page in pages(b"a,b\n1,2\n", ".csv"):
        assert "no picture: frames of format '.csv' cannot be read" in page.text


def test_pixels_alone_need_their_shape() -> None:
    from indipyclient.display import blob_html, vector_html

    blobs = snap_of(frame(dot().astype(np.uint8).tobytes(), ".stream"))["D"]["B"]
    assert "its shape (rows, columns) is needed" in Page(blobs._repr_html_()).text
    for html in (vector_html(blobs, (60, 90)), blob_html(blobs.member("b"), (60, 90))):
        with picture(Page(html)) as seen:
            assert seen.size == (90, 60)


def test_before_the_first_frame_there_is_none() -> None:
    blobs = snap_of(vector("BLOB", member("BLOB", name="b"), name="B"))["D"]["B"]
    for node in (blobs, blobs.member("b")):
        page = Page(node._repr_html_())
        assert "no frame yet" in page.text
        assert "picture" not in page.text


def test_what_was_wrong_with_a_frame_on_its_way_is_on_the_page() -> None:
    blobs = snap_of(frame(to_fits(dot()), ".fits").replace("</oneBLOB>", "?</oneBLOB>"))["D"]["B"]
    error = blobs.member("b").error  # type: ignore[attr-defined]
    assert error
    assert error[:50] in Page(blobs._repr_html_()).text


@pytest.mark.parametrize("missing", ["numpy", "PIL"])
def test_without_numpy_or_pillow_the_page_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = to_fits(dot())
    monkeypatch.setitem(sys.modules, missing, None)
    for page in pages(data, ".fits"):
        assert f'no picture: {missing} is missing: pip install "indipyclient[fits]"' in page.text


@pytest.mark.parametrize("form", [".fits", ".jpg", ".png"])
def test_a_frame_cut_anywhere_still_has_a_page(form: str) -> None:
    file = io.BytesIO()
    if form == ".fits":
        file.write(to_fits(dot()))
    else:
        Image.fromarray(dot().astype(np.uint8)).save(file, form.strip(".").replace("jpg", "jpeg"))
    whole = file.getvalue()
    for end in range(0, len(whole), len(whole) // 40):
        for page in pages(whole[:end], form):
            assert ".fits" in page.text or form in page.text or "no frame yet" in page.text
