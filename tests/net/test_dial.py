"""Which of a host's addresses is taken, and what the system is told to watch over.

Names are looked up by a function of the test's, since no real name has the addresses needed here; all
the rest is real.
"""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from typing import Any

import pytest

from indipyclient.net.dial import keep_alive
from tests.support.scripted import NUMBER, Client, Running, ScriptedServer, dead_address
from tests.support.servers import free_port

NAME = "many.example.org"
needs_ipv6 = pytest.mark.skipif(not socket.has_ipv6, reason="Python was built without IPv6")


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `NAME` is looked up to, as (host, port)."""
    found: list[tuple[Any, ...]] = []
    look_up = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != NAME:
            return look_up(host, port, *args, **kwargs)
        return [entry for place in found for entry in look_up(*place, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return found


def named(port: int, **timing: float) -> Client:
    client = Client(port, **timing)
    client.indihost = NAME
    return client


def test_an_address_that_refuses_is_followed_by_the_next(
    server: ScriptedServer, addresses: list[tuple[Any, ...]]
) -> None:
    """INDI 1.1: names often have an IPv6 address too, on which indiserver does not listen."""
    addresses += [("::1", server.port)] * socket.has_ipv6
    addresses += [("127.0.0.1", free_port()), ("127.0.0.1", server.port)]
    with Running(named(server.port)) as running:
        assert running.after(server.greet(NUMBER), "").connected
        assert not [seen for seen in running.seen if "refused" in seen.text]


@pytest.mark.skipif(sys.platform != "linux", reason="dead_address is made as Linux has it")
def test_a_dead_address_does_not_use_up_the_time_of_the_others(
    server: ScriptedServer, addresses: list[tuple[Any, ...]]
) -> None:
    """The whole attempt has 20 s; were the addresses tried one after the other, the first had them all."""
    with dead_address() as dead:
        addresses += [("127.0.0.1", dead), ("127.0.0.1", server.port)]
        with Running(named(server.port, connect_timeout=20)) as running:
            assert running.after(server.greet(NUMBER), "").connected
            running.client.shutdown()
            assert not [seen for seen in running.seen if "timed out" in seen.text or "no answer" in seen.text]


def test_the_last_word_is_that_of_the_first_address_when_all_refuse(addresses: list[tuple[Any, ...]]) -> None:
    addresses += [("127.0.0.1", free_port()), ("127.0.0.1", free_port())]
    with Running(named(addresses[0][1])) as running:
        running.wait_text("Connection refused")
        running.wait_text("re-trying")


def test_addresses_that_answer_together_make_one_connection(
    server: ScriptedServer, addresses: list[tuple[Any, ...]]
) -> None:
    """The others are closed; the leak check of all tests holds that."""
    addresses += [("127.0.0.1", server.port), ("127.0.0.2", server.port)] * 3
    with Running(named(server.port)) as running:
        assert running.after(server.greet(NUMBER), "").connected
        assert [seen.kind for seen in running.seen].count("ConnectionMade") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="dead_address is made as Linux has it")
@pytest.mark.parametrize("count", [1, 4])
def test_shutdown_ends_attempts_at_many_dead_addresses(addresses: list[tuple[Any, ...]], count: int) -> None:
    with ExitStack() as stack:
        addresses += [("127.0.0.1", stack.enter_context(dead_address())) for _ in range(count)]
        with Running(named(addresses[0][1], connect_timeout=60)) as running:
            running.wait_text("Attempting")
            running.client.shutdown()
            assert running.ended(10)


@needs_ipv6
def test_a_server_on_ipv6_is_reached_by_its_address() -> None:
    with socket.socket(socket.AF_INET6) as listener:
        try:
            listener.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        listener.listen()
        listener.settimeout(10)
        client = Client(listener.getsockname()[1])
        client.indihost = "::1"
        with Running(client) as running:
            peer, _ = listener.accept()
            with peer:
                running.wait_for("ConnectionMade")
                assert b"getProperties" in peer.recv(1000)


# -- keep-alive ------------------------------------------------------------------------------


def client_socket(running: Running) -> socket.socket:
    link = running.client.inner("link")
    return running.do(lambda: link._connection._transport.get_extra_info("socket"))  # type: ignore[no-any-return]


def options(tcp: socket.socket) -> dict[str, int]:
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    return {name: tcp.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names}


@pytest.mark.skipif(sys.platform != "linux", reason="these are the names of Linux")
def test_the_system_is_told_to_find_a_dead_end_within_a_minute(server: ScriptedServer) -> None:
    """Idle for 30 s, then four probes 8 s apart; sent bytes are acknowledged within 60 s or never."""
    with Running(Client(server.port)) as running:
        running.after(server.greet(NUMBER), "")
        tcp = client_socket(running)
        assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert options(tcp) == {
            "TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 8, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 60_000
        }  # fmt: skip


def test_a_command_does_not_wait_for_the_one_before_to_be_acknowledged(server: ScriptedServer) -> None:
    with Running(Client(server.port)) as running:
        running.after(server.greet(NUMBER), "")
        assert client_socket(running).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_keep_alive_can_be_switched_off(server: ScriptedServer) -> None:
    with Running(Client(server.port, keepalive=0)) as running:
        running.after(server.greet(NUMBER), "")
        assert not client_socket(running).getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.parametrize("patience", [0.01, 1, 1e6, 1e9])
def test_times_that_the_system_does_not_take_are_no_fault(patience: float) -> None:
    with socket.socket() as tcp:
        keep_alive(tcp, patience)
        assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_a_host_without_any_address_is_told(addresses: list[tuple[Any, ...]]) -> None:
    with Running(named(1)) as running:
        running.wait_text("the host has no address")
