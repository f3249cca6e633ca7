"""The smallest Qt window: a temperature that follows its instrument, and a box that sets it.

The instruments are the demo's own; for another server give its host and port to runqueclient.
"""

import sys
import threading

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDoubleSpinBox, QFormLayout, QLabel, QWidget

from indipyclient.demo.instruments import DemoInstruments
from indipyclient.gui.qt import deliver
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import runqueclient

app, window = QApplication(), QWidget(windowTitle="Thermostat")
window.setStyleSheet("background: #1a202a; color: #f2b134; font-size: 48px")
window.setContentsMargins(30, 30, 30, 30)
reading, target = QLabel("connecting"), QDoubleSpinBox(minimum=5, maximum=30, value=20, suffix=" °C")
target.valueChanged.connect(lambda value: commands.put(("Thermostat", "TARGET", {"TARGET": value})))
QFormLayout(window).addRow(reading, target)


def show(items, snapshot):  # called in the window's thread
    thermostat = snapshot.get("Thermostat", {})
    if "TEMPERATURE" in thermostat:
        reading.setText(f"{thermostat['TEMPERATURE']['TEMPERATURE']} °C")


with DemoInstruments() as demo:
    events, commands = Mailbox(), Mailbox()
    threading.Thread(target=runqueclient, args=(commands, events, demo.host, demo.port), daemon=True).start()
    deliver(events, window, show)
    if "--seconds" in sys.argv:  # for a short look
        QTimer.singleShot(1000 * int(sys.argv[-1]), window.close)
    window.show()
    app.exec()
    commands.put(None)  # ends the client
