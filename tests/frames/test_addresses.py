"""How a client is told to use a Unix socket, and what comes of it where there is none."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from indipyclient.net.address import unix_address
from tests.support.scripted import BLOB, NUMBER, Client, ScriptedServer

from .unix import UnixServer, running_client, unix_client
from .wire import attached, blobs

needs_unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="the system has no Unix sockets")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux has abstract names")

TCP = ["localhost", "127.0.0.1", "::1", "", "observatory.example.org", "unix", "unix.example.org", "Unix:/x"]
TCP += ["::", "fe80::1", "::ffff:7624"]
SOCKETS = [
    ("unix:/run/indi", "linux", "/run/indi"),
    ("unix:/run/indi", "darwin", "/run/indi"),
    ("unix:beside", "linux", "beside"),
    ("unix:7624", "linux", "7624"),
    ("unix:@name", "linux", "\0name"),
    ("unix:@/tmp/indiserver", "linux", "\0/tmp/indiserver"),
    ("localhost:", "linux", "\0/tmp/indiserver"),
    ("localhost:", "darwin", "/tmp/indiserver"),
    ("localhost:/run/indi", "linux", "\0/run/indi"),
    ("localhost:/run/indi", "darwin", "/run/indi"),
]


@pytest.mark.parametrize("host", TCP)
def test_anything_else_is_a_host(host: str) -> None:
    assert unix_address(host) is None


@needs_unix
@pytest.mark.parametrize(("host", "platform", "address"), SOCKETS)
def test_three_spellings_name_a_unix_socket(
    monkeypatch: pytest.MonkeyPatch, host: str, platform: str, address: str
) -> None:
    """Those of libindi are abstract names on Linux and paths elsewhere, as are those of indiserver."""
    monkeypatch.setattr(sys, "platform", platform)
    assert unix_address(host) == address


@pytest.mark.parametrize("host", ["localhost:7624", "10.0.0.1:7624", "observatory.example.org:7624"])
def test_a_port_behind_the_host_is_told(host: str) -> None:
    """It would be a name of libindi's spelling, or of a host that nobody knows."""
    with pytest.raises(OSError, match="the port is given by itself") as error:
        unix_address(host)
    assert host in str(error.value)


@pytest.mark.parametrize("host", ["unix:/run/indi", "unix:@name", "localhost:", "localhost:/run/indi"])
def test_a_system_without_unix_sockets_says_so(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.delattr(socket, "AF_UNIX", raising=False)
    with pytest.raises(OSError, match=r"no Unix sockets; use TCP") as error:
        unix_address(host)
    assert host in str(error.value)


@needs_unix
def test_a_system_without_abstract_names_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(OSError, match="only Linux has sockets with abstract names"):
        unix_address("unix:@name")


def test_the_client_says_so_and_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(7624)
    client.indihost = "unix:/run/indi"
    with running_client(client) as running:
        monkeypatch.delattr(socket, "AF_UNIX", raising=False)
        running.wait_text("this system has no Unix sockets; use TCP")
        monkeypatch.undo()
        running.wait_text("re-trying")


@needs_linux
@pytest.mark.parametrize("spelling", ["unix:@{}", "localhost:{}"])
def test_an_abstract_name_is_connected_to(spelling: str) -> None:
    with UnixServer() as server:
        client = unix_client(server)
        client.indihost = spelling.format(server.host.removeprefix("unix:@"))
        with running_client(client) as running:
            assert running.after(server.greet(NUMBER), "")["D"]["N"]["x"] == "1"
            assert client.connected


@needs_linux
def test_a_path_is_connected_to(tmp_path: Path) -> None:
    with UnixServer(tmp_path / "socket") as server, running_client(unix_client(server)) as running:
        peer = server.greet(NUMBER)
        peer.hand_frames(BLOB + blobs(attached("b", 5)), b"frame")
        assert running.after(peer, "")["D"]["B"]["b"] == b"frame"


@needs_unix
@pytest.mark.parametrize(
    "host", ["unix:/no/such/socket", "unix:", "unix:" + "a" * 200, "unix:/dev/null", "unix:/a\0b"]
)
def test_what_cannot_be_connected_to_is_told_and_tried_again(host: str) -> None:
    client = Client(7624)
    client.indihost = host
    client.timing.reconnect_max = 0.02
    with running_client(client) as running:
        for _ in range(2):
            running.wait(lambda seen: "Connection error" in seen.text or "Connection refused" in seen.text)
            running.wait_text("re-trying")


@needs_linux
def test_a_server_that_is_restarted_is_used_again(tmp_path: Path) -> None:
    with UnixServer(tmp_path / "socket") as server, running_client(unix_client(server)) as running:
        peer = server.greet(NUMBER)
        running.after(peer, "")
        server.refuse()
        peer.close()
        running.wait_for("ConnectionLost", 1)
        running.wait_text("re-trying")
        server.listen()
        assert running.after(server.greet(NUMBER), "")["D"]["N"]["x"] == "1"


@needs_linux
def test_messages_name_the_socket_and_no_port() -> None:
    with UnixServer() as server, running_client(unix_client(server)) as running:
        connected = running.wait_text("Connected to")
        assert connected.text == f"Connected to {server.host}"
        assert f"{server.host} connected" in repr(running.client)


def test_messages_name_host_and_port() -> None:
    with ScriptedServer() as server, running_client(Client(server.port)) as running:
        assert running.wait_text("Connected to").text == f"Connected to 127.0.0.1:{server.port}"
