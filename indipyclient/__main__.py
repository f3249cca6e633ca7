"""The command line: `python -m indipyclient demo`."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from . import version
from .demo.client import DemoError

__all__ = ["main"]

_INSTALL = 'pip install "indipyclient[demo]"'
_EXTRA = {"PIL", "astropy", "indipydriver", "indipyserver", "numpy", "rich"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0 done, 1 failed, 2 wrong use or a part missing, 130 Ctrl-C."""
    options = _parse(arguments)
    logging.getLogger().addHandler(logging.NullHandler())  # what happens is printed; no log on stderr
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a server's text may be more than this terminal knows
    try:
        _demo(options)
    except KeyboardInterrupt:
        return 130
    except ModuleNotFoundError as error:
        return _complain(_missing(error), 2)
    except DemoError as error:
        return _complain(str(error), 1)
    except OSError as error:
        named = error.filename is not None and error.strerror is not None
        return _complain(f"{error.filename}: {error.strerror}" if named else str(error), 1)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m indipyclient", description="A client for INDI instruments."
    )
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser(
        "demo",
        help="start two invented instruments and use them, or watch a server",
        description="Start an invented thermostat and camera, set the one, take a frame with the other and "
        "print what changes. With --host or --port: watch that INDI server and change nothing.",
    )
    demo.add_argument("--host", help="watch the server on this host (localhost)")
    demo.add_argument("--port", type=_port, help="watch the server on this port (7624)")
    demo.add_argument("--seconds", type=_time, help="watch for so long; else until Ctrl-C")
    demo.add_argument("--folder", type=Path, default=Path("demo-frames"), help="for the frames (demo-frames)")
    options = parser.parse_args(arguments)
    options.watch = options.host is not None or options.port is not None
    if options.seconds is not None and not options.watch:
        demo.error("--seconds needs --host or --port: the demo ends by itself")
    return options


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return int(text)


def _time(text: str) -> float:
    with contextlib.suppress(ValueError):
        if (seconds := float(text)) > 0:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no time: more than 0")


def _demo(options: argparse.Namespace) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if options.watch:
        from .demo.watch import watch

        watch(console, options.host or "localhost", options.port or 7624, options.seconds)
    else:
        from .demo.show import show

        show(console, options.folder)


def _missing(error: ModuleNotFoundError) -> str:
    """What to do about a module that is not there; the error itself if that is not the extra's."""
    name = (error.name or "").partition(".")[0]
    if name == "fcntl" or (name.startswith("indipy") and sys.version_info < (3, 11)):
        return (
            "the built-in instruments need Linux or macOS and Python 3.11; --host watches a server anywhere"
        )
    if name not in _EXTRA:
        raise error
    return f"{name} is missing: {_INSTALL}"


def _complain(message: str, code: int) -> int:
    print(f"indipyclient: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
