"""How programs written for 0.9 use `IPyClient`: what they override, assign, look at and pass in.

Written in the manner of those programs, and against the names they use; nothing here is theirs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

import indipyclient as ipc
from indipyclient.events import getProperties
from indipyclient.propertymembers import ParseException
from indipyclient.protocol import EnableBLOB, NewVector
from tests.support.scripted import ALL, BLOB, NUMBER, PATIENCE, Peer, ScriptedServer, moved

DEFINITIONS = [
    ipc.defSwitchVector,
    ipc.defTextVector,
    ipc.defNumberVector,
    ipc.defLightVector,
    ipc.defBLOBVector,
]
UPDATES = [
    ipc.setSwitchVector,
    ipc.setTextVector,
    ipc.setNumberVector,
    ipc.setLightVector,
    ipc.setBLOBVector,
]
OTHERS = [ipc.Message, ipc.delProperty, ipc.ConnectionMade, ipc.ConnectionLost, ipc.VectorTimeOut]


class Client(ipc.IPyClient):
    """Hands the events to the test, one by one."""

    def __init__(self, indihost: str = "127.0.0.1", indiport: Any = 7624, **clientdata: Any) -> None:
        super().__init__(indihost, indiport, **clientdata)
        self.events: asyncio.Queue[Any] = asyncio.Queue()

    async def rxevent(self, event: Any) -> None:
        await self.events.put(event)

    async def next(self, kind: type, **wanted: Any) -> Any:
        """The next event of a class, and with these attributes."""
        while True:
            event = await asyncio.wait_for(self.events.get(), PATIENCE)
            if isinstance(event, kind) and all(getattr(event, name) == wanted[name] for name in wanted):
                return event


@asynccontextmanager
async def running(client: ipc.IPyClient, server: ScriptedServer, definitions: str) -> AsyncIterator[Peer]:
    """Run a client as a task beside the program, and shut it down."""
    task = asyncio.create_task(client.asyncrun())
    try:
        yield await asyncio.to_thread(server.greet, definitions)
    finally:
        client.shutdown()
        await asyncio.wait_for(client.stopped.wait(), PATIENCE)
        await asyncio.gather(task, return_exceptions=True)


async def received(peer: Peer, kind: type, **wanted: Any) -> Any:
    """What the server gets next, of a class and with these attributes."""

    def fits(message: Any) -> bool:
        return isinstance(message, kind) and all(getattr(message, name) == wanted[name] for name in wanted)

    return (await asyncio.to_thread(peer.receive_until, fits))[-1]


# -- the hooks ------------------------------------------------------------------------------------


def test_events_are_told_apart_by_class(server: ScriptedServer) -> None:
    """The commonest program: print what has changed."""
    printed: list[Any] = []

    class Printer(ipc.IPyClient):
        async def rxevent(self, event: Any) -> None:
            if isinstance(event, ipc.setNumberVector):
                printed.extend(
                    (event.devicename, event.vectorname, name, value) for name, value in event.items()
                )
                printed.append(event.vector.getformattedvalue("x"))
                if "x" in event:
                    printed.append(event["x"])
                self.shutdown()

    async def main() -> None:
        client = Printer("127.0.0.1", server.port)
        async with running(client, server, ALL) as peer:
            peer.send(moved(2.5))
            await asyncio.wait_for(client.stopped.wait(), PATIENCE)

    asyncio.run(main())
    assert printed == [("D", "N", "x", "2.5"), " 2.50", "2.5"]


def test_hardware_runs_beside_the_client_until_it_stops(server: ScriptedServer) -> None:
    class Controller(Client):
        rounds = 0

        async def hardware(self) -> None:
            while not self._stop:
                await asyncio.sleep(0.005)
                self.rounds += 1
                if self.get("D") is not None and self.rounds > 3:
                    await self.send_newVector("D", "N", members={"x": 4})
                    self.shutdown()
            assert self.stop

    async def main() -> None:
        client = Controller("127.0.0.1", server.port)
        async with running(client, server, ALL) as peer:
            command = await received(peer, NewVector)
            assert [one.value for one in command.members] == ["4", "2"]
            await asyncio.wait_for(client.stopped.wait(), PATIENCE)
        assert client.rounds > 3

    asyncio.run(main())


def test_item_ids_are_the_programs_own(server: ScriptedServer) -> None:
    class Numbered(Client):
        def create_itemid(
            self, devicename: str = "", vectorname: str = "", membername: str = "", **kwargs: Any
        ) -> Any:
            return "/".join(filter(None, (devicename, vectorname, membername)))

    async def main() -> None:
        client = Numbered("127.0.0.1", server.port)
        async with running(client, server, NUMBER):
            event = await client.next(ipc.defNumberVector)
            assert [event.device.itemid, event.vector.itemid, event.vector.member("x").itemid] == (
                ["D", "D/N", "D/N/x"]
            )
            assert client.snapshot()["D"].dictdump(inc_itemid=True)["vectors"]["N"]["itemid"] == "D/N"

    asyncio.run(main())


def test_names_that_0_9_did_not_have_may_be_the_programs_own(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Observatory(Client):
        def __init__(self) -> None:
            self.timing = 5.0
            super().__init__("127.0.0.1", server.port)
            self.limits = {"altitude": 15}

        def command(self) -> None:  # type: ignore[override]
            """Of the program."""

    async def main() -> None:
        client = Observatory()
        client.set_vector_timeouts(timeout_max=20)
        async with running(client, server, NUMBER) as peer:
            await client.next(ipc.defNumberVector)
            await client.send_newVector("D", "N", members={"x": 3})
            await received(peer, NewVector)
            peer.send('<message message="hello"/>' + moved(4))
            assert (await client.next(ipc.setNumberVector))["x"] == "4"
        assert (client.timing, client.limits, client.idle_timeout) == (5.0, {"altitude": 15}, 40)
        assert "limits is no Limits" in caplog.text  # who meant to set them is told

    asyncio.run(main())


def test_whatever_else_is_given_to_the_client_is_kept_for_the_program() -> None:
    client = Client("127.0.0.1", 7624, rxque="mine", anything=[1])
    client.clientdata["devicesc"] = "added"
    assert client.clientdata == {"rxque": "mine", "anything": [1], "devicesc": "added"}


def test_host_and_port_under_names_of_their_own_are_client_data() -> None:
    class Manager(ipc.IPyClient):
        def __init__(self, host: str, port: int) -> None:
            super().__init__(host=host, port=port)

    client = Manager("observatory", 7625)
    assert client.clientdata == {"host": "observatory", "port": 7625}
    assert (client.indihost, client.indiport) == ("localhost", 7624)


def test_the_port_may_be_a_text(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", str(server.port))
        async with running(client, server, ALL):
            await client.next(ipc.ConnectionMade)
            assert (client.indiport, client.snapshot().indiport) == (str(server.port), server.port)
            assert client.messages[-1][1] == f"Connected to 127.0.0.1:{server.port}"

    asyncio.run(main())


def test_no_loop_is_needed_to_make_a_client() -> None:
    client = Client()
    assert (client.connected, client.stop, len(client), client.snapshot().connected) == (
        False,
        False,
        0,
        False,
    )
    client.shutdown()


# -- running and ending -----------------------------------------------------------------------------


def test_cancelling_the_task_ends_the_client(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        task = asyncio.create_task(client.asyncrun())
        await asyncio.to_thread(server.greet, ALL)
        await client.next(ipc.defNumberVector)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await client.next(ipc.ConnectionLost), ipc.ConnectionLost)
        assert client.stopped.is_set()
        assert not client.connected

    asyncio.run(main())


def test_the_client_is_gathered_with_the_programs_own_work(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)

        async def work() -> str:
            event = await client.next(ipc.defNumberVector)
            client.shutdown()
            await client.stopped.wait()
            return str(event.vectorname)

        _, name, _ = await asyncio.gather(client.asyncrun(), work(), asyncio.to_thread(server.greet, ALL))
        assert name == "N"

    asyncio.run(main())


def test_a_mistake_in_rxevent_ends_nothing(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    """A time-out is no container, so asking it for a member is a mistake that was made."""
    faults: list[TypeError] = []

    class Lamp(Client):
        async def rxevent(self, event: Any) -> None:
            await super().rxevent(event)
            if event.vectorname == "N":
                try:
                    print("x" in event, end="")
                except TypeError as fault:
                    faults.append(fault)
                    raise

    async def main() -> None:
        client = Lamp("127.0.0.1", server.port)
        client.vector_timeout_min = client.vector_timeout_max = 0.01
        async with running(client, server, NUMBER) as peer:
            await client.next(ipc.defNumberVector)
            await client.send_newVector("D", "N", members={"x": 3})
            await client.next(ipc.VectorTimeOut)
            peer.send(moved(3))
            assert (await client.next(ipc.setNumberVector))["x"] == "3"
            assert client.connected

    with caplog.at_level(logging.CRITICAL, "indipyclient"):
        asyncio.run(main())
    assert len(faults) == 1


def test_nothing_is_printed_and_the_log_can_be_turned_down(
    server: ScriptedServer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        async with running(client, server, ALL):
            await client.warning("careful")
            await client.next(ipc.Message, message="careful")

    logger = logging.getLogger("indipyclient")
    logger.setLevel("ERROR")
    try:
        asyncio.run(main())
    finally:
        logger.setLevel(logging.NOTSET)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert logging.getLogger("indipyclient.ipyclient") is ipc.ipyclient.logger


# -- what programs look at ----------------------------------------------------------------------------


def test_everything_is_reached_through_data(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        async with running(client, server, ALL) as peer:
            peer.send(moved(2.5))
            event = await client.next(ipc.setNumberVector)
            assert event.data == {"x": "2.5"}
            assert client.data.get("D").data.get("N").data["x"].min == "0"  # type: ignore[union-attr]
            assert client.data["D"].data.get("unknown") is None
            assert client["D"]["N"]["x"] == "2.5"
            assert sorted(client["D"].data) == sorted(client["D"]) == ["B", "L", "N", "R", "S", "T"]
            assert [vector.vectortype for vector in client["D"].values()][:2] == [
                "TextVector",
                "NumberVector",
            ]

    asyncio.run(main())


def test_events_are_told_apart_by_what_they_have(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        client.vector_timeout_min = client.vector_timeout_max = 0.01
        async with running(client, server, NUMBER) as peer:
            defined = await client.next(ipc.defNumberVector)
            await client.send_newVector("D", "N", members={"x": 3})
            late = await client.next(ipc.VectorTimeOut)
            peer.send('<getProperties version="1.7" device="D" name="N"/><delProperty device="D"/>')
            asked = await client.next(getProperties)
            gone = await client.next(ipc.delProperty)
        has = [(hasattr(event, "state"), hasattr(event, "message")) for event in (defined, late, asked, gone)]
        assert has == [(True, True), (False, False), (False, False), (False, True)]
        assert (late.vector.name, late.device.devicename, late.eventtype) == ("N", "D", "TimeOut")
        assert (gone.vectorname, gone.eventtype) == (None, "Delete")

    asyncio.run(main())


@pytest.mark.parametrize("kind", [*DEFINITIONS, *UPDATES, *OTHERS])
def test_a_mock_of_an_event_passes_for_it(kind: Any) -> None:
    """Programs test their own ``rxevent`` so."""
    event = MagicMock(spec=kind)
    event.devicename, event.vectorname = "D", "N"
    event.data = {"x": "1"}
    assert [other for other in (*DEFINITIONS, *UPDATES, *OTHERS) if isinstance(event, other)] == [kind]


@pytest.mark.parametrize("kinds", [DEFINITIONS, UPDATES])
def test_no_event_passes_for_another(kinds: list[type]) -> None:
    assert [
        (one, other) for one in kinds for other in kinds if issubclass(one, other) and one is not other
    ] == []


# -- what programs assign and do ------------------------------------------------------------------


def test_a_screen_assigns_to_what_it_shows(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        async with running(client, server, ALL) as peer:
            vector = (await client.next(ipc.defNumberVector)).vector
            now = datetime.now(timezone.utc)
            vector.state, vector.timestamp, vector.user_string = "Busy", now, "row 7"
            vector.member("x").user_string = "column 3"
            client["D"].messages.appendleft((now, "you did that"))
            shown = client.snapshot()["D"]
            assert (shown["N"].state, shown["N"].timestamp, shown["N"].user_string) == ("Busy", now, "row 7")
            assert shown["N"].member("x").user_string == "column 3"
            assert shown.messages[0] == (now, "you did that")
            peer.send(moved(2))
            assert (await client.next(ipc.setNumberVector)).vector.state == "Ok"
            assert vector.user_string == "row 7"

    asyncio.run(main())


def test_a_screen_takes_the_messages_away_as_it_shows_them(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        async with running(client, server, NUMBER) as peer:
            peer.send('<message device="D" message="first"/><message device="D" message="second"/>')
            await client.next(ipc.Message, message="second")
            log = client["D"].messages
            assert [log.pop()[1], log.popleft()[1], len(log)] == ["first", "second", 0]
            now = datetime.now(timezone.utc)
            for number in range(10):
                log.append((now, str(number)))
            assert [text for _, text in client["D"].messages] == [str(number) for number in range(2, 10)]
            log[0] = (now, "changed")
            del log[1]
            log.insert(1, (now, "between"))
            assert [text for _, text in client.snapshot()["D"].messages[:3]] == ["changed", "between", "4"]
            log.clear()
            assert not client.snapshot()["D"].messages

    asyncio.run(main())


def test_values_that_make_no_sense_cannot_be_assigned(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        async with running(client, server, ALL):
            device = (await client.next(ipc.defTextVector, vectorname="R")).device
            for node, attribute in (
                (device["N"], "state"),
                (device["N"], "perm"),
                (device["S"], "rule"),
                (device["N"].member("x"), "membervalue"),
                (device["S"].member("a"), "membervalue"),
                (device["L"].member("l"), "membervalue"),
            ):
                with pytest.raises(ParseException):
                    setattr(node, attribute, "odd")
            device["N"].member("x").membervalue = 7
            assert device["N"]["x"] == "7"
            device["B"].set_blobsize("b", 5)
            device["B"].set_blobformat("b", ".fits")
            device["B"].set_blobsize("unknown", 5)
            assert (device["B"].member("b").blobsize, device["B"].member("b").blobformat) == (5, ".fits")

    asyncio.run(main())


def test_vectors_are_commanded_themselves(server: ScriptedServer) -> None:
    commands: dict[str, Callable[[Any], Any]] = {
        "S": lambda device: device["S"].send_newSwitchVector(members={"b": "On"}),
        "T": lambda device: device["T"].send_newTextVector(members={"t": "top"}),
        "N": lambda device: device["N"].send_newNumberVector(members={"x": "2.5"}),
        "B": lambda device: device["B"].send_newBLOBVector(members={"b": (b"abc", 0, ".txt")}),
    }

    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        async with running(client, server, ALL) as peer:
            device = (await client.next(ipc.defTextVector, vectorname="R")).device
            for name, command in commands.items():
                await command(device)
                assert (await received(peer, NewVector)).name == name
                assert device[name].state == "Busy"

    asyncio.run(main())


def test_frames_are_chosen_in_the_constructor_of_a_subclass(server: ScriptedServer) -> None:
    class Camera(Client):
        def __init__(self, port: int) -> None:
            super().__init__("127.0.0.1", port)
            self.enableBLOBdefault = "Also"

    async def main() -> None:
        async with running(Camera(server.port), server, BLOB) as peer:
            assert await received(peer, EnableBLOB) == EnableBLOB("Also", "D", "B")

    asyncio.run(main())


def test_frames_are_chosen_by_the_program_for_each_definition(server: ScriptedServer) -> None:
    class Camera(Client):
        async def rxevent(self, event: Any) -> None:
            if isinstance(event, ipc.defBLOBVector):
                await self.send_enableBLOB("Also", event.devicename, event.vectorname)
                await self.resend_enableBLOB(event.devicename, event.vectorname)

    async def main() -> None:
        client = Camera("127.0.0.1", server.port)
        client.resend_enableBLOB_on_def = False
        async with running(client, server, BLOB) as peer:
            sent = [await received(peer, EnableBLOB) for _ in range(2)]
            assert sent == [EnableBLOB("Also", "D", "B")] * 2

    asyncio.run(main())


def test_frames_are_found_in_the_folder_by_their_member(server: ScriptedServer, tmp_path: Path) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        client.BLOBfolder = tmp_path
        async with running(client, server, BLOB) as peer:
            one = '<oneBLOB name="b" size="3" format=".fits">YWJj</oneBLOB>'
            peer.send(f'<setBLOBVector device="D" name="B" state="Ok">{one}</setBLOBVector>')
            event = await client.next(ipc.setBLOBVector)
            assert (event["b"], event.sizeformat) == (b"abc", {"b": (3, ".fits")})
            assert (client.BLOBfolder / event.vector.member("b").filename).read_bytes() == b"abc"

    asyncio.run(main())


def test_a_program_makes_events_of_its_own(server: ScriptedServer) -> None:
    class Watch(Client):
        async def rxevent(self, event: Any) -> None:
            await super().rxevent(event)
            if isinstance(event, ipc.setNumberVector) and event.vector.getfloatvalue("x") > 9:
                await event.vector.create_clientevent("TooFar", limit=9)

    async def main() -> None:
        client = Watch("127.0.0.1", server.port)
        async with running(client, server, NUMBER) as peer:
            peer.send(moved(9.5))
            event = await client.next(ipc.ClientEvent)
            assert (event.eventtype, event.payload, event["x"]) == ("TooFar", {"limit": 9}, "9.5")
            event["x"] = "changed"
            assert event["x"] == "changed"

    asyncio.run(main())


def test_texts_are_attached_before_what_they_belong_to_is_known(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        client.set_user_string("D", "N", "x", "dial")
        async with running(client, server, NUMBER):
            event = await client.next(ipc.defNumberVector)
            assert event.vector.member("x").user_string == "dial"
            assert client.get_user_string("D", "N", "x") == "dial"
            assert client.snapshot()["D"]["N"].member("x").user_string == "dial"

    asyncio.run(main())


def test_numbers_are_shown_and_checked_by_their_member(server: ScriptedServer) -> None:
    async def main() -> None:
        client = Client("127.0.0.1", server.port)
        async with running(client, server, NUMBER):
            member = (await client.next(ipc.defNumberVector)).vector.member("x")
            low, high = ipc.getfloat(member.min), ipc.getfloat(member.max)
            assert low <= member.getfloat("2:30") == 2.5 <= high
            assert member.getformattedstring("2:30") == " 2.50"
            assert (member.step, member.format) == ("1", "%5.2f")

    asyncio.run(main())
