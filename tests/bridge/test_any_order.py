"""Whatever is put, taken, drained and closed in whatever order: compared with a model at each step.

Here all is done by one thread; what threads do to each other is in `test_stress`.
"""

from __future__ import annotations

import queue
import select
from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from indipyclient.bridge.backlog import Backlog, EventItem
from indipyclient.bridge.sink import Sink
from indipyclient.errors import MailboxClosed, WaitTimeout
from indipyclient.mailbox import Mailbox

STAMP = datetime(2026, 11, 27, tzinfo=timezone.utc)


class AnyMailbox(RuleBasedStateMachine):
    """The model is a list of what is in the mailbox, and whether anybody has been told of it."""

    @initialize(keep=st.none() | st.integers(1, 3), most=st.none() | st.integers(0, 20))
    def begin(self, keep: int | None, most: int | None) -> None:
        weighed: dict[str, Any] = {} if most is None else {"weigh": lambda item: item, "most": most}
        self.box: Mailbox[int] = Mailbox(keep, **weighed)
        self.keep, self.most = keep, most
        self.there: list[int] = []
        self.dropped, self.calls, self.expected_calls = 0, 0, 0
        self.hooked = self.told = self.closed = False
        self.box.fileno()

    def call(self) -> None:
        self.calls += 1

    @rule(item=st.integers(0, 15))
    def put(self, item: int) -> None:
        if self.closed:
            with pytest.raises(MailboxClosed):
                self.box.put(item)
            return
        self.box.put(item)
        self.there.append(item)
        while len(self.there) > 1 and self.is_too_much():
            self.there.pop(0)
            self.dropped += 1
        self.expected_calls += self.hooked and not self.told
        self.told = True
        assert self.box.latest == item

    def is_too_much(self) -> bool:
        too_long = self.keep is not None and len(self.there) > self.keep
        return too_long or (self.most is not None and sum(self.there) > self.most)

    @rule()
    def get(self) -> None:
        if self.there:
            assert self.box.get(0) == self.there.pop(0)
        else:
            with pytest.raises(MailboxClosed if self.closed else WaitTimeout):
                self.box.get(0)
        self.told = bool(self.there)

    @rule()
    def drain(self) -> None:
        assert self.box.drain() == self.there
        self.there, self.told = [], False

    @rule()
    def close(self) -> None:
        self.expected_calls += self.hooked and not self.closed
        self.box.close()
        self.closed = True

    @precondition(lambda self: self.closed)
    @rule()
    def iterate(self) -> None:
        assert list(self.box) == self.there
        self.there = []

    @rule(hooked=st.booleans())
    def set_hook(self, hooked: bool) -> None:
        self.box.set_hook(self.call if hooked else None)
        self.hooked = hooked
        self.expected_calls += hooked and (bool(self.there) or self.closed)

    @invariant()
    def is_as_expected(self) -> None:
        if not hasattr(self, "box"):
            return
        assert (len(self.box), self.box.dropped, self.box.closed) == (
            len(self.there), self.dropped, self.closed
        )  # fmt: skip
        assert self.calls == self.expected_calls
        readable = bool(select.select([self.box], [], [], 0)[0])
        assert readable == (bool(self.there) or self.closed)


KINDS: dict[str, Callable[[int], Any]] = {
    "queue.Queue": queue.Queue,
    "SimpleQueue": lambda room: queue.SimpleQueue(),
    "deque": lambda room: deque(),
    "Mailbox": lambda room: Mailbox(),
}


class AnyDelivery(RuleBasedStateMachine):
    """What the client delivers, and what a program takes, of a queue with room for a few items.

    Compared is what must be: the order, that whatever is not here was folded and counted, and that the
    newest item of each property always comes.
    """

    LIMIT = 5

    @initialize(
        kind=st.sampled_from(["queue.Queue", "SimpleQueue", "deque", "Mailbox"]), room=st.integers(1, 4)
    )
    def begin(self, kind: str, room: int) -> None:
        makers: dict[str, Any] = {
            "queue.Queue": lambda: queue.Queue(room), "SimpleQueue": queue.SimpleQueue, "deque": deque,
            "Mailbox": Mailbox,
        }  # fmt: skip
        self.queue = makers[kind]()
        self.backlog = Backlog(self.LIMIT, 1 << 20)
        self.sink = Sink(self.queue, self.backlog, room, 1 << 20)
        self.room = room
        self.put_so_far: list[EventItem] = []
        self.taken: list[EventItem] = []
        self.closed = False

    @rule(vectors=st.lists(st.sampled_from("ABCDEF"), min_size=1, max_size=8))
    def deliver(self, vectors: list[str]) -> None:
        for vector in vectors:
            item = EventItem("Set", "D", vector, STAMP, len(self.put_so_far))
            self.put_so_far.append(item)
            self.sink.put(item)

    @rule()
    def take(self) -> None:
        item = self.take_one()
        if item is not None:
            self.taken.append(item)

    @rule()
    def bring_what_waits(self) -> None:
        """As the client does when it learns of room."""
        self.sink.flush()

    @rule()
    def take_everything(self) -> None:
        while self.backlog or self.length():
            self.take()
            self.sink.flush()
        newest = {item[:3]: item for item in self.put_so_far}
        if not self.closed:
            assert set(newest.values()) <= set(self.taken)

    @precondition(lambda self: isinstance(self.queue, Mailbox))
    @rule()
    def close(self) -> None:
        """The program wants no more: nothing raises, and nothing waits for it any longer than it must."""
        self.queue.close()
        self.sink.flush()
        self.closed = True
        assert not self.backlog

    def take_one(self) -> EventItem | None:
        if not self.length():
            return None
        if isinstance(self.queue, deque):
            return self.queue.popleft()  # type: ignore[no-any-return]
        if isinstance(self.queue, Mailbox):
            return self.queue.get(0)  # type: ignore[no-any-return]
        return self.queue.get_nowait()  # type: ignore[no-any-return]

    def length(self) -> int:
        return len(self.queue) if isinstance(self.queue, deque | Mailbox) else self.queue.qsize()

    @invariant()
    def is_as_expected(self) -> None:
        if not hasattr(self, "queue"):
            return
        numbers = [item.snapshot for item in self.taken]
        assert numbers == sorted(set(numbers)), "out of order, or twice"
        assert self.length() <= self.room or self.closed
        assert len(self.backlog) <= self.LIMIT + len("ABCDEF")
        if not self.closed:
            there = len(self.taken) + self.length() + len(self.backlog)
            assert there + self.backlog.folded == len(self.put_so_far), "neither here nor counted"


for _machine in (AnyMailbox, AnyDelivery):
    _machine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

TestAnyMailbox = AnyMailbox.TestCase
TestAnyDelivery = AnyDelivery.TestCase
