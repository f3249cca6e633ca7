"""What is optional: numpy, astropy and pillow, imported where they are used."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator

from ..errors import MissingExtra

__all__ = ["from_extra", "quietly"]

_quiet = threading.Lock()


@contextlib.contextmanager
def from_extra() -> Iterator[None]:
    """Import in this block what the extra "fits" brings. Raises MissingExtra if it is not installed."""
    try:
        yield
    except ImportError as error:
        name = (error.name or "a package").partition(".")[0]
        raise MissingExtra(f'{name} is missing: pip install "indipyclient[fits]"', name=name) from error


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Drop the warnings that astropy and pillow give about odd frames.

    Warnings are filtered for the whole process, so that two threads that did this at a time could
    leave them switched off: one after the other, then.
    """
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
