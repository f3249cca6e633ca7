"""First steps: print what INDI instruments say, and set one of them, from plain code without await.

Without arguments this starts the demo's own thermostat and camera. With --host and --port it uses
a server that has them.
"""

import argparse
import queue
import sys
import threading
import time

from indipyclient.demo.instruments import DemoInstruments
from indipyclient.queclient import runqueclient


def warm_up(host, port):
    txque, rxque = queue.Queue(), queue.Queue()  # commands to the client, and what it has heard
    client = threading.Thread(target=runqueclient, args=(txque, rxque, host, port), daemon=True)
    client.start()

    deadline = time.monotonic() + 20
    reached = False
    while not reached and time.monotonic() < deadline:
        item = rxque.get(timeout=20)
        if item.vectorname is None:  # a message, or news of the connection
            continue
        vector = item.snapshot[item.devicename][item.vectorname]
        print(item.eventtype, item.devicename, item.vectorname, vector.state, dict(vector))
        if item.vectorname == "TARGET" and item.eventtype == "Define":
            txque.put(("Thermostat", "TARGET", {"TARGET": 20}))
        reached = item.vectorname == "TARGET" and item.eventtype == "Set" and vector.state == "Ok"

    txque.put(None)  # ends the client
    client.join(timeout=5)
    if not reached:
        sys.exit("20 degrees were not reached")


parser = argparse.ArgumentParser()
parser.add_argument("--host")
parser.add_argument("--port", type=int, default=7624)
options = parser.parse_args()
if options.host:
    warm_up(options.host, options.port)
else:
    with DemoInstruments() as demo:
        warm_up(demo.host, demo.port)
