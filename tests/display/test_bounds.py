"""However much there is, a page stays small, and says what it leaves out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from indipyclient.arrays import to_fits
from indipyclient.state.snapshots import Snap

from .page import Page, attributes, frame, member, snap_of, vector

MOST_BYTES = 200_000
MOST_ROWS = 200
WIDE = "\N{GRINNING FACE}\"'&<" * 50  # long once it is escaped and coded


def numbers(amount: int) -> str:
    labels = {"label": "Temperature (C)", "min": -20, "max": 40, "step": 0.1}
    return "".join(member("Number", f"{one}.5", name=f"N{one}", **labels) for one in range(amount))


def wide(amount: int) -> str:
    """Members that take as much room as they can."""
    inside = {"label": WIDE, "min": WIDE, "max": f"1{WIDE}", "step": WIDE, "format": WIDE}
    return "".join(member("Number", "1", name=f"{one}{WIDE}", **inside) for one in range(amount))


def many_vectors(amount: int, members: int, **about: Any) -> str:
    return "".join(vector("Number", numbers(members), name=f"V{one}", **about) for one in range(amount))


def page(node: Any) -> Page:
    seen = Page(node._repr_html_())
    assert seen.size < MOST_BYTES
    assert len(seen.rows) <= MOST_ROWS
    return seen


def test_a_vector_of_5000_members() -> None:
    snap = snap_of(vector("Number", numbers(5000)))
    seen = page(snap["D"]["V"])
    assert seen.row("N150")[1] == "150.5 C"
    assert f"… and {5000 - len(seen.rows):,} more members".replace(",", "\xa0") in seen.text
    assert "… and 4\xa0988 more members" in page(snap["D"]).text
    assert "+4997" in page(snap).text


def test_a_device_of_5000_members_in_1000_vectors() -> None:
    snap = snap_of(many_vectors(1000, 5))
    seen = page(snap["D"])
    assert "V30" in seen.text
    shown = sum(cells[0].startswith("V") for cells in seen.rows)
    assert (
        f"… and {1000 - shown} more properties with {5000 - 5 * shown:,} ".replace(",", "\xa0") in seen.text
    )
    overview = page(snap)
    assert f"… and {1000 - len(overview.rows)} more properties" in overview.text


def test_5000_devices() -> None:
    snap = snap_of(*(vector("Number", numbers(1), device=f"D{one}", name="V") for one in range(5000)))
    seen = page(snap)
    assert "5\xa0000 devices" in seen.text
    assert f"… and {5000 - seen.text.count('N0')} more devices".replace("4", "4\xa0", 1) in seen.text


def test_one_large_device_does_not_hide_the_others() -> None:
    snap = snap_of(
        many_vectors(1000, 1, device="Large"), vector("Number", numbers(1), device="Small", name="S")
    )
    assert page(snap).row("S")[2] == "N0 0.5 C"


@pytest.mark.parametrize("devices", [1, 25])
def test_texts_as_long_as_they_can_be(devices: int) -> None:
    elements = []
    for one in range(devices):
        device, about = f"{one}{WIDE}", {"label": WIDE, "group": WIDE, "state": "Alert", "message": WIDE}
        elements += [
            vector("Number", wide(13), name=f"{at}{WIDE}", device=device, **about) for at in range(8)
        ]
        elements += [f"<message{attributes(device=device, message=WIDE)}/>"] * 8
        elements += [vector("Text", member("Text", WIDE, name="t"), name="T", device=device, state="Busy")]
    snap = snap_of(*elements, *[f"<message{attributes(message=WIDE)}/>"] * 8)
    first = next(iter(snap.values()))
    for node in (snap, first, *first.values()):
        page(node)


def test_frames_as_large_as_their_pictures_can_be() -> None:
    noise = np.random.default_rng(1).integers(0, 65536, (3, 256, 256), np.uint16)
    data = to_fits(noise)
    elements = [frame(data, ".fits", name, "B") for name in ("a", "b", "c", "d")]
    members = "".join(member("BLOB", name=name) for name in ("a", "b", "c", "d"))
    snap = snap_of(vector("BLOB", members, name="B"), *(one[one.index("<set") :] for one in elements))
    seen = page(snap["D"]["B"])
    assert "img" in seen.names()
    assert len(seen.rows) == 4
    page(snap["D"]["B"].member("a"))


def test_a_client_that_knows_nothing_has_a_page() -> None:
    assert page(Snap("localhost", 7624)).text == "localhost:7624 not connected 0 devices"
