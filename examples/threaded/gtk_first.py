"""The smallest GTK window: a temperature that follows its instrument, and a box that sets it.

The instruments are the demo's own; for another server give its host and port to runqueclient.
"""

import sys
import threading

import gi

gi.require_version("Gtk", "4.0")
from gi.repository import GLib, Gtk

from indipyclient.demo.instruments import DemoInstruments
from indipyclient.gui.gtk import deliver
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import runqueclient

loop, reading, target = GLib.MainLoop(), Gtk.Label(height_request=99), Gtk.SpinButton.new_with_range(5, 30, 1)
target.connect("value-changed", lambda it: commands.put(("Thermostat", "TARGET", {"TARGET": it.get_value()})))
window = Gtk.Window(title="Thermostat", child=reading, titlebar=Gtk.HeaderBar(title_widget=target))
window.connect("close-request", lambda window: loop.quit())


def show(items, snapshot):  # called in the window's thread
    if "TEMPERATURE" in snapshot.get("Thermostat", {}):
        text = f"{snapshot['Thermostat']['TEMPERATURE']['TEMPERATURE']} °C"
        reading.set_markup(f"<span size='36pt'>{text}</span>")


with DemoInstruments() as demo:
    events, commands = Mailbox(), Mailbox()
    threading.Thread(target=runqueclient, args=(commands, events, demo.host, demo.port), daemon=True).start()
    deliver(events, window, show)
    if "--seconds" in sys.argv:  # for a short look
        GLib.timeout_add_seconds(int(sys.argv[-1]), window.close)
    window.present()
    loop.run()
    commands.put(None)  # ends the client
