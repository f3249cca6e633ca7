"""A numpy pipeline: frames become arrays in a thread of its own, which prints statistics and averages them.

The camera is the demo's own; for a real one:  pipeline.py --host localhost --device "CCD Simulator"
"""

import argparse
import contextlib
import queue
import sys
import threading

import numpy as np
from PIL import Image

from indipyclient.queclient import runqueclient

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--host", help="an INDI server, in place of the demo's instruments")
parser.add_argument("--port", type=int, default=7624)
parser.add_argument("--device", default="Camera")
parser.add_argument("--frames", type=int, default=5)
parser.add_argument("--exposure", type=float, default=0.5, help="seconds")
parser.add_argument("--output", default="mean.png")


def pipeline(frames, output):
    """Take frames until None comes; then save their mean as a picture."""
    mean = number = 0
    print("frame  exposure      mean       std     max  stars  noise of the mean")
    for number, member in enumerate(iter(frames.get, None), 1):
        header = member.header()
        image = member.array()  # (rows, columns), read-only
        mean = mean + (image - mean) / number
        seen = f"{image.mean():9.1f} {image.std():9.1f} {image.max():7} {stars(image):6}"
        print(f"{number:5} {header['EXPTIME']:7.2f} s {seen} {sky(mean)[1]:18.2f}", flush=True)
    if number:
        # the first row is the lowest, unless the camera says otherwise
        picture(mean if header.get("ROWORDER") == "TOP-DOWN" else mean[::-1]).save(output)
        print(f"the mean of {number} frames is in {output}")


def sky(image):
    """Level and noise of the sky; the medians are not moved by stars."""
    level = np.median(image)
    return level, 1.4826 * np.median(np.abs(image - level))


def stars(image):
    """How many pixels stand out of the sky and are the brightest of the nine around them."""
    level, noise = sky(image)
    brightest = np.lib.stride_tricks.sliding_window_view(image, (3, 3)).max(axis=(2, 3))
    inner = image[1:-1, 1:-1]
    return np.count_nonzero((inner == brightest) & (inner > level + 6 * noise))


def picture(image):
    """Grey from the sky up, stretched so that faint stars are seen beside bright ones."""
    level, noise = sky(image)
    light = np.arcsinh(np.clip((image - level) / (5 * noise + 0.01), 0, 1000))
    return Image.fromarray((light / max(light.max(), 1) * 255).astype(np.uint8))


def expose(args, txque, rxque, frames):
    """Connect the camera, take exposures, and hand each frame to the pipeline as it comes."""

    def wait_for(happened):
        while True:
            item = rxque.get(timeout=args.exposure + 30)
            camera = item.snapshot.get(args.device, {})
            if item[:3] == ("Set", *exposure) and camera[exposure[1]].state == "Alert":
                sys.exit(f"{args.device}: {camera[exposure[1]].message or 'the exposure failed'}")
            if happened(item, camera):
                return camera

    exposure, image = (args.device, "CCD_EXPOSURE"), (args.device, "CCD1")
    wait_for(lambda item, camera: "CONNECTION" in camera)
    txque.put((args.device, "CONNECTION", {"CONNECT": "On"}))
    wait_for(lambda item, camera: "CCD_EXPOSURE" in camera and "CCD1" in camera)
    txque.put((*image, "Also"))  # without this a server sends no frames
    for _ in range(args.frames):
        txque.put((*exposure, {"CCD_EXPOSURE_VALUE": args.exposure}))
        camera = wait_for(lambda item, camera: item[:3] == ("SetBLOB", *image))
        frames.put(camera["CCD1"].member("CCD1"))


def demo():
    from indipyclient.demo.instruments import DemoInstruments

    return DemoInstruments()


args = parser.parse_args()
txque, rxque, frames = queue.Queue(), queue.Queue(), queue.Queue()
with contextlib.nullcontext(args) if args.host else demo() as server:
    client = threading.Thread(target=runqueclient, args=(txque, rxque, server.host, server.port))
    worker = threading.Thread(target=pipeline, args=(frames, args.output))
    client.start()
    worker.start()
    try:
        expose(args, txque, rxque, frames)
    except queue.Empty:
        sys.exit(f"{args.device} at {server.host}:{server.port} is silent")
    finally:
        txque.put(None)
        frames.put(None)
        client.join()
