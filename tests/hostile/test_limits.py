"""What a server may make the client know and tell, and what happens beyond that.

The limits on one element are tested with the scanner (`tests/protocol/test_scanner.py`), where they are.
"""

from __future__ import annotations

import pytest

from indipyclient.client.throttle import Throttle, Verdict
from indipyclient.protocol import Limits
from indipyclient.syncclient import SyncClient
from tests.support.scripted import BLOB, NUMBER, TEXT, Client, Peer, Running, ScriptedServer, frame, moved

TELL, LIMIT, OUT = Verdict.TELL, Verdict.TELL_LIMIT, Verdict.LEAVE_OUT


def running(server: ScriptedServer, **limits: int) -> Running:
    client = Client(server.port)
    client.limits = Limits(**limits)
    return Running(client)


def defined(device: str, vector: str) -> str:
    return (
        f'<defTextVector device="{device}" name="{vector}" perm="rw" timeout="5">'
        f'<defText name="t">x</defText></defTextVector>'
    )


def updated(device: str, vector: str, value: str = "y") -> str:
    """An update of what was `defined`."""
    head = f'<setTextVector device="{device}" name="{vector}">'
    return head + f'<oneText name="t">{value}</oneText></setTextVector>'


def texts(seen: Running, part: str) -> list[str]:
    return [one.text for one in seen.seen if part in one.text]


# -- what is known ---------------------------------------------------------------------------


def test_devices_beyond_the_limit_are_not_taken_and_the_others_go_on(server: ScriptedServer) -> None:
    with running(server, devices=2) as client:
        peer = server.greet()
        flood = "".join(defined(f"D{number}", "T") for number in range(5))
        snap = client.after(peer, flood + updated("D0", "T") + updated("D4", "T") + defined("D1", "U"))
        assert {name: list(device) for name, device in snap.items()} == {"D0": ["T"], "D1": ["T", "U"]}
        assert snap["D0"]["T"]["t"] == "y"
        assert list(client.client) == ["D0", "D1"]  # and the live ones are the same
        refusals = texts(client, "is not taken: there are 2 already")
        assert [text.split("'")[1] for text in refusals] == ["D2", "D3", "D4"]


def test_vectors_beyond_the_limit_are_not_taken_and_the_others_go_on(server: ScriptedServer) -> None:
    with running(server, vectors=2) as client:
        peer = server.greet()
        flood = "".join(defined("D", f"T{number}") for number in range(5))
        snap = client.after(peer, flood + updated("D", "T0") + updated("D", "T4") + defined("E", "T"))
        assert {name: list(device) for name, device in snap.items()} == {"D": ["T0", "T1"], "E": ["T"]}
        assert len(texts(client, "is not taken: 'D' has 2 already")) == 3
        # what is there may be defined again, deleted or not
        snap = client.after(peer, '<delProperty device="D" name="T1"/>' + defined("D", "T1"))
        assert snap["D"]["T1"].enable


def test_a_property_with_a_name_of_its_own_each_time_takes_no_memory_without_end(
    server: ScriptedServer,
) -> None:
    """Deleted ones stay, disabled, so they count."""
    with running(server, vectors=5) as client:
        peer = server.greet()
        flood = "".join(
            defined("D", f"T{number}") + f'<delProperty device="D" name="T{number}"/>' for number in range(50)
        )
        assert list(client.after(peer, flood)["D"]) == ["T0", "T1", "T2", "T3", "T4"]


def test_the_next_connection_begins_at_nothing(server: ScriptedServer) -> None:
    with running(server, devices=1) as client:
        peer = server.greet(defined("D", "T"))
        client.wait_for("defTextVector")
        peer.close()
        assert list(client.after(server.greet(defined("E", "T")), "")) == ["E"]


# -- what is told ----------------------------------------------------------------------------


def test_at_most_so_many_are_told_in_a_second() -> None:
    throttle = Throttle()
    judged = [throttle.judge(100 + number / 10, 3) for number in range(10)]
    assert judged == [TELL, TELL, TELL, LIMIT, OUT, OUT, OUT, OUT, OUT, OUT]
    assert [throttle.judge(101, 3), throttle.judge(200, 1), throttle.judge(200, 1)] == [TELL, TELL, LIMIT]
    assert throttle.left_out == 8


def faulty(count: int) -> str:
    """Faults with good updates between them: no scanner can take them for the wake of one fault."""
    return "".join(f"<foo{number}/>" + moved(number) for number in range(count))


def test_a_flood_of_faults_is_told_in_part_and_what_is_good_whole(server: ScriptedServer) -> None:
    """All of it comes within some seconds, so it can only be told some dozens of times."""
    count = 2000
    with running(server, faults=5) as client:
        client.after(server.greet(NUMBER), faulty(count))
        told = len(texts(client, "unknown element"))
        assert 5 <= told <= 500
        assert 1 <= len(texts(client, "more than 5 faults in a second: some are left out")) <= told / 5
        assert [seen.kind for seen in client.seen].count("setNumberVector") == count


def test_a_flood_of_damaged_frames_is_told_in_part(server: ScriptedServer) -> None:
    with running(server, faults=5) as client:
        client.after(server.greet(BLOB), frame(b"abc").replace('size="3"', 'size="4"') * 500)
        assert [seen.kind for seen in client.seen].count("setBLOBVector") == 500
        assert 5 <= len(texts(client, "3 bytes came, 4 were announced")) <= 250


def test_a_flood_of_messages_is_told_in_part(server: ScriptedServer) -> None:
    """INDI 7, row 40: 100 in a second are told; these are more."""
    flood = "".join(f'<message device="D" message="number {number}"/>' for number in range(5000))
    with running(server, messages=50) as client:
        peer = server.greet(TEXT)
        peer.send(flood + moved(1) + defined("D", "LAST"))
        snap = client.wait(lambda seen: seen.event.vectorname == "LAST").snap
        assert 50 <= len(texts(client, "number ")) <= 2500
        assert texts(client, "more than 50 messages came in a second: some are left out")
        assert len(snap["D"].messages) == 8


@pytest.mark.parametrize("count", [100, 1000])
def test_what_is_no_flood_is_told_whole(server: ScriptedServer, count: int) -> None:
    flood = "".join(f'<message device="D" message="number {number}"/>' for number in range(count))
    with Running(Client(server.port)) as client:
        peer = server.greet(TEXT)
        peer.send(flood + defined("D", "LAST"))
        client.wait(lambda seen: seen.event.vectorname == "LAST")
        assert texts(client, "number ") == [f"number {number}" for number in range(count)]


# -- the synchronous client ------------------------------------------------------------------


def test_the_synchronous_client_takes_limits(server: ScriptedServer) -> None:
    with SyncClient("127.0.0.1", server.port, limits=Limits(devices=1)) as client:
        peer: Peer = server.greet(defined("D", "T") + defined("E", "T") + updated("D", "T", "last"))
        client.wait_for(lambda snap: snap["D"]["T"]["t"] == "last", timeout=20)
        assert list(client.snapshot()) == ["D"]
        peer.close()
