"""What a test may leave behind by mistake: threads, child processes, open files and sockets."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil

DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True)
class Resources:
    """What this process holds at one moment."""

    threads: frozenset[threading.Thread]
    children: frozenset[psutil.Process]
    files: frozenset[tuple[str, str]]

    @classmethod
    def now(cls) -> Resources:
        """Look at what is held right now."""
        return cls(frozenset(threading.enumerate()), _children(), _files())

    def beyond(self, before: Resources) -> list[str]:
        """Describe what is held that was not held before."""
        return [
            *(f"thread {thread.name}" for thread in self.threads - before.threads),
            *(f"process {child.pid} {_name(child)}" for child in self.children - before.children),
            *(f"file {number} {target}" for number, target in self.files - before.files),
        ]


def _children() -> frozenset[psutil.Process]:
    if not _has_children():
        return frozenset()
    return frozenset(psutil.Process().children(recursive=True))


def _has_children() -> bool:
    """Say whether there is any child, at a cost that every single test can bear."""
    if not hasattr(os, "waitid"):  # macOS and Windows: list them, then
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return "(ended)"


def _files() -> frozenset[tuple[str, str]]:
    """Return number and target of each open descriptor, on systems that list them (Linux)."""
    if not DESCRIPTORS.is_dir():
        return frozenset()
    files = filter(None, map(_target, DESCRIPTORS.iterdir()))
    # toolkits have threads of their own, which come and go; each has one of these
    return frozenset(file for file in files if file[1] != "anon_inode:[eventfd]")


def _target(descriptor: Path) -> tuple[str, str] | None:
    try:
        return descriptor.name, str(descriptor.readlink())
    except FileNotFoundError:
        # the descriptor of the listing itself
        return None
