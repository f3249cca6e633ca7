"""A night in fast motion: a synchronous client at work while its network misbehaves at random.

    python -m tests.hostile.soak --seconds 600 --seed 1

runs it for as long as wanted and prints what happened. A second client, on a good connection, sees what
the devices really did; by that the first one's outcomes are judged.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from indipyclient.errors import (
    CommandTimeout,
    ConnectionLostError,
    INDIError,
    InvalidValue,
    NotConnected,
    PropertyDeleted,
    UnknownName,
    WaitTimeout,
)
from indipyclient.syncclient import SyncClient
from tests.support.deadline import becomes_true
from tests.support.proxy import Proxy, Way
from tests.support.servers import CCD, TELESCOPE, WHEEL, IndiServer
from tests.support.states import content

PATIENCE = 30.0
SIZE = 64  # pixels of the frames, each way


class Sample(NamedTuple):
    """What this process holds at a moment."""

    seconds: float
    threads: int
    descriptors: int
    memory: int
    objects: int

    @classmethod
    def now(cls, begun: float) -> Sample:
        gc.collect()
        process = psutil.Process()
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        memory, objects = process.memory_info().rss, len(gc.get_objects())
        return cls(time.monotonic() - begun, threading.active_count(), descriptors, memory, objects)


class Report(NamedTuple):
    """How a soak went. What is wrong is in `wrong`, which is empty if all is well."""

    seconds: float
    faults: Counter[str]
    outcomes: Counter[str]
    connections: int
    samples: list[Sample]
    wrong: list[str]

    def slope(self, what: Callable[[Sample], int]) -> float:
        """How much of something there was more in each second, after the first third."""
        settled = [sample for sample in self.samples if sample.seconds > self.seconds / 3]
        line = statistics.linear_regression([one.seconds for one in settled], [what(one) for one in settled])
        return line.slope

    def __str__(self) -> str:
        return (
            f"{self.seconds:.0f} s, {self.connections} connections, {self.faults.total()} faults\n"
            f"faults: {dict(self.faults)}\noutcomes: {dict(self.outcomes)}\n"
            f"in each second: {self.slope(lambda one: one.memory) / 1000:+.2f} kB, "
            f"{self.slope(lambda one: one.objects):+.2f} objects, "
            f"{self.slope(lambda one: one.descriptors):+.4f} descriptors, "
            f"{self.slope(lambda one: one.threads):+.4f} threads\n"
            f"first and last: {self.samples[0]} {self.samples[-1]}\nwrong: {self.wrong or 'nothing'}"
        )


class Witness:
    """A client on a good connection; remembers the last values that a text had, as the device told them."""

    def __init__(self, indi: SyncClient) -> None:
        self.indi = indi
        self._values: deque[str] = deque(maxlen=500)
        self._box = indi.on_change(self._note, WHEEL, "FILTER_NAME", kinds="Set")

    def _note(self, item: Any) -> None:
        vector = item.snapshot[WHEEL]["FILTER_NAME"]
        if vector.state == "Ok":
            self._values.append(vector["FILTER_SLOT_NAME_1"])

    def saw(self, value: str) -> bool:
        return becomes_true(lambda: value in list(self._values), PATIENCE)


class Work:
    """What a program does all night, each activity in a thread of its own."""

    def __init__(
        self, indi: SyncClient, witness: Witness, losses: Callable[[], int], spoilt: Callable[[], bool]
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.stop = threading.Event()
        self.disturbed = threading.Event()  # set while there is a fault, or was until a moment ago
        self._indi = indi
        self._witness = witness
        self._losses = losses
        self._spoilt = spoilt
        self._pool = ThreadPoolExecutor(3, "soak")
        self._running = [self._pool.submit(self._go_on, work) for work in (self.name, self.slew, self.expose)]

    def end(self) -> None:
        """Let each activity come to its end; what raised raises here."""
        self.stop.set()
        for running in self._running:
            running.result(4 * PATIENCE)
        self._pool.shutdown()

    def _go_on(self, work: Callable[[int], None]) -> None:
        number = 0
        while not self.stop.wait(0.02):
            number += 1
            work(number)

    def _count(self, what: str, how: object) -> None:
        self.outcomes[f"{what} {how if isinstance(how, str) else type(how).__name__}"] += 1

    def name(self, number: int) -> None:
        """Name a filter, each time differently. Done must mean done, and lost must mean lost."""
        name, losses = f"filter {number}", self._losses()
        try:
            outcome = self._indi[WHEEL]["FILTER_NAME"].put(FILTER_SLOT_NAME_1=name)
        except (NotConnected, UnknownName) as error:
            self._count("name", error)
            return
        try:
            outcome.result(PATIENCE)
        except WaitTimeout:
            self.wrong.append(f"{name}: never resolved")
        except ConnectionLostError as error:
            self._count("name", error)
            if not becomes_true(lambda: self._losses() > losses, 5):
                self.wrong.append(f"{name}: lost, without a loss")
        except (NotConnected, CommandTimeout, PropertyDeleted) as error:
            self._count("name", error)
            if not self.disturbed.is_set():
                self.wrong.append(f"{name}: {error!r}, and all was well")
        else:
            self._count("name", "done")
            if not self._witness.saw(name):
                self.wrong.append(f"{name}: done, and the device knows nothing of it")

    def slew(self, number: int) -> None:
        """Point the telescope somewhere near; it says Busy first, and Ok some seconds later."""
        target = {"RA": 5 + number % 3 * 0.05, "DEC": 60 + number % 2}
        try:
            outcome = self._indi[TELESCOPE]["EQUATORIAL_EOD_COORD"].put(target, timeout=PATIENCE)
            there = outcome.result(2 * PATIENCE)
        except (INDIError, TimeoutError) as error:
            self._count("slew", error)
            if isinstance(error, WaitTimeout):
                self.wrong.append(f"slew {number}: never resolved")
        else:
            self._count("slew", "done")
            # of a digit that the network has turned into another nobody can know
            if abs(there.getfloatvalue("DEC") - target["DEC"]) > 0.1 and not self._spoilt():
                self.wrong.append(f"slew {number}: done, and at {dict(there)} instead of {target}")

    def expose(self, number: int) -> None:
        """Take a frame, whole or not at all."""
        try:
            ccd = self._indi[CCD]
            frame = ccd["CCD1"].expect_blob()
            ccd["CCD_EXPOSURE"].put(CCD_EXPOSURE_VALUE=0.05, timeout=PATIENCE).result(2 * PATIENCE)
            shape = frame.result(5).array().shape
        except (INDIError, TimeoutError) as error:
            self._count("frame", error)
            if isinstance(error, InvalidValue) and not self.disturbed.is_set():
                self.wrong.append(f"frame {number}: {error!r}, and all was well")
        else:
            self._count("frame", "done")
            if shape != (SIZE, SIZE):
                self.wrong.append(f"frame {number}: {shape}")


class Faults:
    """What happens to the network, one after the other, at random."""

    def __init__(self, proxy: Proxy, dice: random.Random) -> None:
        self.done: Counter[str] = Counter()
        self._proxy = proxy
        self._dice = dice

    def one(self) -> None:
        """Do something to the connection, and end it again so that nothing of it stays."""
        fault = self._dice.choice(
            [
                self.cut,
                self.reset,
                self.half_close,
                self.stall,
                self.swallow,
                self.spoil,
                self.slow,
                self.refuse,
            ]
        )
        self.done[fault.__name__] += 1
        fault()

    def cut(self) -> None:
        self._proxy.cut()

    def reset(self) -> None:
        self._proxy.reset()

    def half_close(self) -> None:
        self._proxy.half_close()

    def stall(self) -> None:
        """Shorter or longer than silence is borne."""
        ways: list[tuple[Way, ...]] = [
            (self._proxy.up,),
            (self._proxy.down,),
            (self._proxy.up, self._proxy.down),
        ]
        self._proxy.stall(*self._dice.choice(ways))
        time.sleep(self._dice.uniform(0.1, 4))
        self._proxy.go_on()

    def swallow(self) -> None:
        self._proxy.up.swallowed = self._proxy.down.swallowed = True
        time.sleep(self._dice.uniform(0.1, 4))
        self._heal_and_reset()

    def spoil(self) -> None:
        """Only what comes from the server: what goes to it would be commands that nobody gave."""
        setattr(self._proxy.down, self._dice.choice(["flip", "drop"]), 10 ** self._dice.uniform(-5, -2))
        time.sleep(self._dice.uniform(0.1, 2))
        self._heal_and_reset()

    def spoilt(self) -> bool:
        """Whether what comes from the server is being spoilt."""
        return bool(self._proxy.down.flip or self._proxy.down.drop)

    def slow(self) -> None:
        for way in (self._proxy.up, self._proxy.down):
            way.piece, way.delay = self._dice.choice([0, 50, 1000]), self._dice.uniform(0, 0.01)
        time.sleep(self._dice.uniform(0.1, 2))
        for way in (self._proxy.up, self._proxy.down):
            way.heal()

    def refuse(self) -> None:
        self._proxy.refuse()
        self._proxy.cut()
        time.sleep(self._dice.uniform(0.1, 1))
        self._proxy.listen()

    def _heal_and_reset(self) -> None:
        # what was lost or spoilt on this connection stays so: no network heals that
        self._proxy.up.heal()
        self._proxy.down.heal()
        self._proxy.reset()


@contextmanager
def prepared() -> Iterator[tuple[IndiServer, SyncClient]]:
    """A server whose simulators are connected, and a client on a good connection to it."""
    with IndiServer(TELESCOPE, CCD, WHEEL) as server, SyncClient("127.0.0.1", server.port) as indi:
        for device in (TELESCOPE, CCD, WHEEL):
            indi.wait_for_vector(device, "CONNECTION", PATIENCE).put("CONNECT").result(PATIENCE)
        indi.wait_for_vector(WHEEL, "FILTER_NAME", PATIENCE)
        indi.wait_for_vector(TELESCOPE, "TELESCOPE_PARK", PATIENCE).put("UNPARK").result(PATIENCE)
        indi.wait_for_vector(CCD, "POLLING_PERIOD", PATIENCE).put(PERIOD_MS=50).result(PATIENCE)
        frame = {"X": 0, "Y": 0, "WIDTH": SIZE, "HEIGHT": SIZE}
        indi.wait_for_vector(CCD, "CCD_FRAME", PATIENCE).put(frame).result(PATIENCE)
        yield server, indi


def soak(seconds: float, seed: int) -> Report:
    """Work for so long with faults, then some seconds without, and see what has become of everything."""
    dice = random.Random(seed)
    with prepared() as (server, good), Proxy(server.port, seed) as proxy:
        indi = SyncClient("127.0.0.1", proxy.port, timeout_max=5)
        try:
            timing = indi._engine.timing  # 3 s of silence instead of 40, and soon back
            timing.idle_timeout, timing.respond_timeout = 1.0, 3.0
            timing.reconnect_min, timing.reconnect_max, timing.connect_timeout = 0.05, 0.5, 3.0
            return _soak(seconds, indi, Witness(good), Faults(proxy, dice), server, dice)
        finally:
            indi.close()


def _soak(
    seconds: float,
    indi: SyncClient,
    witness: Witness,
    faults: Faults,
    server: IndiServer,
    dice: random.Random,
) -> Report:
    losses = Counter[str]()
    indi.on_change(lambda item: losses.update([item.eventtype]), kinds=["ConnectionLost", "ConnectionMade"])
    indi.wait_for_vector(WHEEL, "FILTER_NAME", PATIENCE)
    work = Work(indi, witness, lambda: losses["ConnectionLost"], faults.spoilt)
    begun = time.monotonic()
    samples = [Sample.now(begun)]
    while (now := time.monotonic() - begun) < seconds:
        work.disturbed.set()
        faults.one()
        time.sleep(dice.uniform(0.1, 1.5))
        if now - samples[-1].seconds > 1:
            samples.append(Sample.now(begun))
    _calm(indi, work)
    lasted = time.monotonic() - begun
    work.end()
    wrong = work.wrong + _differences(indi, server)
    return Report(lasted, faults.done, work.outcomes, losses["ConnectionMade"], samples, wrong)


def _calm(indi: SyncClient, work: Work) -> None:
    """Once all is well again, ten more commands of each kind must be done."""
    indi.wait_connected(PATIENCE)
    indi.wait_for(lambda snap: snap[CCD]["CCD1"] and snap[WHEEL]["FILTER_NAME"], PATIENCE)
    # of two that are done the second was commanded in the calm: what was commanded before is over then
    _do_well(work, {"name done": 2, "frame done": 2})
    work.disturbed.clear()
    _do_well(work, {"name done": 10, "frame done": 5, "slew done": 1})


def _do_well(work: Work, wanted: dict[str, int]) -> None:
    """Have so many more commands be done."""
    before = work.outcomes.copy()

    def enough() -> bool:
        return all(work.outcomes[kind] - before[kind] >= count for kind, count in wanted.items())

    if not becomes_true(enough, 2 * PATIENCE):
        work.wrong.append(f"in a minute without faults: {work.outcomes - before}")


def _differences(indi: SyncClient, server: IndiServer) -> list[str]:
    """Whether the client knows what a fresh one knows."""
    with SyncClient("127.0.0.1", server.port) as fresh:
        fresh.wait_for_vector(WHEEL, "FILTER_NAME", PATIENCE)
        if becomes_true(lambda: content(indi.snapshot()) == content(fresh.snapshot()), PATIENCE):
            return []
        mine, theirs = content(indi.snapshot()), content(fresh.snapshot())
    different = [
        f"{device} {vector}: {mine.get(device, {}).get(vector)} is {theirs.get(device, {}).get(vector)}"
        for device in mine.keys() | theirs.keys()
        for vector in mine.get(device, {}).keys() | theirs.get(device, {}).keys()
        if mine.get(device, {}).get(vector) != theirs.get(device, {}).get(vector)
    ]
    return [f"not what a fresh client knows: {line}" for line in different]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.soak")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(soak(options.seconds, options.seed))


if __name__ == "__main__":
    main()
