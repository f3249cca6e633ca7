"""What is to be read on the pages of clients, devices and vectors."""

from __future__ import annotations

import pytest

from .page import Page, attributes, member, snap_of, vector

SECONDS = {"name": "SECONDS", "label": "Duration (s)", "format": "%5.2f"}
LIMITS = {"min": "0.010000000000000000208", "max": 3600, "step": 0.1}  # as libindi writes them
EXPOSURE = vector(
    "Number",
    member("Number", "1.5", **SECONDS, **LIMITS),
    device="Camera",
    name="EXPOSURE",
    label="Expose",
    group="Main",
    state="Busy",
    timestamp="2026-11-27T15:50:03",
)
PLACE = vector(
    "Number",
    member("Number", "5.5", name="RA", label="RA (hh:mm:ss)", format="%10.6m", min=0, max=24)
    + member("Number", "what", name="DEC", label="DEC", format="%10.6m", min=-90, max=90),
    name="PLACE",
    state="Idle",
    perm="ro",
)
SWITCH = vector(
    "Switch",
    member("Switch", "On", name="CONNECT", label="Connect") + member("Switch", "Off", name="DISCONNECT"),
    name="CONNECTION",
    group="Main",
    rule="OneOfMany",
)
LIGHTS = vector("Light", member("Light", "Alert", name="RAIN") + member("Light", "Ok", name="WIND"), name="L")
TEXT = vector("Text", member("Text", "M 31", name="OBJECT") + member("Text", " ", name="NOTE"), name="T")

GREY, GREEN, YELLOW, RED = "#6e7781", "#1a7f37", "#eab308", "#cf222e"


def vector_page(element: str) -> Page:
    device = next(iter(snap_of(element).values()))
    return Page(next(iter(device.values()))._repr_html_())


@pytest.mark.parametrize(
    ("state", "colour"), [("Idle", GREY), ("Ok", GREEN), ("Busy", YELLOW), ("Alert", RED)]
)
def test_states_have_the_colours_of_indi(state: str, colour: str) -> None:
    snap = snap_of(vector("Text", member("Text", "x", name="t"), name="T", state=state))
    assert Page(snap["D"]["T"]._repr_html_()).colour_of(state) == colour
    assert Page(snap["D"]._repr_html_()).colour_of(state) == colour
    assert Page(snap._repr_html_()).colour_of(f"1 {state}") == colour


def test_a_number_has_its_format_its_unit_and_its_limits() -> None:
    page = vector_page(EXPOSURE)
    assert page.row("SECONDS") == ["SECONDS Duration", "1.50 s", "0.01 … 3600, step 0.1"]


def test_what_stands_in_brackets_is_not_always_a_unit_and_not_every_number_can_be_read() -> None:
    page = vector_page(PLACE)
    assert page.row("RA") == ["RA RA (hh:mm:ss)", "5:30:00", "0 … 24"]
    assert page.row("DEC") == ["DEC", "nan", "-90 … 90"]


def test_equal_limits_are_none() -> None:
    page = vector_page(vector("Number", member("Number", "7", name="n", min="0", max="0.0", step=1)))
    assert page.row("n") == ["n", "7", ""]


def test_a_vector_tells_what_it_is() -> None:
    page = vector_page(EXPOSURE)
    assert "Camera EXPOSURE Expose Busy" in page.text
    assert "number · rw · Main · 2026-11-27 15:50:03 UTC" in page.text
    assert "switch · OneOfMany · rw · Main" in vector_page(SWITCH).text


def test_switches_lights_and_texts() -> None:
    assert vector_page(SWITCH).row("CONNECT") == ["CONNECT Connect", "● On", ""]
    assert vector_page(SWITCH).row("DISCONNECT")[1] == "○ Off"
    assert vector_page(LIGHTS).row("RAIN")[1] == "Alert"
    assert vector_page(LIGHTS).colour_of("Alert") == RED
    assert vector_page(TEXT).row("OBJECT")[1] == "M 31"
    assert vector_page(TEXT).row("NOTE")[1] == "empty"


def test_the_last_message_of_a_vector_is_on_its_page() -> None:
    refused = attributes(
        device="Camera", name="EXPOSURE", state="Alert", message="too long", timestamp="2026-01-01T10:11:12"
    )
    camera = snap_of(EXPOSURE, f"<setNumberVector{refused}/>")["Camera"]
    assert "10:11:12 too long" in Page(camera["EXPOSURE"]._repr_html_()).text
    assert "10:11:12 too long" in Page(camera._repr_html_()).text


def test_a_device_has_its_vectors_in_groups_and_its_messages_below() -> None:
    message = attributes(device="D", message="clouds", timestamp="2026-01-01T10:11:12")
    page = Page(snap_of(SWITCH, PLACE, TEXT, LIGHTS, f"<message{message}/>")["D"]._repr_html_())
    assert page.text.startswith("D 4 properties 3 Ok 1 Idle")
    assert [cells[0] for cells in page.rows if len(cells) == 1] == ["Main", "DEFAULT GROUP"]
    assert page.row("CONNECTION")[1:] == ["Ok", "CONNECT Connect", "● On", ""]
    assert page.row("PLACE")[0].startswith("PLACEro · ")
    assert page.text.endswith("10:11:12 clouds")


def test_a_client_has_a_line_for_each_vector() -> None:
    refused = attributes(device="Camera", name="EXPOSURE", state="Alert", message="too long")
    page = Page(snap_of(EXPOSURE, SWITCH, PLACE, LIGHTS, f"<setNumberVector{refused}/>")._repr_html_())
    assert page.text.startswith("localhost:7624 connected 2 devices")
    assert page.row("EXPOSURE") == ["EXPOSURE Expose", "Alert", "SECONDS 1.50 s · too long"]
    assert page.row("CONNECTION")[1:] == ["Ok", "CONNECT"]
    assert page.row("L")[1:] == ["Ok", "RAIN Alert · WIND Ok"]
    assert page.attribute("details", "open") == [None, None]


@pytest.mark.parametrize(
    ("amount", "on", "line"),
    [(3, (), "all off"), (3, (1,), "s1"), (9, (0, 2, 4, 6, 8), "s0 · s2 · s4 · +2"), (5000, (), "…")],
)
def test_a_client_names_the_switches_that_are_on(amount: int, on: tuple[int, ...], line: str) -> None:
    """Only the first ones are looked at, as there may be very many."""
    switches = "".join(member("Switch", "On" if at in on else "Off", name=f"s{at}") for at in range(amount))
    page = Page(snap_of(vector("Switch", switches, name="S"))._repr_html_())
    assert page.row("S") == ["S", "Ok", line]


def test_devices_are_folded_when_there_is_much_in_them() -> None:
    page = Page(snap_of(*(TEXT.replace('"T"', f'"T{one}"') for one in range(40)))._repr_html_())
    assert "details" in page.names()
    assert page.attribute("details", "open") == []
    assert len(page.rows) == 40


def test_what_is_deleted_is_left_out() -> None:
    snap = snap_of(SWITCH, TEXT, '<delProperty device="D" name="T"/>')
    page = Page(snap["D"]._repr_html_())
    assert page.text.startswith("D 1 property 1 Ok")
    assert "OBJECT" not in page.text
    assert "OBJECT" not in Page(snap._repr_html_()).text
    assert "deleted" in Page(snap["D"]["T"]._repr_html_()).text
    gone = snap_of(TEXT, '<delProperty device="D"/>')
    assert Page(gone["D"]._repr_html_()).text == "D deleted"


def test_the_last_values_stay_on_the_page_when_the_connection_is_lost() -> None:
    page = Page(snap_of(EXPOSURE, connected=False)._repr_html_())
    assert page.text.startswith("localhost:7624 not connected 1 device")
    assert page.colour_of("not connected") == RED
    assert page.row("EXPOSURE")[2] == "SECONDS 1.50 s"


def test_the_plain_text_of_snapshots_stays_plain() -> None:
    snap = snap_of(EXPOSURE)
    assert repr(snap) == "<Snap localhost:7624 connected, 1 devices, rev 1>"
    assert "<b>" not in repr(snap["Camera"]) + repr(snap["Camera"]["EXPOSURE"])


def test_names_complete_after_a_bracket() -> None:
    snap = snap_of(EXPOSURE, SWITCH, PLACE)
    assert snap._ipython_key_completions_() == ["Camera", "D"]
    assert snap["D"]._ipython_key_completions_() == ["CONNECTION", "PLACE"]
    assert snap["D"]["PLACE"]._ipython_key_completions_() == ["RA", "DEC"]
