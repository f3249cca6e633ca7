"""Frames that come as base64 in the stream: rows 30 to 32 and 36 of the inputs to survive."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable

import pytest

from tests.support.scripted import Client, Peer, Running, ScriptedServer, moved

from .unix import running_client
from .wire import FRAMES, blobs, inline, member, view

CONTENT = bytes(range(256)) * 40 + b"x"
TEXT = base64.b64encode(CONTENT).decode()


@pytest.fixture
def peer(server: ScriptedServer, running: Running) -> Peer:
    return server.greet(FRAMES)


def wrapped(width: int, end: str, indent: str = "") -> str:
    return "".join(f"{indent}{line}{end}" for line in textwrap.wrap(TEXT, width))


FORMS: dict[str, str] = {
    "one line": TEXT,
    "indiserver": f"\n{TEXT}\n    ",
    "a C++ driver": wrapped(72, "\n"),
    "CRLF": wrapped(76, "\r\n"),
    "indented": wrapped(60, "\n", "\t      "),
    "odd lines": wrapped(71, "\n"),
    "no padding": TEXT.rstrip("="),
    "CDATA": f"<![CDATA[{TEXT}]]>",
    "comments": f"<!-- a > b -->{TEXT[:100]}<!-- c -->{TEXT[100:]}",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_any_wrapping_gives_the_content(running: Running, peer: Peer, text: str) -> None:
    frame = member(running.after(peer, blobs(inline("b", CONTENT, ".fits").replace(TEXT, text))))
    assert (view(frame), frame.blobsize, frame.blobformat, frame.error) == (
        CONTENT,
        len(CONTENT),
        ".fits",
        "",
    )


@pytest.mark.parametrize("step", [1, 8, 1000])
def test_a_frame_may_come_in_pieces_of_any_size(running: Running, peer: Peer, step: int) -> None:
    element = blobs(inline("b", CONTENT))
    for place in range(0, len(element), step):
        peer.send(element[place : place + step])
    assert view(member(running.after(peer, ""))) == CONTENT


@pytest.mark.parametrize(
    ("text", "size", "reason"),
    [
        ("QUJD????QUJD", 9, "illegal character"),
        ("QUJD\x01QUJD", 6, "illegal character"),
        ("QUJDRA\N{DEGREE SIGN}=", 4, "illegal character"),
        ("QUJDR", 4, "ends within a byte"),
        ("", 9, "no content"),
        ("   \n ", 9, "no content"),
    ],
)
def test_damage_is_an_error_on_its_member_alone(
    running: Running, peer: Peer, text: str, size: int, reason: str
) -> None:
    """Row 31. Half a frame does not pass for a frame."""
    left = f'<oneBLOB name="left" size="{size}" format=".x">{text}</oneBLOB>'
    snap = running.after(peer, blobs(left, inline("right", CONTENT), name="P"))
    assert member(snap, "P", "left").membervalue is None
    assert reason in member(snap, "P", "left").error
    assert (view(member(snap, "P", "right")), member(snap, "P", "right").error) == (CONTENT, "")
    assert any(reason in seen.text and "'left'" in seen.text for seen in running.seen)


def test_damage_leaves_the_frame_before(running: Running, peer: Peer) -> None:
    running.after(peer, blobs(inline("b", b"good", ".fits")))
    frame = member(running.after(peer, blobs(inline("b", b"bad", ".x").replace("YmFk", "????"))))
    assert (view(frame), frame.blobformat) == (b"good", ".fits")
    assert frame.error
    frame = member(running.after(peer, blobs(inline("b", b"good again"))))
    assert (view(frame), frame.error) == (b"good again", "")


SIZES: list[tuple[str, bytes, int, str]] = [
    ('size="10241"', CONTENT, 10241, ""),
    ('size="5"', CONTENT, 5, "10241 bytes came, 5 were announced"),
    ('size="99999"', CONTENT, 99999, "10241 bytes came, 99999 were announced"),
    ('size="999999999999999999"', CONTENT, 999999999999999999, "were announced"),
    ("", CONTENT, 10241, ""),
    ('size=""', CONTENT, 10241, ""),
    ('size="-7"', CONTENT, 10241, ""),
    ('size="many"', CONTENT, 10241, ""),
    ('size="1e3"', CONTENT, 10241, ""),
    ('size="100" len="100"', CONTENT[:100], 100, ""),
    ('size="5000" len="100"', CONTENT[:100], 5000, ""),
    ('size="10241" len="junk"', CONTENT, 10241, ""),
    ('size="10241" len="-1"', CONTENT, 10241, ""),
    ('size="10241" enclen="4"', CONTENT, 10241, ""),
]


@pytest.mark.parametrize(("attributes", "content", "size", "error"), SIZES, ids=[row[0] for row in SIZES])
def test_announced_sizes_are_not_believed_but_reported(
    running: Running, peer: Peer, attributes: str, content: bytes, size: int, error: str
) -> None:
    """Row 32: cut to ``len``, the only reliable one."""
    element = inline("b", CONTENT).replace('size="10241"', attributes)
    frame = member(running.after(peer, blobs(element)))
    assert view(frame) == content
    assert frame.blobsize == size
    assert frame.error.endswith(error)
    assert bool(frame.error) is bool(error)


def test_less_than_len_is_damage(running: Running, peer: Peer) -> None:
    frame = member(running.after(peer, blobs(inline("b", CONTENT, attributes='len="20000"'))))
    assert frame.buffer is None
    assert "10241 of 20000 bytes" in frame.error


def test_a_frame_over_the_limit_is_an_error_and_the_next_one_comes(server: ScriptedServer) -> None:
    """Row 36."""
    client = Client(server.port)
    client.limits = client.limits._replace(blob=5000)
    with running_client(client) as running:
        peer = server.greet(FRAMES)
        frame = member(running.after(peer, blobs(inline("b", CONTENT))))
        assert frame.buffer is None
        assert "limit of 5000 bytes" in frame.error
        assert view(member(running.after(peer, blobs(inline("b", b"small"))))) == b"small"


NO_FRAME = ['size="0" format=""', 'size="0" enclen="0" format=".fits"', "", 'format=".fits"']


@pytest.mark.parametrize("attributes", NO_FRAME)
def test_no_content_is_a_change_of_state_and_keeps_the_frame(
    running: Running, peer: Peer, attributes: str
) -> None:
    """Row 30: the published client took it for an error."""
    running.after(peer, blobs(inline("b", CONTENT, ".fits")))
    element = f'<oneBLOB name="b" {attributes}/>'
    snap = running.after(peer, blobs(element).replace('state="Ok"', 'state="Alert"'))
    assert snap["D"]["B"].state == "Alert"
    frame = member(snap)
    assert (view(frame), frame.blobformat, frame.blobsize, frame.error) == (
        CONTENT,
        ".fits",
        len(CONTENT),
        "",
    )


@pytest.mark.parametrize("break_off", [Peer.close, Peer.half_close, Peer.reset], ids=lambda end: end.__name__)
def test_a_frame_that_breaks_off_is_none(
    server: ScriptedServer, running: Running, peer: Peer, break_off: Callable[[Peer], None]
) -> None:
    """Row 37."""
    running.after(peer, "")
    peer.send(blobs(inline("b", CONTENT))[:-60])
    break_off(peer)
    running.wait_for("ConnectionLost")
    again = server.greet(FRAMES)
    frame = member(running.after(again, blobs(inline("b", b"next"))))
    assert view(frame) == b"next"
    assert [seen.kind for seen in running.seen].count("setBLOBVector") == 1


def test_a_frame_that_is_broken_off_by_another_element_is_dropped(running: Running, peer: Peer) -> None:
    """As when a driver dies in the middle of one."""
    snap = running.after(peer, blobs(inline("b", CONTENT))[:-60] + '<delProperty device="D" name="M"/>')
    assert member(snap).buffer is None
    assert not snap["D"]["M"].enable
    assert any("dropped" in seen.text for seen in running.seen)


def test_snapshots_keep_the_frames_of_their_moment(running: Running, peer: Peer) -> None:
    snaps = [running.after(peer, blobs(inline("b", b"frame %d" % number))) for number in range(5)]
    assert [view(member(snap)) for snap in snaps] == [b"frame %d" % number for number in range(5)]


def test_a_frame_without_a_format_or_with_an_odd_one_comes(running: Running, peer: Peer) -> None:
    """Row 34; API: refused by the published client."""
    for form in ("", "fits", "/../../x", ".FITS", "." * 50):
        frame = member(running.after(peer, blobs(inline("b", CONTENT, form))))
        assert (view(frame), frame.blobformat, frame.error) == (CONTENT, form, "")


def test_updates_before_and_after_a_large_frame_arrive_in_their_order(running: Running, peer: Peer) -> None:
    content = CONTENT * 1000
    define = (
        '<defNumberVector device="D" name="N" perm="ro"><defNumber name="x">0</defNumber></defNumberVector>'
    )
    running.after(peer, define + moved(1) + blobs(inline("b", content)) + moved(2))
    told = [(seen.kind, seen.snap["D"]["N"]["x"]) for seen in running.seen if seen.kind.startswith("set")]
    assert told == [("setNumberVector", "1"), ("setBLOBVector", "1"), ("setNumberVector", "2")]
