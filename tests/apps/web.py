"""indipyweb in a process of its own, a browser for it, and what its pages say."""

from __future__ import annotations

import html
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

from tests.support.servers import STOP_SECONDS, Server

ANSWER_SECONDS = 15.0

# what an administrator sets on the page "System Setup", and what is read at the next start
_SET_UP = """
import sys
from pathlib import Path
from indipyweb.web.userdata import set_stored_item, setupdbase

folder, port, blobs = sys.argv[1:]
setupdbase(None, None, Path(folder))
set_stored_item("indihost", "127.0.0.1")
set_stored_item("indiport", int(port))
set_stored_item("blobfolder", blobs)
"""


class Site(Server):
    """indipyweb, looking at an INDI server; BLOBs go to the folder `blobs`."""

    def __init__(self, python: str, indi: Server) -> None:
        super().__init__()
        self._python = python
        self.blobs = Path(self._folder.name, "blobs")
        self.blobs.mkdir()
        arguments = [self._folder.name, str(indi.port), str(self.blobs)]
        subprocess.run([python, "-I", "-c", _SET_UP, *arguments], check=True)

    def __enter__(self) -> Site:
        super().__enter__()
        return self

    @property
    def command(self) -> list[str]:
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--dbfolder", self._folder.name]
        return [self._python, "-I", "-m", "indipyweb", *where]

    def terminate(self) -> int:
        """Ask the site to end; return its exit code, negative for a signal."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)


class Property:
    """What a page says of one property."""

    def __init__(self, page: str) -> None:
        self._page = page
        self.id = int(_find(r'id="(?:stateandtime|vector)_(\d+)"', page))
        self.label = html.unescape(_find(r"<h3>(.*?)</h3>", page))
        self.state = _find(r"<p>State (?:\S+ )?: (\w+)</p>", page)
        self.fields = re.findall(r'name="(member_\d+)"', page)
        self.downloads = re.findall(r'href="../../getblob/([^"]+)"', page)


class Browser:
    """Somebody's browser: keeps cookies, follows redirections, posts forms, takes server-sent events."""

    def __init__(self, site: Server) -> None:
        self._site = f"http://127.0.0.1:{site.port}/"
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor())

    def get(self, path: str) -> str:
        return self.download(path).decode()

    def download(self, path: str) -> bytes:
        with self._open(path) as response:
            return response.read()

    def post(self, path: str, **fields: str) -> str:
        with self._open(path, urlencode(fields).encode()) as response:
            return response.read().decode()

    def log_in(self) -> None:
        """As the administrator that indipyweb makes for its first start."""
        self.post("login", username="admin", password="password!")

    @contextmanager
    def events(self, path: str) -> Iterator[Iterator[str]]:
        """Listen: gives the names of the events as they come, and raises TimeoutError when none does."""
        with self._open(path) as response:
            yield _event_names(response)

    def device(self, name: str) -> int:
        """Return the number of a device in the addresses of its pages."""
        page = self.get("updateinstruments")
        return int(_find(rf'choosedevice/(\d+)"[^>]*>{re.escape(name)}<', page))

    def groups(self, device: int) -> list[str]:
        page = self.get(f"device/choosedevice/{device}")
        return [html.unescape(name) for name in re.findall(r'hx-target="#grouptabs">([^<]+)</a>', page)]

    def group(self, device: int, name: str) -> list[Property]:
        """Return what the tab of a group shows."""
        page = self.get(f"device/getgroup/{device}/{quote(name)}")
        return [Property(part) for part in re.split(r'(?=<div id="vector_)', page)[1:]]

    def find(self, device: int, group: str, label: str) -> Property:
        return next(shown for shown in self.group(device, group) if shown.label == label)

    def update(self, shown: Property) -> Property:
        """Return what the page replaces a property by when it has changed."""
        return Property(self.get(f"vector/update/{shown.id}"))

    def _open(self, path: str, data: bytes | None = None) -> HTTPResponse:
        response: HTTPResponse = self._opener.open(self._site + path, data, ANSWER_SECONDS)
        return response


def _event_names(response: HTTPResponse) -> Iterator[str]:
    for line in response:
        if line.startswith(b"event:"):
            yield line.removeprefix(b"event:").decode().strip()


def _find(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match is not None, f"no {pattern} on the page:\n{page}"
    return match[1]
