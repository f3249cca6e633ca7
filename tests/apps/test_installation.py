"""The applications really run on this package, and not on the indipyclient they were published with."""

from __future__ import annotations

import json
import subprocess

import pytest

import indipyclient

# the first test here waits for the environment to be made
pytestmark = pytest.mark.timeout(300)

ASK = """
import json, indipyclient, indipyterm.iclient, indipyweb.iclient, indipyconsole.indipyclient
from importlib.metadata import version

ours = indipyclient.IPyClient
print(json.dumps({
    "installed": version("indipyclient"),
    "imported": indipyclient.version,
    "file": indipyclient.__file__,
    "indipyterm": issubclass(indipyterm.iclient.IClient, ours),
    "indipyweb": issubclass(indipyweb.iclient.IPyWebClient, ours),
    "indipyconsole": indipyconsole.indipyclient.IPyClient is ours,
}))
"""


def test_the_applications_import_this_package(python: str) -> None:
    answer = json.loads(subprocess.check_output([python, "-I", "-c", ASK]))
    assert "site-packages" in answer.pop("file")
    assert answer == {
        "installed": indipyclient.version,
        "imported": indipyclient.version,
        "indipyterm": True,
        "indipyweb": True,
        "indipyconsole": True,
    }
