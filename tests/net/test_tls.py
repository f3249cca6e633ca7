"""TLS: a proxy that speaks it stands before a real indiserver, as stunnel or nginx would."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
import trustme

import indipyclient
from indipyclient.errors import NotConnected
from tests.support.proxy import Proxy
from tests.support.scripted import NUMBER, SOON, Client, Running, ScriptedServer, moved
from tests.support.servers import CCD, IndiServer, Server
from tests.support.session import QueueSession
from tests.support.simulators import connect_camera, expose


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_side(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """What the server proves its names with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What a client has that trusts an authority, and nothing but it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


def tls_client(port: int, context: ssl.SSLContext, **timing: float) -> Client:
    client = Client(port, **timing)
    client.ssl_context = context
    return client


@pytest.fixture(scope="module")
def indiserver() -> Iterator[Server]:
    with IndiServer(CCD) as server:
        yield server


@pytest.mark.real
def test_commands_and_frames_come_through_tls(indiserver: Server, authority: trustme.CA) -> None:
    with (
        Proxy(indiserver.port, tls=server_side(authority, "127.0.0.1")) as proxy,
        QueueSession(proxy.port, ssl_context=trusting(authority)) as session,
    ):
        connect_camera(session)
        session.send(CCD, "CCD1", "Also")
        assert expose(session, 0.1).data.shape == (1024, 1280)


@pytest.mark.real
def test_a_separate_line_for_blobs_speaks_tls_too(indiserver: Server, authority: trustme.CA) -> None:
    with (
        Proxy(indiserver.port, tls=server_side(authority, "127.0.0.1")) as proxy,
        QueueSession(proxy.port, ssl_context=trusting(authority), separate_blobs=True) as session,
    ):
        connect_camera(session)
        session.send(CCD, "CCD1", "Also")
        assert expose(session, 0.1).data.shape == (1024, 1280)
        assert proxy.connections == 2


@pytest.mark.parametrize(
    ("names", "trusted"),
    [(["127.0.0.1"], False), (["other.example.org"], True)],
    ids=["of an unknown authority", "for another name"],
)
def test_a_wrong_certificate_is_told_and_nothing_is_sent(
    server: ScriptedServer, authority: trustme.CA, names: list[str], trusted: bool
) -> None:
    """There is no falling back to plain text: the server hears nothing, and the next try is TLS too."""
    context = trusting(authority if trusted else trustme.CA())
    with Proxy(server.port, tls=server_side(authority, *names)) as proxy:
        with Running(tls_client(proxy.port, context)) as running:
            said = running.wait_text("Connection error").text
            running.wait_text("Attempting")
            running.wait_text("Connection error")
            assert not [seen for seen in running.seen if seen.kind == "ConnectionMade"]
        assert "certificate verify failed" in said
        assert proxy.down.passed == proxy.up.passed == 0


def test_a_server_that_speaks_plain_text_is_not_talked_to(
    server: ScriptedServer, authority: trustme.CA
) -> None:
    """indiserver itself says nothing to a TLS greeting: only the time limit ends that."""
    with Running(tls_client(server.port, trusting(authority), connect_timeout=0.2)) as running:
        peer = server.accept()
        running.wait_text("no answer, or none in TLS, within 0.2 s")
        peer.receive_end()
        assert b"getProperties" not in peer.raw
        peer = server.accept()
        peer.send(NUMBER)
        running.wait_text("Connection error")
        assert running.client.snapshot().keys() == set()


def test_the_end_of_the_stream_is_seen_at_once_and_the_client_comes_back(
    server: ScriptedServer, authority: trustme.CA
) -> None:
    with (
        Proxy(server.port, tls=server_side(authority, "127.0.0.1")) as proxy,
        Running(tls_client(proxy.port, trusting(authority))) as running,
    ):
        for lose in (proxy.cut, proxy.reset):
            peer = server.greet(NUMBER + moved(4))
            running.wait_for("setNumberVector")
            lose()
            running.wait_for("ConnectionLost", SOON)
            peer.close()


@pytest.mark.parametrize("stalled", [False, True])
def test_shutdown_ends_a_tls_connection_at_once(
    server: ScriptedServer, authority: trustme.CA, stalled: bool
) -> None:
    with Proxy(server.port, tls=server_side(authority, "127.0.0.1")) as proxy:
        client = tls_client(proxy.port, trusting(authority))
        with Running(client) as running:
            peer = server.greet(NUMBER)
            running.wait_for("defNumberVector")
            if stalled:
                proxy.stall(proxy.up, proxy.down)
            client.shutdown()
            assert running.ended(10)
            peer.close()


def test_a_unix_socket_with_tls_is_told(authority: trustme.CA) -> None:
    client = tls_client(0, trusting(authority))
    client.indihost = "unix:/nowhere"
    with Running(client) as running:
        running.wait_text("unix:/nowhere is a Unix socket, which has no TLS")


def test_the_synchronous_client_speaks_tls(server: ScriptedServer, authority: trustme.CA) -> None:
    with (
        Proxy(server.port, tls=server_side(authority, "127.0.0.1")) as proxy,
        indipyclient.connect("127.0.0.1", proxy.port, timeout=20, ssl_context=trusting(authority)) as client,
    ):
        peer = server.greet(NUMBER)
        assert dict(client.wait_for_vector("D", "N", timeout=20)) == {"x": 1, "y": 2}
        peer.close()


def test_the_synchronous_client_says_what_is_wrong_with_a_certificate(
    server: ScriptedServer, authority: trustme.CA
) -> None:
    with (
        Proxy(server.port, tls=server_side(authority, "127.0.0.1")) as proxy,
        pytest.raises(NotConnected, match="certificate verify failed"),
    ):
        indipyclient.connect("127.0.0.1", proxy.port, timeout=0.5, ssl_context=trusting(trustme.CA()))
