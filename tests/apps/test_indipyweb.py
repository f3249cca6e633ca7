"""indipyweb 0.2.1 by HTTP, as its users' browsers talk to it."""

from __future__ import annotations

import io
import json
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from astropy.io import fits

from tests.apps.compare import agree, labels, labels_by_group
from tests.apps.web import ANSWER_SECONDS, Browser, Property, Site
from tests.support.deadline import becomes_true
from tests.support.servers import CCD, TELESCOPE, IndiServer, Server
from tests.support.session import QueueSession

# the first test here may wait for the environment to be made
pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

NO_RIGHTS = "Please login to continue"


@pytest.fixture(scope="module")
def site(observatory: Server, python: str) -> Iterator[Site]:
    with Site(python, observatory) as site:
        yield site
        assert "Traceback" not in site.log


@pytest.fixture
def visitor(site: Site) -> Browser:
    """Somebody who has not logged in."""
    browser = Browser(site)
    assert becomes_true(lambda: "CCD1" in browser.get("api"), ANSWER_SECONDS)
    return browser


@pytest.fixture
def admin(visitor: Browser) -> Browser:
    visitor.log_in()
    return visitor


def test_the_landing_page_says_connected(visitor: Browser, observatory: Server) -> None:
    assert f"Connected to INDI service at: 127.0.0.1:{observatory.port}" in visitor.get("")


def test_devices_and_messages_are_listed(visitor: Browser) -> None:
    devices = visitor.get("updateinstruments")
    assert CCD in devices and TELESCOPE in devices
    assert "getProperties sent" in visitor.get("updatemessages")


def test_the_right_password_logs_in_and_a_wrong_one_does_not(visitor: Browser) -> None:
    assert "Invalid" in visitor.post("login", username="admin", password="something")
    assert "Logout" not in visitor.get("")
    visitor.log_in()
    assert "Logout" in visitor.get("")
    assert "BLOB Folder" in visitor.get("")


@pytest.mark.parametrize("device", [TELESCOPE, CCD])
def test_a_device_has_its_groups_and_each_group_its_properties(
    admin: Browser, session: QueueSession, device: str
) -> None:
    number = admin.device(device)
    agree(
        lambda: labels_by_group(session, device),
        lambda: {name: labels(admin.group(number, name)) for name in admin.groups(number)},
    )


def test_the_api_says_in_json_what_is_known(visitor: Browser, session: QueueSession) -> None:
    one_property = api(visitor, CCD, "CCD_INFO")
    assert without_times(one_property) == without_times(session.snap[CCD]["CCD_INFO"].dictdump())
    agree(lambda: api(visitor, CCD)["vectors"].keys(), lambda: session.client.snapshot()[CCD].keys())
    everything = api(visitor)
    assert everything["connected"] is True
    assert everything["devices"].keys() == {CCD, TELESCOPE}
    assert everything["devices"][CCD]["vectors"]["CCD_INFO"] == one_property


def test_the_landing_page_is_told_what_to_fetch(visitor: Browser) -> None:
    with visitor.events("instruments") as events:
        assert next(events) == "newinstruments"
        assert "newmessages" in events


def test_a_change_is_announced_to_the_pages_that_show_it(admin: Browser) -> None:
    device = admin.device(CCD)
    gain = admin.find(device, "Main Control", "Gain")
    announced = f"vector_{gain.id}"
    with admin.events(f"device/devicechange/{device}") as events:
        assert announced in events, "a page that has just been opened hears of every property once"
        wait_for_a_later_second(api(admin, CCD, "CCD_GAIN")["timestamp"])
        admin.post(f"vector/submit/{gain.id}", **{gain.fields[0]: "60"})
        assert announced in events
    agree(lambda: api(admin, CCD, "CCD_GAIN")["members"]["GAIN"]["floatvalue"], lambda: 60)


def test_an_exposure_is_busy_then_ok_and_its_frame_can_be_downloaded(admin: Browser, site: Site) -> None:
    number = admin.device(CCD)
    exposure = admin.find(number, "Main Control", "Expose")
    answer = admin.post(f"vector/submit/{exposure.id}", **{exposure.fields[0]: "1"})
    assert "Vector changes sent" in answer
    assert Property(answer).state == "Busy"
    assert becomes_true(lambda: admin.update(exposure).state == "Ok", ANSWER_SECONDS)
    assert becomes_true(lambda: bool(frames(admin, number)), ANSWER_SECONDS)
    (name,) = frames(admin, number)
    assert name in admin.get("blobs")
    content = admin.download(f"getblob/{name}")
    assert content == (site.blobs / name).read_bytes()
    with fits.open(io.BytesIO(content)) as frame:
        frame.verify("exception")
        assert frame[0].header["EXPTIME"] == 1


@pytest.mark.parametrize(
    ("group", "label", "value", "answer"),
    [
        ("Main Control", "Expose", "one", "Unable to parse number value"),
        ("Main Control", "Expose", "", "Nothing to send!"),
        ("Main Control", "Connection", "On", "OneOfMany rule requires one switch only to be On"),
        ("Image Info", "CCD Information", "1", "INVALID: This is a Read Only vector!"),
    ],
)
def test_what_cannot_be_sent_is_rejected(
    admin: Browser, group: str, label: str, value: str, answer: str
) -> None:
    shown = admin.find(admin.device(CCD), group, label)
    assert answer in admin.post(f"vector/submit/{shown.id}", **dict.fromkeys(shown.fields, value))
    assert admin.update(shown).state == shown.state


def test_a_visitor_may_look_but_not_touch(visitor: Browser) -> None:
    exposure = visitor.find(visitor.device(CCD), "Main Control", "Expose")
    assert exposure.fields == []
    assert NO_RIGHTS in visitor.post(f"vector/submit/{exposure.id}", member_1="1")
    assert NO_RIGHTS in visitor.get("blobs")


def test_the_site_ends_when_asked_to(observatory: Server, python: str) -> None:
    with Site(python, observatory) as site:
        browser = Browser(site)
        assert becomes_true(lambda: "Connected to" in browser.get(""), ANSWER_SECONDS)
        assert site.terminate() in (0, -signal.SIGTERM)
        assert "Traceback" not in site.log


def test_a_lost_server_is_shown_and_its_return_too(python: str) -> None:
    with IndiServer(TELESCOPE) as server, Site(python, server) as site:
        browser = Browser(site)
        browser.log_in()
        assert becomes_true(lambda: TELESCOPE in browser.get("updateinstruments"), ANSWER_SECONDS)
        page = f"device/choosedevice/{browser.device(TELESCOPE)}"
        server.kill()
        assert becomes_true(lambda: "Connecting to INDI service" in browser.get(""), ANSWER_SECONDS)
        assert becomes_true(lambda: "No device" in browser.get("updateinstruments"), ANSWER_SECONDS)
        assert "updateinstruments" in browser.get(page), "a page of a lost device leads to the landing page"
        server.start()
        assert becomes_true(lambda: TELESCOPE in browser.get("updateinstruments"), ANSWER_SECONDS)
        assert "Connected to INDI service" in browser.get("")
        connect(browser, browser.device(TELESCOPE))


def api(browser: Browser, *names: str) -> Any:
    return json.loads(browser.get("/".join(["api", *map(quote, names)])))


def frames(browser: Browser, device: int) -> list[str]:
    """Return the names of the frames that the camera's page offers."""
    return [name for shown in browser.group(device, "Image Info") for name in shown.downloads]


def wait_for_a_later_second(timestamp: str) -> None:
    """indipyweb knows a change by its time; libindi gives whole seconds, of a clock that is a tick behind."""
    later = datetime.fromisoformat(timestamp).timestamp() + 1.1
    assert becomes_true(lambda: time.time() > later, ANSWER_SECONDS)


def without_times(vector: dict[str, Any]) -> dict[str, Any]:
    """Leave out when it was said: each client is told at its own time."""
    return {name: value for name, value in vector.items() if not name.endswith("timestamp")}


def connect(browser: Browser, device: int) -> None:
    switch = browser.find(device, "Main Control", "Connection")
    browser.post(f"vector/submit/{switch.id}", **{switch.fields[0]: "On"})
    assert becomes_true(lambda: browser.update(switch).state == "Ok", ANSWER_SECONDS)
    assert becomes_true(lambda: "Site Management" in browser.groups(device), ANSWER_SECONDS)
