"""Much at once, at random moments: nothing is lost, nothing comes twice, the order holds."""

from __future__ import annotations

import asyncio
import contextlib
import random
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from indipyclient.errors import MailboxClosed, WaitTimeout
from indipyclient.mailbox import Mailbox
from indipyclient.protocol import Message, NewVector
from indipyclient.protocol.messages import OneMember
from tests.support.scripted import NUMBER, Peer, ScriptedServer, moved

from .bridged import KINDS, Bridged
from .threads import start

WATCHDOG = 60.0
pytestmark = pytest.mark.timeout(WATCHDOG)

PRODUCERS = 4
Item = tuple[int, int]  # who put it, and which of theirs it is


@pytest.fixture(autouse=True)
def threads_change_often() -> Iterator[None]:
    """The interpreter goes from thread to thread after 50 us instead of 5 ms: many more ways to meet."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(50e-6)
    yield
    sys.setswitchinterval(before)


def _nap(dice: random.Random) -> None:
    if dice.random() < 0.1:
        time.sleep(dice.random() ** 8 * 1e-3)  # most of them very short, a few long


def _produce(box: Mailbox[Item], each: int) -> Callable[[], None]:
    """What puts `each` items from each of the producers, and then closes the mailbox."""

    def produce(who: int) -> None:
        dice = random.Random(who)
        for number in range(each):
            box.put((who, number))
            _nap(dice)

    def produce_all() -> None:
        producing = [start(lambda who=who: produce(who)) for who in range(PRODUCERS)]  # type: ignore[misc]
        for one in producing:
            one.result(WATCHDOG)
        box.close()

    return produce_all


class Consumer:
    """Takes everything, by ways chosen at random from those it is given."""

    def __init__(self, box: Mailbox[Item], *ways: str) -> None:
        self.taken: list[Item] = []
        self._box = box
        self._ways = [getattr(self, way) for way in ways]
        self._dice = random.Random(99)
        self._called = threading.Event()
        box.set_hook(self._called.set)
        box.fileno()

    def run(self) -> list[Item]:
        while not (self._box.closed and not len(self._box)):
            self._dice.choice(self._ways)()
            _nap(self._dice)
        return self.taken

    def get(self) -> None:
        with contextlib.suppress(WaitTimeout, MailboxClosed):
            self.taken.append(self._box.get(self._dice.choice([None, 0, 1e-4])))

    def iterate(self) -> None:
        for item in self._box:
            self.taken.append(item)
            if self._dice.random() < 0.1:
                break

    def drain(self) -> None:
        self.taken += self._box.drain()

    def watch(self) -> None:
        """More comes until the close, so a descriptor that is not readable is a lost wake-up."""
        assert select.select([self._box], [], [], WATCHDOG)[0]
        self.drain()

    def be_called(self) -> None:
        """Likewise: with nothing there, a hook that is not called is a lost wake-up."""
        self._called.clear()
        items = self._box.drain()
        self.taken += items
        if not items:
            assert self._called.wait(WATCHDOG)

    def iterate_async(self) -> None:
        async def take() -> None:
            async for item in self._box:
                self.taken.append(item)
                if self._dice.random() < 0.01:
                    break

        asyncio.run(take())


def _assert_complete(taken: list[Item], each: int) -> None:
    for who in range(PRODUCERS):
        assert [number for producer, number in taken if producer == who] == list(range(each))


def test_a_hundred_thousand_items_come_through_every_way_at_once() -> None:
    """GUI 8, row 1."""
    box = Mailbox[Item]()
    consumer = Consumer(box, "get", "iterate", "drain", "watch", "be_called")
    producing = start(_produce(box, 25_000))
    _assert_complete(consumer.run(), 25_000)
    producing.result(WATCHDOG)


@pytest.mark.parametrize("way", ["get", "iterate", "drain", "watch", "be_called", "iterate_async"])
def test_items_come_through_each_way_alone(way: str) -> None:
    """GUI 8, row 1."""
    box = Mailbox[Item]()
    producing = start(_produce(box, 2_500))
    _assert_complete(Consumer(box, way).run(), 2_500)
    producing.result(WATCHDOG)


@pytest.mark.parametrize("keep", [1, 10])
def test_what_a_bounded_mailbox_drops_is_counted_and_the_rest_in_order(keep: int) -> None:
    box = Mailbox[Item](keep)
    producing = start(_produce(box, 2_500))
    taken = Consumer(box, "get", "drain", "watch", "be_called").run()
    producing.result(WATCHDOG)
    assert len(taken) + box.dropped == PRODUCERS * 2_500
    assert taken[-1] == box.latest
    for who in range(PRODUCERS):
        mine = [number for producer, number in taken if producer == who]
        assert mine == sorted(set(mine))


# -- the client, end to end -------------------------------------------------------------------


def _flood(peer: Peer, count: int) -> Callable[[], None]:
    def flood() -> None:
        dice = random.Random(count)
        for first in range(0, count, 50):
            peer.send("".join(map(moved, range(first, min(first + 50, count)))))
            if dice.random() < 0.1:
                time.sleep(dice.random() * 2e-3)

    return flood


def _x(command: Message) -> float:
    """The number that was commanded."""
    assert isinstance(command, NewVector)
    member = command.members[0]
    assert isinstance(member, OneMember)
    return float(member.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_comes_whole_and_in_order_to_a_slow_program(server: ScriptedServer, kind: str) -> None:
    """The queue takes 200 at most, so all goes through the backlog too."""
    count, dice = 1_500, random.Random(kind)
    with Bridged(server.port, rx=KINDS[kind](), rxque_limit=200, backlog_limit=count) as bridged:
        peer = server.greet(NUMBER)
        bridged.wait_for("Define")
        flooding = start(_flood(peer, count))
        seen: list[float] = []
        while len(seen) < count:
            item = bridged.wait_for("Set")
            seen.append(item.snapshot["D"]["N"].getfloatvalue("x"))
            _nap(dice)
        flooding.result(WATCHDOG)
        assert seen == list(range(count))
        assert bridged.client.backlog.folded == 0


@pytest.mark.parametrize("kind", KINDS)
def test_many_commands_arrive_whole_and_in_order(server: ScriptedServer, kind: str) -> None:
    count, dice = 300, random.Random(kind)
    with Bridged(server.port, tx=KINDS[kind]()) as bridged:
        peer = server.greet(NUMBER)
        bridged.wait_for("Define")

        def command() -> None:
            for number in range(count):
                bridged.put(("D", "T", {"t": "x"}) if number % 50 == 25 else ("D", "N", {"x": number / 1000}))
                _nap(dice)

        commanding = start(command)
        arrived = [peer.receive() for _ in range(count - count // 50)]
        commanding.result(WATCHDOG)
    values = [_x(message) for message in arrived]
    assert values == [number / 1000 for number in range(count) if number % 50 != 25]


@pytest.mark.parametrize("kind", KINDS)
def test_commands_and_updates_do_not_hold_each_other_up(server: ScriptedServer, kind: str) -> None:
    """Each command is sent at once, in the middle of a flood of updates that nobody reads."""
    count = 100
    with Bridged(server.port, tx=KINDS[kind](), rxque_limit=100, backlog_limit=100) as bridged:
        peer = server.greet(NUMBER)
        bridged.wait_for("Define")
        flooding = start(_flood(peer, 3_000))
        for number in range(count):
            bridged.put(("D", "N", {"x": number / 100}))
            assert _x(peer.receive()) == number / 100
        flooding.result(WATCHDOG)
