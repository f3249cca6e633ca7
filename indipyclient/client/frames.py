"""What is done to BLOBs between their arrival and their event: inflating and saving.

Both may take long, so the client has `prepare` called in a thread beside its loop. What goes wrong
there becomes a text; the event comes in any case.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ..blobfolder import save_blob
from ..protocol import Message, OneBLOB, SetVector
from ..protocol.blobs import inflate

__all__ = ["Prepared", "needs_preparing", "prepare", "supersedes"]


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


def needs_preparing(message: SetVector, folder: Path | None) -> bool:
    """Whether there is anything to do that takes time."""
    return any(
        isinstance(blob, OneBLOB) and blob.payload is not None and (folder is not None or _is_deflated(blob))
        for blob in message.members
    )


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
    blobs = (blob for blob in message.members if isinstance(blob, OneBLOB))
    return {blob.name for blob in blobs if blob.payload is not None}


def prepare(message: SetVector, folder: Path | None, stamp: datetime, limit: int) -> Prepared:
    """Inflate what is compressed, then save everything if there is a folder.

    Args:
        message: a ``setBLOBVector``.
        folder: where to save, or None.
        stamp: the time that goes into the file names.
        limit: bytes that a BLOB may inflate to.
    """
    blobs = [_inflated(blob, limit) for blob in message.members if isinstance(blob, OneBLOB)]
    where = f"of {message.device!r} {message.name!r}"
    faults = [f"BLOB {blob.name!r} {where}: {blob.error}" for blob in blobs if blob.error]
    filenames = {}
    for blob in blobs:
        if folder is not None and blob.payload is not None:
            try:
                filenames[blob.name] = save_blob(folder, blob.name, stamp, blob.format, blob.payload)
            except OSError as error:
                faults.append(f"BLOB {blob.name!r} {where} was not saved: {error}")
    return Prepared(message._replace(members=tuple(blobs)), filenames, faults)


def _is_deflated(blob: OneBLOB) -> bool:
    return blob.format.lower().endswith(".z")


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
