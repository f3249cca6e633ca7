"""Memory for BLOBs that grows: the bytes put into it, in order, and no more memory than those need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indipyclient.protocol import growing
from indipyclient.protocol.growing import Growing

MB = 1 << 20


@contextmanager
def large_pages(there: bool) -> Iterator[None]:
    """A system that has them, from 1000 bytes on, or one that has not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growing, "_LARGE", 1000)
        if not there:
            patch.setattr(growing, "_large_pages", lambda length: None)
        yield


@pytest.mark.parametrize("there", [True, False], ids=["large pages", "none"])
@given(lengths=st.lists(st.integers(0, 3000), max_size=20))
def test_what_is_appended_is_seen_in_order(there: bool, lengths: list[int]) -> None:
    ends = [0]
    for length in lengths:
        ends.append(ends[-1] + length)
    content = os.urandom(ends[-1])
    with large_pages(there):
        memory = Growing()
        for start, end in pairwise(ends):
            memory.append(content[start:end])
            assert len(memory) == end
    view = memory.view()
    assert view.readonly
    assert view == content


def test_the_bytes_live_as_long_as_a_view_of_a_part_of_them() -> None:
    memory = Growing()
    memory.append(b"abc" * 3 * MB)
    view = memory.view()[-3:]
    del memory
    assert view == b"abc"


def in_use() -> int:
    return int(psutil.Process().memory_info().rss)


def filled(megabytes: int) -> Growing:
    memory, piece = Growing(), bytes(MB // 16)
    for _ in range(16 * megabytes):
        memory.append(piece)
    return memory


def test_room_that_is_not_used_takes_no_memory() -> None:
    """It doubles just before the end: 66 MB need room for 128."""
    before = in_use()
    memory = filled(66)
    assert 60 * MB < in_use() - before < 76 * MB
    assert len(memory) == 66 * MB


def test_memory_is_given_back() -> None:
    before = in_use()
    for _ in range(10):
        assert filled(64).view()[0] == 0
    assert in_use() - before < 80 * MB


def test_a_system_without_room_says_so() -> None:
    memory = filled(5)
    with pytest.raises(MemoryError):
        memory._make_room(1 << 58)
