"""What is done to BLOBs between their arrival and their event: inflating and saving.

Both may take long, so they are done in threads beside the client's loop. What goes wrong there
becomes a text; the event comes in any case, also if the disk hangs.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..blobfolder import save_blob
from ..offload import offload
from ..protocol import Message, OneBLOB, SetVector
from ..protocol.blobs import inflate

__all__ = ["Frames", "Prepared", "supersedes"]

# Seconds that an event waits for its BLOBs to be saved. A disk that takes longer hangs.
_PATIENCE = 30.0


class Prepared(NamedTuple):
    """A message ready to be applied.

    Fields:
        message: the message, its BLOBs inflated.
        filenames: names of the files written, by member.
        faults: sentences on what went wrong.
    """

    message: SetVector
    filenames: dict[str, str]
    faults: list[str]


def supersedes(newer: Message, older: object) -> bool:
    """Whether the one is a frame that makes the other, which nobody has seen yet, old news.

    So it is if both have content for the same vector, and the newer one for all the members that
    the older one has it for.
    """
    if not (isinstance(newer, SetVector) and isinstance(older, SetVector)):
        return False
    if (newer.device, newer.name) != (older.device, older.name):
        return False
    had = _with_content(older)
    return bool(had) and had <= _with_content(newer)


def _with_content(message: SetVector) -> set[str]:
    """The members for which a message has content."""
    return {blob.name for blob in _blobs(message) if blob.payload is not None}


class Frames:
    """Inflates and saves the BLOBs of messages, one message at a time. Belongs to one event loop."""

    def __init__(self) -> None:
        self._saving = False  # also while a disk hangs that is not waited for any more

    async def prepare(self, message: SetVector, folder: Path | None, stamp: datetime, limit: int) -> Prepared:
        """Inflate what is compressed, then save everything if there is a folder.

        Args:
            message: a ``setBLOBVector``.
            folder: where to save, or None.
            stamp: the time that goes into the file names.
            limit: bytes that a BLOB may inflate to.
        """
        if any(map(_is_deflated, _blobs(message))):
            message = await offload("inflate", partial(_inflate_all, message, limit))
        saved: dict[str, str] = {}
        faults = [
            f"BLOB {blob.name!r} {_of(message)}: {blob.error}" for blob in _blobs(message) if blob.error
        ]
        if folder is not None and _with_content(message):
            saved, more = await self._save(message, folder, stamp)
            faults += more
        return Prepared(message, saved, faults)

    async def _save(
        self, message: SetVector, folder: Path, stamp: datetime
    ) -> tuple[dict[str, str], list[str]]:
        """Save the BLOBs of a message, unless the disk still hangs over earlier ones."""
        if self._saving:
            return {}, [f"BLOBs {_of(message)} were not saved: the disk is busy with earlier ones"]
        self._saving = True
        work = offload("save", partial(self._save_all, message, folder, stamp))
        try:
            return await asyncio.wait_for(work, _PATIENCE)
        except asyncio.TimeoutError:
            return {}, [f"BLOBs {_of(message)} are not saved yet: the disk takes more than {_PATIENCE:g} s"]

    def _save_all(
        self, message: SetVector, folder: Path, stamp: datetime
    ) -> tuple[dict[str, str], list[str]]:
        """Names of the files by member, and what went wrong; in a thread."""
        names, faults = {}, []
        for blob in _blobs(message):
            try:
                if blob.payload is not None:
                    names[blob.name] = save_blob(folder, blob.name, stamp, blob.format, blob.payload)
            except Exception as error:  # whatever it is, the event must come
                faults.append(f"BLOB {blob.name!r} {_of(message)} was not saved: {error}")
        self._saving = False
        return names, faults


def _of(message: SetVector) -> str:
    return f"of {message.device!r} {message.name!r}"


def _blobs(message: SetVector) -> list[OneBLOB]:
    return [blob for blob in message.members if isinstance(blob, OneBLOB)]


def _is_deflated(blob: OneBLOB) -> bool:
    return blob.payload is not None and blob.format.lower().endswith(".z")


def _inflate_all(message: SetVector, limit: int) -> SetVector:
    return message._replace(members=tuple(_inflated(blob, limit) for blob in _blobs(message)))


def _inflated(blob: OneBLOB, limit: int) -> OneBLOB:
    """The BLOB without its zlib compression; damaged or too large, it stays as it came, with an error."""
    if blob.payload is None or not _is_deflated(blob):
        return blob
    try:
        content = inflate(blob.payload, limit)
    except (ValueError, MemoryError) as error:
        return blob._replace(error=f"it cannot be inflated: {error}")
    doubt = blob.size is not None and blob.size != len(content)
    return blob._replace(
        payload=memoryview(content),
        raw=blob.payload,
        format=blob.format[:-2],
        error=f"{len(content)} bytes after inflating, {blob.size} were announced" if doubt else "",
    )
