"""Waiting where nothing can come: GUI 8, rows 5 and 15."""

from __future__ import annotations

import asyncio
import threading

import pytest

from indipyclient.errors import WouldDeadlock
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import EventItem, QueClient
from tests.support.scripted import NUMBER, ScriptedServer


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_a_hook_that_waits_in_the_clients_thread_is_told_at_once(timeout: float | None) -> None:
    """Row 15, and row 5: a hook that calls what blocks."""
    rxque: Mailbox[EventItem] = Mailbox()
    told = threading.Event()

    def hook() -> None:
        if not rxque.closed and threading.current_thread() is not threading.main_thread():
            rxque.drain()
            with pytest.raises(WouldDeadlock):
                rxque.get(timeout)
            told.set()

    with ScriptedServer() as server:
        client = QueClient(Mailbox(), rxque, "127.0.0.1", server.port)
        rxque.set_hook(hook)
        thread = threading.Thread(target=lambda: asyncio.run(client.asyncrun()))
        thread.start()
        try:
            server.greet(NUMBER)
            assert told.wait(10)
        finally:
            client.shutdown()
            thread.join(10)
    assert not thread.is_alive()
    assert rxque.hook_errors == 0


def test_the_programs_own_threads_may_wait_while_a_client_runs() -> None:
    with ScriptedServer() as server:
        rxque: Mailbox[EventItem] = Mailbox()
        client = QueClient(Mailbox(), rxque, "127.0.0.1", server.port)
        thread = threading.Thread(target=lambda: asyncio.run(client.asyncrun()))
        thread.start()
        try:
            assert rxque.get(10).eventtype == "Message"
        finally:
            client.shutdown()
            thread.join(10)
