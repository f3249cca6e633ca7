"""Slew, choose a filter, focus, and take a frame: each step returns when the instrument is done with it.

For libindi's simulators, started by `indiserver indi_simulator_{telescope,wheel,focus,ccd}`:
observe.py HOST [PORT]. With no arguments, and the extra "demo" installed, it sets the demo's
thermostat and takes a frame with its camera.
"""

import contextlib
import sys

import indipyclient

if not sys.argv[1:]:
    from indipyclient.demo.instruments import DemoInstruments

M42 = {"RA": "5:35:17", "DEC": 80}
OBSERVATORY = {
    "Telescope Simulator": {"CONNECTION": "CONNECT", "TELESCOPE_PARK": "UNPARK", "EQUATORIAL_EOD_COORD": M42},
    "Filter Simulator": {"CONNECTION": "CONNECT", "FILTER_SLOT": {"FILTER_SLOT_VALUE": 3}},
    "Focuser Simulator": {"CONNECTION": "CONNECT", "ABS_FOCUS_POSITION": {"FOCUS_ABSOLUTE_POSITION": 52000}},
    "CCD Simulator": {"CONNECTION": "CONNECT"},
}
DEMO = {"Thermostat": {"TARGET": {"TARGET": 18.5}}, "Camera": {"CONNECTION": "CONNECT"}}

with contextlib.ExitStack() as stack:
    demo = None if sys.argv[1:] else stack.enter_context(DemoInstruments())
    host, port = (demo.host, demo.port) if demo else [*sys.argv[1:], 7624][:2]
    indi = stack.enter_context(indipyclient.connect(host, int(port)))
    for device, steps in (DEMO if demo else OBSERVATORY).items():
        for name, values in steps.items():
            done = indi.wait_for_vector(device, name, timeout=20).put(values).result(timeout=120)
            print(f"{device:19} {name:20} {done.state:4} {dict(indi[device][name])}", flush=True)
    frame = indi[device]["CCD1"].expect_blob()  # asked for before the command goes out
    indi[device]["CCD_EXPOSURE"].put({"CCD_EXPOSURE_VALUE": 0.5})
    image = frame.result(timeout=60).array()
    print(f"{device:19} {image.shape[1]} x {image.shape[0]} pixels, from {image.min()} to {image.max()}")
