"""A client that is connected to a scripted server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.scripted import ScriptedServer

from .session import Session


@pytest.fixture
def session(server: ScriptedServer) -> Iterator[Session]:
    with Session(server) as session:
        yield session
