"""First steps: print what INDI instruments say, and set one of them, from plain code without await.

The instruments are the demo's own; for a server of yours, give its host and port to runqueclient.
"""

import queue
import threading

from indipyclient.demo.instruments import DemoInstruments
from indipyclient.queclient import runqueclient

txque, rxque = queue.Queue(), queue.Queue()  # commands to the client, and what it has heard

with DemoInstruments() as demo:
    client = threading.Thread(target=runqueclient, args=(txque, rxque, demo.host, demo.port), daemon=True)
    client.start()
    while True:
        item = rxque.get(timeout=20)
        if item.vectorname is None:  # a message, or news of the connection
            continue
        vector = item.snapshot[item.devicename][item.vectorname]
        print(item.eventtype, item.devicename, item.vectorname, vector.state, dict(vector))
        if item.vectorname == "TARGET" and item.eventtype == "Define":
            txque.put(("Thermostat", "TARGET", {"TARGET": 20}))
        if item.vectorname == "TARGET" and item.eventtype == "Set" and vector.state == "Ok":
            break  # the room is at 20 degrees
    txque.put(None)  # ends the client
    client.join(timeout=5)
