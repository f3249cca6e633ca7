"""A network that begins to swallow everything, with a server that has never answered a ping."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.servers import require

UNSHARE = ["unshare", "--map-root-user", "--net"]


def may_have_a_network_of_its_own() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has network namespaces")
@pytest.mark.parametrize("idle_timeout", [1000, 0.5], ids=["nothing is sent", "pings are sent"])
def test_the_system_finds_a_dead_end_although_the_server_never_answered_a_ping(idle_timeout: float) -> None:
    """With a `keepalive` of 2 s instead of 60. What is sent and not acknowledged must not put it off."""
    require(may_have_a_network_of_its_own(), "unshare, and the right to use it,")
    program = [*UNSHARE, sys.executable, "-m", "tests.net.black_hole", "2", str(idle_timeout)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1:] == ["and it is back"], done.stderr
