"""The smallest window: a temperature that follows its instrument, and a box that sets it.

The instruments are the demo's own; for another server give its host and port to runqueclient.
"""

import sys
import threading
import tkinter as tk

from indipyclient.demo.instruments import DemoInstruments
from indipyclient.gui.tk import deliver
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import runqueclient

root = tk.Tk()
root.title("Thermostat")
root.configure(background="#1a202a")
reading = tk.Label(root, text="connecting", font=("", 48), width=10, bg="#1a202a", fg="#f2b134")
target = tk.Spinbox(root, from_=5, to=30, font=("", 24), width=6, value=20, justify="center")
target.bind("<Return>", lambda key: commands.put(("Thermostat", "TARGET", {"TARGET": target.get()})))
reading.pack(padx=30, pady=20)
target.pack(pady=20)


def show(items, snapshot):  # called in the window's thread
    thermostat = snapshot.get("Thermostat", {})
    if "TEMPERATURE" in thermostat:
        reading["text"] = f"{thermostat['TEMPERATURE']['TEMPERATURE']} °C"


with DemoInstruments() as demo:
    events, commands = Mailbox(), Mailbox()
    arguments = (commands, events, demo.host, demo.port)
    threading.Thread(target=runqueclient, args=arguments, daemon=True).start()
    deliver(events, root, show)
    if "--seconds" in sys.argv:  # for a short look
        root.after(1000 * int(sys.argv[-1]), root.destroy)
    root.mainloop()
    commands.put(None)  # ends the client
