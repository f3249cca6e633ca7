"""What `indihost` may be: a TCP host, or a Unix socket by one of three spellings.

``unix:/path``        a socket file
``unix:@name``        an abstract name (Linux), which is what indiserver opens there
``localhost:``, ``localhost:/path``   libindi's spelling: the name that indiserver has by default, or
                      after ``-u /path``; abstract on Linux, a file elsewhere
"""

from __future__ import annotations

import socket
import sys

__all__ = ["server_name", "unix_address"]

_DEFAULT = "/tmp/indiserver"
_UNIX, _LIBINDI = "unix:", "localhost:"


def unix_address(host: str) -> str | None:
    """The address of a Unix socket for `socket.connect`, or None if `host` means TCP.

    Raises:
        OSError: this system has no such sockets; or it is a host with a port.
    """
    name, _, port = host.partition(":")
    if port.isdecimal() and f"{name}:" != _UNIX:
        raise OSError(f"{host!r} has a port in it; the port is given by itself")
    if host.startswith(_UNIX):
        name = host.removeprefix(_UNIX)
        address = "\0" + name[1:] if name.startswith("@") else name
    elif host.startswith(_LIBINDI):
        name = host.removeprefix(_LIBINDI) or _DEFAULT
        address = "\0" + name if sys.platform == "linux" else name
    else:
        return None
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(f"{host}: this system has no Unix sockets; use TCP")
    if address.startswith("\0") and sys.platform != "linux":
        raise OSError(f"{host}: only Linux has sockets with abstract names")
    return address


def server_name(host: str, port: int) -> str:
    """What messages call a server: host and port, or just the Unix socket, which has no port."""
    return host if host.startswith((_UNIX, _LIBINDI)) else f"{host}:{port}"
