"""A client that notes what it is told about frames."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.scripted import Client, Running, ScriptedServer

from .unix import running_client


@pytest.fixture
def running(server: ScriptedServer) -> Iterator[Running]:
    with running_client(Client(server.port)) as running:
        yield running
