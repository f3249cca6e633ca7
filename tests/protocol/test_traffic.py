"""What real servers send, as recorded: three ways to write the same things."""

from __future__ import annotations

import pytest

from indipyclient.protocol import (
    DefMember,
    DefVector,
    DelProperty,
    DeviceMessage,
    GetProperties,
    Message,
    OneBLOB,
    OneMember,
    PingReply,
    PingRequest,
    SetVector,
)
from indipyclient.protocol.timestamps import parse_timestamp

from .reading import read

CCD = "CCD Simulator"


def at(clock: str) -> dict[str, object]:
    """Return the timestamp of these recordings, as a keyword."""
    return {"timestamp": parse_timestamp(f"2026-11-23T{clock}")}


def update(
    kind: str, device: str, name: str, clock: str, *members: OneMember | OneBLOB, **other: object
) -> SetVector:
    """Return an update in state Ok with a timeout of 60 s, if nothing else is said."""
    fields = {"state": "Ok", "timeout": 60.0, "message": ""} | at(clock) | other
    return SetVector(kind=kind, device=device, name=name, members=members, **fields)  # type: ignore[arg-type]


# indiserver 1.9.9: its own layout, whatever the driver wrote. Four spaces, text on a line of its own.
INDISERVER = b"""\
<defSwitchVector device="Telescope Simulator" name="CONFIG_PROCESS" label="Configuration" group="Options" state="Idle" perm="rw" rule="AtMostOne" timeout="0" timestamp="2026-11-23T21:24:00">
    <defSwitch name="CONFIG_LOAD" label="Load">
Off
    </defSwitch>
    <defSwitch name="CONFIG_SAVE" label="Save">
On
    </defSwitch>
</defSwitchVector>
<defTextVector device="CCD Simulator" name="DRIVER_INFO" label="Driver Info" group="Connection" state="Idle" perm="ro" timeout="60" timestamp="2026-11-23T21:24:00">
    <defText name="DRIVER_NAME" label="Name">
CCD Simulator
    </defText>
    <defText name="DRIVER_INTERFACE" label="Interface"/>
</defTextVector>
<defNumberVector device="CCD Simulator" name="POLLING_PERIOD" label="Polling" group="Options" state="Idle" perm="rw" timeout="0" timestamp="2026-11-23T21:24:00">
    <defNumber name="PERIOD_MS" label="Period (ms)" format="%.f" min="10" max="600000" step="1000">
250
    </defNumber>
</defNumberVector>
<defBLOBVector device="CCD Simulator" name="CCD1" label="Image Data" group="Image Info" state="Idle" perm="ro" timeout="60" timestamp="2026-11-23T21:24:02">
    <defBLOB name="CCD1" label="Image"/>
</defBLOBVector>
<setNumberVector device="CCD Simulator" name="CCD_STREAM_FRAME" state="Ok" timeout="60" timestamp="2026-11-23T21:24:03">
    <oneNumber name="X" min="0" max="7" step="0">
0
    </oneNumber>
    <oneNumber name="WIDTH" min="10" max="8" step="0">
8
    </oneNumber>
</setNumberVector>
<pingReply uid="abc"/>
<message device="CCD Simulator" timestamp="2026-11-23T21:24:03" message="[ERROR] Got no stars, is gsc installed with appropriate environment variables set ??"/>
<setBLOBVector device="CCD Simulator" name="CCD1" state="Ok" timeout="60" timestamp="2026-11-23T21:24:40">
    <oneBLOB name="CCD1" size="9" format=".fits" len="9">
U0lNUExFICA9
    </oneBLOB>
</setBLOBVector>
<setNumberVector device="CCD Simulator" name="CCD_EXPOSURE" state="Ok" timeout="60" timestamp="2026-11-23T21:24:40">
    <oneNumber name="CCD_EXPOSURE_VALUE">
0.10000000000000000555
    </oneNumber>
</setNumberVector>
<delProperty device="CCD Simulator" name="CCD1" timestamp="2026-11-23T21:24:03"/>
<delProperty device="CCD Simulator"/>
"""  # noqa: E501

FROM_INDISERVER: list[Message] = [
    DefVector(
        "Switch", "Telescope Simulator", "CONFIG_PROCESS", "Configuration", "Options", "Idle", "rw",
        "AtMostOne", 0.0, parse_timestamp("2026-11-23T21:24:00"), "",
        (DefMember("CONFIG_LOAD", "Load", "Off"), DefMember("CONFIG_SAVE", "Save", "On")),
    ),
    DefVector(
        "Text", CCD, "DRIVER_INFO", "Driver Info", "Connection", "Idle", "ro", None, 60.0,
        parse_timestamp("2026-11-23T21:24:00"), "",
        (DefMember("DRIVER_NAME", "Name", CCD), DefMember("DRIVER_INTERFACE", "Interface", "")),
    ),
    DefVector(
        "Number", CCD, "POLLING_PERIOD", "Polling", "Options", "Idle", "rw", None, 0.0,
        parse_timestamp("2026-11-23T21:24:00"), "",
        (DefMember("PERIOD_MS", "Period (ms)", "250", "%.f", "10", "600000", "1000"),),
    ),
    DefVector(
        "BLOB", CCD, "CCD1", "Image Data", "Image Info", "Idle", "ro", None, 60.0,
        parse_timestamp("2026-11-23T21:24:02"), "", (DefMember("CCD1", "Image"),),
    ),
    update(
        "Number", CCD, "CCD_STREAM_FRAME", "21:24:03",
        OneMember("X", "0", ("0", "7", "0")), OneMember("WIDTH", "8", ("10", "8", "0")),
    ),
    PingReply("abc"),
    DeviceMessage(
        CCD, parse_timestamp("2026-11-23T21:24:03"),
        "[ERROR] Got no stars, is gsc installed with appropriate environment variables set ??",
    ),
    update("BLOB", CCD, "CCD1", "21:24:40", OneBLOB("CCD1", memoryview(b"SIMPLE  ="), 9, ".fits")),
    update(
        "Number", CCD, "CCD_EXPOSURE", "21:24:40",
        OneMember("CCD_EXPOSURE_VALUE", "0.10000000000000000555"),
    ),
    DelProperty(CCD, "CCD1", parse_timestamp("2026-11-23T21:24:03"), ""),
    DelProperty(CCD, None, None, ""),
]  # fmt: skip

# A driver of libindi 1.9.9 without a server. Each message but pings has its XML declaration.
DRIVER = b"""\
<?xml version='1.0'?>
<getProperties version='1.7' device='GPS Simulator' name='GEOGRAPHIC_COORD'/>
<?xml version='1.0'?>
<defNumberVector
  device='Weather Simulator'
  name='GEOGRAPHIC_COORD'
  label='Location'
  group='Site Management'
  state='Ok'
  perm='rw'
  timeout='60'
  timestamp='2026-11-23T21:24:43'
>
  <defNumber
    name='LAT'
    label='Lat (dd:mm:ss)'
    format='%010.6m'
    min='-90'
    max='90'
    step='0'>
      0
  </defNumber>
</defNumberVector>
<?xml version='1.0'?>
<message
 device='Weather Simulator'
  timestamp='2026-11-23T21:24:43'
  message='[INFO] Weather update is in progress...'
/>
<?xml version='1.0'?>
<defBLOBVector
  device='CCD Simulator'
  name='CCD1'
  label='Image Data'
  group='Image Info'
  state='Idle'
  perm='ro'
  timeout='60'
  timestamp='2026-11-23T21:25:11'
>
  <defBLOB
    name='CCD1'
    label='Image'
  />
</defBLOBVector>
<?xml version='1.0'?>
<setNumberVector
  device='CCD Simulator'
  name='CCD_FRAME'
  state='Idle'
  timeout='60'
  timestamp='2026-11-23T21:25:11'
>
  <oneNumber name='X'
    min='0'
    max='1279'
    step='0'
>
      0
  </oneNumber>
  <oneNumber name='Y'>
      0
  </oneNumber>
</setNumberVector>
<?xml version='1.0'?>
<setBLOBVector
  device='CCD Simulator'
  name='CCD1'
  state='Ok'
  timeout='60'
  timestamp='2026-11-23T21:25:12'
>
  <oneBLOB
    name='CCD1'
    size='108'
    enclen='144'
    format='.fits'>
U0lNUExFICA9ICAgICAgICAgICAgICAgICAgICBUIC8gZmlsZSBkb2VzIGNvbmZvcm0gdG8g
RklUUyBzdGFuZGFyZCAgICAgICAgICAgICBCSVRQSVggID0gICAgICAgICAgICAgICAgICAg
  </oneBLOB>
</setBLOBVector>
<pingRequest uid='SetBLOB/1' />
"""

FRAME = b"%-80s%-28s" % (b"SIMPLE  =                    T / file does conform to FITS standard", b"BITPIX  =")
WEATHER = "Weather Simulator"

FROM_A_DRIVER: list[Message] = [
    GetProperties("GPS Simulator", "GEOGRAPHIC_COORD", "1.7"),
    DefVector(
        "Number", WEATHER, "GEOGRAPHIC_COORD", "Location", "Site Management", "Ok", "rw", None, 60.0,
        parse_timestamp("2026-11-23T21:24:43"), "",
        (DefMember("LAT", "Lat (dd:mm:ss)", "0", "%010.6m", "-90", "90", "0"),),
    ),
    DeviceMessage(WEATHER, parse_timestamp("2026-11-23T21:24:43"), "[INFO] Weather update is in progress..."),
    DefVector(
        "BLOB", CCD, "CCD1", "Image Data", "Image Info", "Idle", "ro", None, 60.0,
        parse_timestamp("2026-11-23T21:25:11"), "", (DefMember("CCD1", "Image"),),
    ),
    update(
        "Number", CCD, "CCD_FRAME", "21:25:11",
        OneMember("X", "0", ("0", "1279", "0")), OneMember("Y", "0"), state="Idle",
    ),
    update("BLOB", CCD, "CCD1", "21:25:12", OneBLOB("CCD1", memoryview(FRAME), 108, ".fits")),
    PingRequest("SetBLOB/1"),
]  # fmt: skip

# indipyserver: no white space between elements, blanks before "/>", microseconds, character references.
INDIPYSERVER = (
    b'<defSwitchVector device="Bench" name="LAMP" label="Lamp" group="Main" state="Idle" perm="rw" '
    b'rule="OneOfMany" timestamp="2026-11-23T21:24:44.740759" timeout="0">'
    b'<defSwitch name="LAMP_ON" label="On">Off</defSwitch>'
    b'<defSwitch name="LAMP_OFF" label="Off">On</defSwitch></defSwitchVector>'
    b'<defBLOBVector device="Bench" name="DOWNLOAD" label="Download" group="Main" state="Idle" perm="ro" '
    b'timestamp="2026-11-23T21:24:44.740799"><defBLOB name="FRAME" label="FRAME" /></defBLOBVector>'
    b'<setTextVector device="Bench" name="REMARKS" state="Ok" timestamp="2026-11-23T21:24:46.245100" '
    b'timeout="0"><oneText name="REMARK">a &lt; b &amp; 20 &#176;C\nx</oneText></setTextVector>'
    b'<setNumberVector device="Bench" name="LEVELS" state="Ok" timestamp="2026-11-23T21:24:46.245199" '
    b'timeout="0"><oneNumber name="LEVEL">5</oneNumber></setNumberVector>'
    b'<setBLOBVector device="Bench" name="DOWNLOAD" state="Ok" timestamp="2026-11-23T21:24:46.245288">'
    b'<oneBLOB name="FRAME" format=".bin" size="3">QUJD</oneBLOB></setBLOBVector>'
)

FROM_INDIPYSERVER: list[Message] = [
    DefVector(
        "Switch", "Bench", "LAMP", "Lamp", "Main", "Idle", "rw", "OneOfMany", 0.0,
        parse_timestamp("2026-11-23T21:24:44.740759"), "",
        (DefMember("LAMP_ON", "On", "Off"), DefMember("LAMP_OFF", "Off", "On")),
    ),
    DefVector(
        "BLOB", "Bench", "DOWNLOAD", "Download", "Main", "Idle", "ro", None, 0.0,
        parse_timestamp("2026-11-23T21:24:44.740799"), "", (DefMember("FRAME", "FRAME"),),
    ),
    update(
        "Text", "Bench", "REMARKS", "21:24:46.245100",
        OneMember("REMARK", "a < b & 20 °C\nx"), timeout=0.0,
    ),
    update("Number", "Bench", "LEVELS", "21:24:46.245199", OneMember("LEVEL", "5"), timeout=0.0),
    update(
        "BLOB", "Bench", "DOWNLOAD", "21:24:46.245288",
        OneBLOB("FRAME", memoryview(b"ABC"), 3, ".bin"), timeout=None,
    ),
]  # fmt: skip

RECORDED = {
    "indiserver": (INDISERVER, FROM_INDISERVER),
    "a driver of libindi": (DRIVER, FROM_A_DRIVER),
    "indipyserver": (INDIPYSERVER, FROM_INDIPYSERVER),
}


@pytest.mark.parametrize(("data", "messages"), RECORDED.values(), ids=RECORDED)
def test_recorded_traffic_is_understood(data: bytes, messages: list[Message]) -> None:
    assert read(data) == messages


@pytest.mark.parametrize(("data", "messages"), RECORDED.values(), ids=RECORDED)
def test_recorded_traffic_is_understood_after_any_part_of_it_was_missed(
    data: bytes, messages: list[Message]
) -> None:
    """As when the first bytes were lost: all elements after the one cut into are there."""
    for place in range(0, len(data), len(data) // 40):
        late = read(data[place:])
        whole = [message for message in late if message in messages]
        assert whole == messages[len(messages) - len(whole) :]
        assert len(late) <= len(whole) + 1  # the report on the first
