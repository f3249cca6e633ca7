"""Writing received BLOBs into a folder: inside it whatever the names are, never over another file."""

from __future__ import annotations

import os
import re
import uuid
from datetime import datetime, timezone
from itertools import count
from pathlib import Path

__all__ = ["save_blob", "save_now"]

# Separators, drives, wildcards, control characters: nothing that any system reads as more than a name.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_LONGEST = 100  # bytes of each part, so that any file system takes the whole name


def save_blob(folder: Path, membername: str, stamp: datetime, form: str, content: memoryview) -> str:
    """Write one BLOB as ``<member>_<YYYYmmdd_HH_MM_SS><format>``, or with ``_1``, ``_2``... if taken.

    The content goes to a temporary file in the folder first, which then gets its name, so another
    program never sees half a frame. May take as long as the disk takes; for a thread of its own.

    Args:
        folder: an existing folder.
        membername, form: as the server sent them; what cannot stand in a file name becomes ``_``.
        stamp: the time of the event; the name has it in UTC.
        content: the bytes.

    Returns:
        The bare file name.

    Raises:
        OSError: the disk is full, the folder is gone, and the like; nothing is left behind.
    """
    stem = f"{_safe(membername)}_{stamp.astimezone(timezone.utc):%Y%m%d_%H_%M_%S}"
    suffix = _safe(form)
    temporary = folder / f".blob-{uuid.uuid4().hex}"
    try:
        with temporary.open("xb") as file:
            file.write(content)
        return _give_name(temporary, folder, stem, suffix)
    finally:
        temporary.unlink(missing_ok=True)


def save_now(folder: str | os.PathLike[str], membername: str, form: str, content: memoryview) -> str:
    """As `save_blob`, with the present time."""
    return save_blob(Path(folder), membername, datetime.now(timezone.utc), form, content)


def _give_name(temporary: Path, folder: Path, stem: str, suffix: str) -> str:
    """Give the temporary file the first name that is free."""
    for number in count():
        name = f"{stem}{f'_{number}' if number else ''}{suffix}"
        try:
            _link(temporary, folder / name)
        except FileExistsError:
            continue
        return name
    raise AssertionError("count() does not end")


def _link(temporary: Path, path: Path) -> None:
    """Have a whole file appear under a name that is free, or raise FileExistsError.

    A file system without links (FAT) takes two steps: an empty file takes the name first.
    """
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        path.touch(exist_ok=False)
        try:
            temporary.replace(path)
        except OSError:
            path.unlink()
            raise


def _safe(text: str) -> str:
    name = _UNSAFE.sub("_", text).encode()[:_LONGEST].decode(errors="ignore")
    return name.replace("..", "__") if ".." in name else name
