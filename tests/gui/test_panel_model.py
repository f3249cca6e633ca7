"""What the panels show, kept without a toolkit; fed here with what a client makes of a server's words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from indipyclient.gui.batches import Batches
from indipyclient.protocol import EnableBLOB, NewVector, OneMember
from tests.support.deadline import becomes_true
from tests.support.scripted import ALL, BLOB, NUMBER, SWITCH, ScriptedServer, moved

PATIENCE = 20.0
EXPOSURE = (
    '<defNumberVector device="D" name="CCD_EXPOSURE" state="Idle" perm="rw">'
    '<defNumber name="CCD_EXPOSURE_VALUE" format="%5.2f" min="0" max="3600" step="1">0</defNumber>'
    "</defNumberVector>"
)


def exposing(left: float, state: str) -> str:
    return (
        f'<setNumberVector device="D" name="CCD_EXPOSURE" state="{state}">'
        f'<oneNumber name="CCD_EXPOSURE_VALUE">{left}</oneNumber></setNumberVector>'
    )


class Desk:
    """A panel, its client and its server, each of which does something only when the test says so."""

    def __init__(self, definitions: str) -> None:
        import panel_model

        self.model = panel_model
        self.server = ScriptedServer()
        self.observatory = panel_model.Observatory("127.0.0.1", self.server.port)
        self.panel = panel_model.Panel(self.observatory.commands)
        self._batches = Batches(self.observatory.events, self.panel.update, 1000)
        self.rows: dict[tuple[str, ...], Any] = {}
        self.peer = self.server.greet(definitions)

    def close(self) -> None:
        self.observatory.close()
        self.server.__exit__()

    def turn(self) -> None:
        """What a window does now and then."""
        self._batches.turn()
        for row in self.panel.rows():
            if row.gone:
                self.rows = {key: old for key, old in self.rows.items() if not belongs(key, row.key)}
            else:
                assert row.parent is None or row.parent in self.rows, row
                self.rows[row.key] = row

    def until(self, holds: Callable[[], Any]) -> None:
        def look() -> bool:
            self.turn()
            return bool(holds())

        assert becomes_true(look, PATIENCE), (self.rows, self.panel.outcomes)

    def receive(self) -> NewVector:
        """The next command that the server gets."""
        while not isinstance(message := self.peer.receive(), NewVector):
            pass
        return message


def belongs(key: tuple[str, ...], gone: tuple[str, ...]) -> bool:
    """Whether a row goes with another one, as a tree removes what is below."""
    below = {"device": 1, "vector": 2, "member": 3}
    return key == gone or (gone[0] in below and key[1 : 1 + below[gone[0]]] == gone[1:] and key[0] != "group")


@pytest.fixture
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    desk = Desk(getattr(request, "param", ALL))
    try:
        yield desk
    finally:
        desk.close()


# -- rows ----------------------------------------------------------------------------------------


def test_the_rows_are_those_of_the_server_in_its_order(desk: Desk) -> None:
    desk.until(lambda: ("vector", "D", "R") in desk.rows)
    assert [key[2] for key in desk.rows if key[0] == "vector"] == ["T", "N", "S", "L", "B", "R"]
    assert desk.rows["device", "D"].label == "D"
    assert desk.rows["vector", "D", "N"][2:5] == ("Place", "1.00   2.00", "Ok")
    assert desk.rows["member", "D", "T", "t"][2:4] == ("Name", "hill")
    assert desk.rows["member", "D", "S", "b"][2:4] == ("b", "Off")
    assert ("member", "D", "L", "l") not in desk.rows  # the only one: its value is that of the vector


def test_only_rows_that_changed_come_again(desk: Desk) -> None:
    desk.until(lambda: ("vector", "D", "R") in desk.rows)
    desk.rows.clear()
    desk.rows |= dict.fromkeys([("device", "D"), ("group", "D", "G"), ("vector", "D", "N")])
    desk.peer.send(moved(7))
    desk.until(lambda: ("member", "D", "N", "x") in desk.rows)
    changed = {key for key, row in desk.rows.items() if row is not None}
    assert changed == {("vector", "D", "N"), ("member", "D", "N", "x")}


def test_rows_left_for_later_show_the_newest_value(desk: Desk) -> None:
    desk.until(lambda: ("vector", "D", "R") in desk.rows)
    desk.peer.send(moved(3))
    desk.until(lambda: desk.panel.vector("D", "N")["x"] == "3")
    panel = desk.panel
    seen = desk.rows["vector", "D", "N"].value.split()[0]
    desk.peer.send(moved(4) + moved(5))
    while panel.vector("D", "N")["x"] != "5":
        desk._batches.turn()  # the window has no time for rows
    rows = list(panel.rows())
    assert seen == "3.00"
    assert [row.value for row in rows if row.key == ("member", "D", "N", "x")] == ["5.00"]
    assert list(panel.rows()) == []


@pytest.mark.parametrize(
    ("deletion", "left"),
    [
        ('<delProperty device="D" name="N"/>', {"T", "S", "L", "B", "R"}),
        ('<delProperty device="D"/>', set()),
    ],
)
def test_what_the_server_deletes_goes_and_comes_back_when_it_is_defined_again(
    desk: Desk, deletion: str, left: set[str]
) -> None:
    def vectors() -> set[str]:
        return {key[2] for key in desk.rows if key[0] == "vector"}

    desk.until(lambda: len(vectors()) == 6)
    desk.peer.send(deletion)
    desk.until(lambda: vectors() == left)
    assert (("device", "D") in desk.rows) == bool(left)
    desk.peer.send(NUMBER)
    desk.until(lambda: vectors() == left | {"N"})
    assert desk.rows["member", "D", "N", "x"].value == "1.00"


# -- what becomes of a command ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        (moved(5), "Ok", ""),
        (moved(5, 'state="Idle"'), "Ok", ""),
        (moved(5, 'state="Ok" message="arrived"'), "Ok", "arrived"),
        (moved(5, 'state="Alert" message="in the way"'), "Alert", "in the way"),
    ],
)
def test_a_command_ends_with_the_answer_of_the_device(desk: Desk, answer: str, state: str, text: str) -> None:
    desk.until(lambda: desk.panel.vector("D", "N"))
    outcome = desk.panel.send("D", "N", {"x": 5})
    assert (outcome.state, outcome.done) == ("sending", False)
    desk.until(lambda: outcome.state == "Busy")
    assert desk.receive().name == "N"
    desk.peer.send(moved(1, 'state="Busy" message="on the way"'))
    desk.until(lambda: outcome.text == "on the way")
    assert not outcome.done
    desk.peer.send(answer)
    desk.until(lambda: outcome.done)
    assert outcome.state == state
    assert outcome.text == (text or "on the way")


def test_commands_that_are_refused_say_why_and_each_its_own_reason(desk: Desk) -> None:
    desk.until(lambda: desk.panel.vector("D", "R"))
    sent = [desk.panel.send("D", *one) for one in (("N", {"x": "far"}), ("N", {"x": 6}), ("R", {"r": "no"}))]
    desk.until(lambda: sent[0].done and sent[1].state == "Busy" and sent[2].done)
    assert [outcome.state for outcome in sent] == ["refused", "Busy", "refused"]
    assert "far" in sent[0].text
    assert "read-only" in sent[2].text
    assert desk.receive().members[0].value == "6"
    many = {f"m{number}": number for number in range(9)}  # more than the client shows
    outcome = desk.panel.send("D", "N", many)
    desk.until(lambda: outcome.done)
    assert "m0" in outcome.text


def test_a_command_that_is_not_answered_in_time_says_so(desk: Desk) -> None:
    desk.peer.send(NUMBER.replace('timeout="5"', 'timeout="0.1"').replace('name="N"', 'name="SOON"'))
    desk.until(lambda: desk.panel.vector("D", "SOON"))
    outcome = desk.panel.send("D", "SOON", {"x": 5})
    desk.until(lambda: outcome.done)
    assert outcome.state == "TimeOut"


def test_a_connection_that_is_lost_ends_commands_and_exposures(desk: Desk) -> None:
    desk.peer.send(EXPOSURE)
    desk.until(lambda: desk.panel.cameras() == ["D"])
    outcome = desk.panel.expose("D", 100)
    desk.until(lambda: outcome.state == "Busy")
    assert desk.panel.exposures["D"].busy
    desk.server.refuse()  # or the client might be back before anybody has looked
    desk.peer.reset()
    desk.until(lambda: outcome.done)
    assert (outcome.state, desk.panel.connection, desk.panel.losses) == ("lost", "lost", 1)
    assert desk.panel.exposures == {}
    desk.until(lambda: desk.rows == {})
    desk.server.listen()
    desk.server.greet(NUMBER)
    desk.until(lambda: desk.panel.connection == "connected" and ("vector", "D", "N") in desk.rows)


# -- exposures, messages, the plot, frames ---------------------------------------------------


@pytest.mark.parametrize("desk", [EXPOSURE], indirect=True)
def test_the_countdown_of_an_exposure_is_its_progress(desk: Desk) -> None:
    desk.until(lambda: desk.panel.cameras())
    outcome = desk.panel.expose("D", 1000)
    exposure = desk.panel.exposures["D"]
    assert 0 <= exposure.fraction < 0.05
    assert desk.receive().name == "CCD_EXPOSURE"
    for left, least in ((750, 0.25), (100, 0.9)):
        desk.peer.send(exposing(left, "Busy"))
        desk.until(lambda least=least: exposure.fraction >= least)
        assert exposure.fraction < least + 0.05
    assert not outcome.done
    desk.peer.send(exposing(0, "Ok"))
    desk.until(lambda: outcome.state == "Ok")
    assert (exposure.busy, exposure.fraction, exposure.left) == (False, 0, 0)


@pytest.mark.parametrize("desk", [EXPOSURE], indirect=True)
def test_an_exposure_that_somebody_else_began_is_followed_too(desk: Desk) -> None:
    desk.until(lambda: desk.panel.cameras())
    desk.peer.send(exposing(400, "Busy") + exposing(100, "Busy"))
    desk.until(lambda: desk.panel.exposures["D"].fraction >= 0.75)
    assert desk.panel.exposures["D"].total == 400


def test_messages_tell_who_said_what_and_each_once(desk: Desk) -> None:
    desk.until(lambda: desk.panel.vector("D", "R"))
    desk.panel.take_messages()
    desk.peer.send(
        '<message device="D" message="clouds"/>' + moved(2, 'state="Ok" message="moved"') + moved(3)
    )
    lines: list[tuple[str, str]] = []

    def said() -> bool:
        lines.extend(line[1:] for line in desk.panel.take_messages())
        return desk.panel.vector("D", "N")["x"] == "3"

    desk.until(said)
    assert lines == [("D", "clouds"), ("D", "moved")]


def test_the_history_follows_the_first_number_that_changes_until_one_is_chosen(desk: Desk) -> None:
    history = desk.panel.history
    desk.peer.send(moved(4))
    desk.until(lambda: history.key)
    assert (history.key, history.label, history.points[-1][1]) == (("D", "N", "x"), "D: X", 4)
    vector = desk.panel.vector("D", "N")
    history.choose(vector, vector.member("y"))
    assert [value for _, value in history.points] == [2]
    desk.peer.send(moved(5))
    desk.until(lambda: len(history.points) == 2)
    assert [value for _, value in history.points] == [2, 2]


def test_a_history_keeps_one_point_for_each_tenth_of_a_second_and_the_last_value(desk: Desk) -> None:
    began = time.monotonic()
    desk.peer.send("".join(moved(number % 10) for number in range(2000)) + moved(9.5))
    history = desk.panel.history
    desk.until(lambda: history.points and history.points[-1][1] == 9.5)
    assert len(history.points) < (time.monotonic() - began) / history.GRAIN + 3


def test_choosing_a_row_plots_its_number_and_finds_what_to_edit(desk: Desk) -> None:
    panel = desk.panel
    desk.until(lambda: panel.vector("D", "B"))
    assert panel.choose(("vector", "D", "S")) == ("D", "S")
    assert panel.history.key is None
    assert panel.choose(("vector", "D", "N")) == ("D", "N")
    assert panel.history.key == ("D", "N", "x")
    assert panel.choose(("member", "D", "N", "y")) == ("D", "N")
    assert panel.history.key == ("D", "N", "y")
    assert panel.choose(("device", "D")) is panel.choose(("group", "D", "")) is None
    desk.peer.send(SWITCH.replace('"S"', '"CONNECTION"'))
    desk.until(lambda: panel.vector("D", "CONNECTION"))
    assert panel.choose(("device", "D")) == ("D", "CONNECTION")


def test_a_switch_that_is_pressed_goes_the_other_way_or_on(desk: Desk) -> None:
    many = SWITCH.replace('"S"', '"M"').replace("OneOfMany", "AnyOfMany")
    desk.peer.send(many)
    desk.until(lambda: desk.panel.vector("D", "M"))
    for vector, switch, value in (("S", "a", "On"), ("S", "b", "On"), ("M", "a", "Off"), ("M", "b", "On")):
        desk.panel.toggle("D", vector, switch)
        command = desk.receive()
        assert (command.name, command.members) == (vector, (OneMember(switch, value),))
    desk.panel.toggle("D", "gone", "a")  # it went as it was pressed


@pytest.mark.parametrize("desk", [BLOB], indirect=True)
def test_frames_are_asked_for_where_there_are_any(desk: Desk) -> None:
    desk.until(lambda: desk.panel.vector("D", "B"))
    wanted = EnableBLOB("Also", "D", "B")
    assert desk.peer.receive_until(lambda message: message == wanted)


def test_the_picture_of_a_frame_is_stretched_and_fills_the_view() -> None:
    import panel_model

    ramp = np.arange(100 * 200, dtype=np.uint16).reshape(100, 200)
    assert panel_model.fitted(ramp, (400, 400)).shape == (200, 400)
    assert panel_model.fitted(ramp, (50, 400)).shape == (25, 50)
    assert (panel_model.fitted(ramp, (400, 200))[::2, ::2] == ramp).all()
    pixels, low, high = panel_model.stretched(ramp, "Full range")
    assert (pixels.min(), pixels.max(), low, high) == (0, 255, 0, 19999)
    assert abs(int(np.median(pixels)) - 127) <= 1
    for stretch in panel_model.STRETCHES:
        pixels, _, _ = panel_model.stretched(ramp, stretch)
        assert (np.diff(pixels.ravel().astype(int)) >= 0).all()
    flat, _, _ = panel_model.stretched(np.full((4, 4), 7), "Linear")
    assert flat.shape == (4, 4)


def test_a_frame_that_cannot_be_read_does_not_end_the_darkroom() -> None:
    import panel_model

    class Member:
        name, blobformat, buffer = "CCD1", ".bin", b"1234"

        def __init__(self, array: Any) -> None:
            self._array = array

        def array(self) -> Any:
            if self._array is None:
                raise ValueError("torn")
            return self._array

    darkroom = panel_model.Darkroom()
    try:
        darkroom.develop("D", Member(None))
        picture = darkroom.pictures.get(timeout=PATIENCE)
        assert (picture.pixels, picture.text) == (None, "CCD1 cannot be shown: torn")
        darkroom.develop("D", Member(np.eye(4)))
        assert darkroom.pictures.get(timeout=PATIENCE).pixels.max() == 255
    finally:
        darkroom.close()
