"""A small observatory in a Qt window: instruments, values to set, exposures, frames, messages, a plot.

The instruments are the demo's own; for a server of yours:  qt_panel.py --host localhost --port 7624

Needs PySide6 (pip install "indipyclient[demo,qt]") or PyQt6. What is shown is kept by panel_model.py; here
it is only drawn, all of it in the window's own thread.
"""

import html
import math
import signal
import sys
import time

from panel_model import (
    ALERT,
    COLOURS,
    OK,
    STRETCHES,
    TURN,
    Darkroom,
    Observatory,
    Panel,
    arguments,
    keep_window_quick,
    shown,
)

from indipyclient.gui.qt import deliver

try:
    from PySide6 import QtCore, QtGui, QtWidgets
except ImportError:
    from PyQt6 import QtCore, QtGui, QtWidgets

Qt, QColor, QPointF, QRectF = QtCore.Qt, QtGui.QColor, QtCore.QPointF, QtCore.QRectF

BACK, PANE, RAISED, LINE = "#12161d", "#1a202a", "#262f3d", "#2f3a4a"
TEXT, DIM, ACCENT, DARK = "#dce3ec", "#8694a8", "#5aa9f7", "#08131f"

STYLE = f"""
* {{ color: {TEXT}; font-size: 13px; outline: none; }}
QMainWindow, QSplitter, QSplitter::handle {{ background: {BACK}; }}
QFrame#pane {{ background: {PANE}; border: 1px solid {RAISED}; border-radius: 8px; }}
QLabel#app {{ font-size: 19px; font-weight: 600; }}
QLabel#title {{ font-size: 14px; font-weight: 600; }}
QLabel#now {{ font-size: 18px; font-weight: 600; color: {ACCENT}; }}
QLabel#dim, QLabel#clock {{ color: {DIM}; }}
QLabel#clock {{ font-family: monospace; font-size: 14px; }}
QPushButton {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 5px; padding: 5px 14px; }}
QPushButton:hover, QPushButton:focus {{ border-color: {ACCENT}; }}
QPushButton:pressed {{ background: {LINE}; }}
QPushButton:disabled {{ color: {DIM}; background: {PANE}; }}
QPushButton#go {{ background: {ACCENT}; color: {DARK}; font-weight: 600; border-color: {ACCENT}; }}
QPushButton#go:hover, QPushButton#go:focus {{ background: #7cbcfa; }}
QPushButton#go:disabled {{ background: {RAISED}; color: {DIM}; border-color: {LINE}; }}
QPushButton#stop {{ background: {ALERT}; color: {DARK}; font-weight: 600; border-color: {ALERT}; }}
QPushButton[on="true"] {{ background: {OK}; color: {DARK}; border-color: {OK}; }}
QLineEdit, QComboBox {{
    background: {BACK}; border: 1px solid {LINE}; border-radius: 5px; padding: 4px 7px;
    selection-background-color: {ACCENT}; selection-color: {DARK};
}}
QLineEdit:focus, QComboBox:focus {{ border-color: {ACCENT}; }}
QComboBox::drop-down {{ border: none; width: 22px; }}
QComboBox::down-arrow {{
    width: 0; height: 0; border-left: 4px solid {BACK}; border-right: 4px solid {BACK};
    border-top: 5px solid {DIM};
}}
QComboBox QAbstractItemView {{
    background: {RAISED}; border: 1px solid {LINE}; selection-background-color: {ACCENT};
    selection-color: {DARK};
}}
QTreeWidget, QPlainTextEdit, QScrollArea, QScrollArea > QWidget > QWidget {{
    background: {PANE}; border: none;
}}
QTreeWidget::item {{ padding: 3px 0; }}
QTreeWidget::item:hover {{ background: #202836; }}
QTreeWidget::item:selected {{ background: {LINE}; color: white; }}
QHeaderView, QHeaderView::section {{ background: {PANE}; color: {DIM}; border: none; }}
QHeaderView::section {{ padding: 0 4px; }}
QProgressBar {{
    background: {BACK}; border: 1px solid {LINE}; border-radius: 5px; text-align: center; height: 24px;
}}
QProgressBar::chunk {{ background: #8a6a26; border-radius: 4px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; }}
QScrollBar::handle:vertical {{ background: {LINE}; border-radius: 5px; min-height: 30px; }}
QScrollBar::handle:vertical:hover {{ background: {DIM}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
    background: none; height: 0;
}}
"""


def label(text="", name="", **properties):
    """A label whose name says how it looks."""
    made = QtWidgets.QLabel(text, objectName=name, **properties)
    made.setTextFormat(Qt.TextFormat.PlainText)  # what devices say is not to be taken for HTML
    return made


def dot(state, size=12):
    """A round light in the colour of a state."""
    pixmap = QtGui.QPixmap(4 * size, 4 * size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(pixmap)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(COLOURS[state]))
    painter.drawEllipse(QRectF(pixmap.rect()).adjusted(2, 2, -2, -2))
    painter.end()
    pixmap.setDevicePixelRatio(4)
    return pixmap


def icon(pixmap):
    """An icon that looks the same when its line is selected."""
    made = QtGui.QIcon(pixmap)
    made.addPixmap(pixmap, QtGui.QIcon.Mode.Selected)
    return made


class Pane(QtWidgets.QFrame):
    """A frame in the colours of a pane."""

    def __init__(self, margin=12):
        super().__init__(objectName="pane")
        self.rows = QtWidgets.QVBoxLayout(self)
        self.rows.setContentsMargins(margin, margin, margin, margin)
        self.rows.setSpacing(8)

    def add_line(self, *parts, stretch=None):
        """Add a row of widgets side by side."""
        line = QtWidgets.QHBoxLayout(spacing=8)
        for part in parts:
            line.addWidget(part, 1 if part is stretch else 0)
        self.rows.addLayout(line)


class Header(QtWidgets.QWidget):
    """The light of the connection, what is connected to, and a button to switch everything on."""

    def __init__(self, panel, where):
        super().__init__()
        self._panel, self._where = panel, where
        self.light, self.text = label(name="light"), label(name="dim")
        self.connect = QtWidgets.QPushButton("Connect all", clicked=lambda: panel.connect_all())
        self._clock = label(name="clock")
        line = QtWidgets.QHBoxLayout(self)
        line.setContentsMargins(4, 2, 4, 2)
        line.setSpacing(12)
        for part in (self.light, label("Observatory", "app"), self.text):
            line.addWidget(part)
        line.addStretch()
        line.addWidget(self._clock)
        line.addWidget(self.connect)

    def refresh(self):
        state, losses = self._panel.connection, self._panel.losses
        self.light.setPixmap(dot(state, 18))
        what = {"connecting": "connecting to", "connected": "connected to", "lost": "trying to get back to"}
        lost = f"   ·   connection lost {losses} time{'s' * (losses > 1)}" if losses else ""
        self.text.setText(f"{what[state]} {self._where}{lost}")

    def tick(self):
        self._clock.setText(time.strftime("%Y-%m-%d  %H:%M:%S UTC", time.gmtime()))


class Item(QtWidgets.QTreeWidgetItem):
    """A line of the tree, which knows the key of its row."""

    def __init__(self, parent, key):
        super().__init__(parent)
        self.key = key


class Tree(QtWidgets.QTreeWidget):
    """Devices, groups, properties and members; a dot in the colour of the state."""

    def __init__(self, panel):
        super().__init__(uniformRowHeights=True, indentation=16, columnCount=2)
        self.setHeaderLabels(["Property", "Value"])
        self.header().setStretchLastSection(True)
        self.header().setFixedHeight(28)
        self.setColumnWidth(0, 245)
        self.items = {}  # by the key of the row
        self._panel, self._next = panel, 0.0
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._dots = {state: icon(dot(state)) for state in ("Idle", "Ok", "Busy", "Alert")}
        self._bold = QtGui.QFont(self.font())
        self._bold.setBold(True)

    def refresh(self):
        """Show what has changed, ten times a second; if that is much, the rest comes with the next tick."""
        now = time.monotonic()
        if now < self._next:
            return
        for row in self._panel.rows():
            self._show(row)
            if time.monotonic() > now + TURN:
                return
        self._next = now + 0.1

    tick = refresh

    def _show(self, row):
        item = self.items.get(row.key)
        if row.gone:
            if item is not None:
                self._remove(item)
            return
        if item is None:
            item = self._add(row)
        item.setText(0, row.label)
        item.setText(1, row.value)
        if row.state:
            item.setIcon(0, self._dots[row.state])
        if row.key[0] == "vector":
            item.setForeground(1, QColor(COLOURS[row.state] if row.state in ("Busy", "Alert") else TEXT))

    def _add(self, row):
        parent = self.items.get(row.parent) or self.invisibleRootItem()
        item = self.items[row.key] = Item(parent, row.key)
        kind = row.key[0]
        if kind == "device":
            item.setFont(0, self._bold)
        elif kind != "vector":
            item.setForeground(0, QColor(DIM))
        # of a large device only the first group is unfolded
        item.setExpanded(kind == "device" or (kind == "group" and parent.childCount() == 1))
        return item

    def _remove(self, item):
        for child in item.takeChildren():
            self._remove(child)
        del self.items[item.key]
        (item.parent() or self.invisibleRootItem()).removeChild(item)


class Editor(Pane):
    """The chosen property: its values, boxes or buttons to set them, and what became of it."""

    def __init__(self, panel):
        super().__init__()
        self.title, self.outcome = (
            label("Choose a property above", "title"),
            label(name="outcome", wordWrap=True),
        )
        self.send = QtWidgets.QPushButton(
            "Send", objectName="go", visible=False, clicked=lambda: self._send()
        )
        self._light = label()
        self._area = QtWidgets.QScrollArea(widgetResizable=True)
        self.entries, self.values, self._written = {}, {}, {}
        self._panel, self._key, self._vector = panel, None, None
        self.add_line(self._light, self.title, stretch=self.title)
        self.rows.addWidget(self._area, 1)
        self.add_line(self.outcome, self.send, stretch=self.outcome)
        self.setMinimumHeight(190)

    def choose(self, key):
        """Show the property of this device and name."""
        self._key, self._vector = key, None
        self._make_form(self._panel.vector(*key))
        self.refresh()

    def refresh(self):
        if self._key is None:
            return
        vector = self._panel.vector(*self._key)
        if (vector is None) != (self._vector is None) or (vector and list(vector) != list(self.values)):
            self._make_form(vector)
        if vector is not None and vector is not self._vector:
            self._light.setPixmap(dot(vector.state))
            for name, member in vector.members().items():
                self._show_value(vector, self.values[name], member)
        self._vector = vector
        self._show_outcome()

    def _show_value(self, vector, widget, member):
        if vector.vectortype == "SwitchVector":
            widget.setProperty("on", member.value)
            widget.style().polish(widget)
        elif vector.vectortype == "LightVector":
            widget.setText(f"●  {member.membervalue}")
            widget.setStyleSheet(f"color: {COLOURS.get(member.membervalue, DIM)}")
        else:
            widget.setText(shown(vector, member))

    def _show_outcome(self):
        outcome = self._panel.outcomes.get(self._key)
        if outcome is not None:
            self.outcome.setStyleSheet(f"color: {COLOURS[outcome.state]}")
        self.outcome.setText("" if outcome is None else f"●  {outcome}"[:200])

    def _make_form(self, vector):
        self.entries, self.values, self._written = {}, {}, {}
        form = QtWidgets.QWidget()
        grid = QtWidgets.QGridLayout(form)
        grid.setContentsMargins(0, 0, 6, 0)
        grid.setHorizontalSpacing(14)
        if vector is None:
            self.title.setText(f"{self._key[1]} of {self._key[0]} is not there now")
            self._light.clear()
        else:
            self.title.setText(f"{vector.devicename}  ·  {vector.label or vector.name}")
            add = self._add_switch if vector.vectortype == "SwitchVector" else self._add_value
            for number, (name, member) in enumerate(vector.members().items()):
                add(vector, grid, number, name, member)
        grid.setRowStretch(grid.rowCount(), 1)
        self.send.setVisible(bool(self.entries))
        self._area.setWidget(form)

    def _add_value(self, vector, grid, number, name, member):
        value = self.values[name] = label()
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(label(member.label or name, "dim"), number, 0)
        grid.addWidget(value, number, 1)
        grid.setColumnStretch(1, 1)
        if vector.perm != "ro" and vector.vectortype in ("NumberVector", "TextVector"):
            entry = self.entries[name] = QtWidgets.QLineEdit(shown(vector, member))
            entry.returnPressed.connect(self._send)
            grid.addWidget(entry, number, 2)

    def _add_switch(self, vector, grid, number, name, member):
        button = self.values[name] = QtWidgets.QPushButton(member.label or name)
        button.setEnabled(vector.perm != "ro")
        button.clicked.connect(lambda: self._toggle(name))
        grid.addWidget(button, number // 3, number % 3)

    def _toggle(self, name):
        self._panel.toggle(*self._key, name)
        self._show_outcome()

    def _send(self):
        written = {name: entry.text() for name, entry in self.entries.items() if entry.isModified()}
        for entry in self.entries.values():
            entry.setModified(False)
        self._written = written or self._written  # if nothing is new: once more the same
        # the client adds the rest, more precisely than it is shown
        self._panel.send(*self._key, self._written)
        self._show_outcome()


class View(QtWidgets.QWidget):
    """Pixels, in the middle of the black."""

    def __init__(self, on_size):
        super().__init__()
        self.setMinimumSize(320, 200)
        self._on_size = on_size
        self._image = None

    def show_pixels(self, pixels):
        """Show an array of (rows, columns) of 8 bits."""
        rows, columns = pixels.shape
        grey = QtGui.QImage.Format.Format_Grayscale8
        self._image = QtGui.QImage(pixels.tobytes(), columns, rows, columns, grey).copy()
        self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self.update()

    def resizeEvent(self, event):
        ratio = self.devicePixelRatioF()
        self._on_size(round(self.width() * ratio), round(self.height() * ratio))

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), QColor("#05070a"))
        if self._image is None:
            painter.setPen(QColor(DIM))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "no frame yet")
        else:
            spare = QtCore.QSizeF(self.size()) - self._image.deviceIndependentSize()
            painter.drawImage(QtCore.QPoint(round(spare.width() / 2), round(spare.height() / 2)), self._image)


class Camera(Pane):
    """The newest frame, and what it takes to get the next one."""

    def __init__(self, panel, darkroom):
        super().__init__()
        self._panel, self._darkroom = panel, darkroom
        self.picture = self.outcome = None
        self.view, self.text = View(self._on_size), label(name="dim")
        self.name, self.stretch = QtWidgets.QComboBox(minimumWidth=150), QtWidgets.QComboBox()
        self.seconds = QtWidgets.QLineEdit("2", maximumWidth=70, alignment=Qt.AlignmentFlag.AlignRight)
        self.button = QtWidgets.QPushButton("Expose", objectName="go", clicked=lambda: self._press())
        self.progress = QtWidgets.QProgressBar(maximum=1000)
        self.stretch.addItems(STRETCHES)
        self.stretch.currentTextChanged.connect(self._on_stretch)
        self.seconds.returnPressed.connect(self._press)
        self.rows.addWidget(self.view, 1)
        self.add_line(self.text)
        exposure = (self.name, self.seconds, label("s", "dim"), self.button, self.progress)
        self.add_line(*exposure, label("Stretch", "dim"), self.stretch, stretch=self.progress)

    def refresh(self):
        cameras = self._panel.cameras()
        if cameras != [self.name.itemText(number) for number in range(self.name.count())]:
            chosen = self.name.currentText()
            self.name.clear()
            self.name.addItems(cameras)
            self.name.setCurrentIndex(max(0, self.name.findText(chosen)))
        for device, member in self._panel.take_frames().items():
            self._darkroom.develop(device, member)
        if self.outcome is not None and self.outcome.done:
            if self.outcome.state != "Ok":
                self._say(str(self.outcome), ALERT)
            self.outcome = None
        self.tick()

    def tick(self):
        exposure = self._panel.exposures.get(self.name.currentText())
        busy = exposure is not None and exposure.busy
        self.button.setEnabled(bool(self.name.count()))
        if busy != (self.button.objectName() == "stop"):
            self.button.setText("Abort" if busy else "Expose")
            self.button.setObjectName("stop" if busy else "go")
            self.button.style().polish(self.button)
        self.progress.setValue(round(1000 * exposure.fraction) if busy else 0)
        self.progress.setFormat(f"{exposure.left:.1f} s left" if busy else "")

    def show(self, pictures, snapshot):
        """Show the picture that the darkroom has made."""
        self.picture = pictures[-1]
        self._say(f"{self.picture.device}:  {self.picture.text}")
        if self.picture.pixels is not None:
            self.view.show_pixels(self.picture.pixels)

    def _say(self, text, colour=DIM):
        self.text.setText(text[:300])
        self.text.setStyleSheet(f"color: {colour}")

    def _press(self):
        camera = self.name.currentText()
        if self.button.objectName() == "stop":
            self._panel.abort(camera)
        elif camera:
            try:
                self.outcome = self._panel.expose(camera, float(self.seconds.text()))
            except ValueError:
                self._say(f"{self.seconds.text()!r} is no number of seconds", ALERT)
        self.tick()

    def _on_size(self, columns, rows):
        self._darkroom.size = (columns, rows)
        self._darkroom.again()

    def _on_stretch(self, stretch):
        self._darkroom.stretch = stretch
        self._darkroom.again()


class Plot(Pane):
    """One number over the last minutes."""

    def __init__(self, history):
        super().__init__()
        self.label, self.now = label("no number yet", "title"), label(name="now")
        self._history = history
        self._curve = Curve(history)
        self.add_line(self.label, self.now, stretch=self.label)
        self.rows.addWidget(self._curve, 1)

    def refresh(self):
        if self._history.points:
            self.label.setText(self._history.label)
            self.now.setText(f"{self._history.points[-1][1]:.6g}")

    def tick(self):
        self._curve.update()


class Curve(QtWidgets.QWidget):
    """The plot itself, up to this moment."""

    LEFT, BELOW = 58, 20  # pixels for the numbers

    def __init__(self, history):
        super().__init__()
        self.setMinimumSize(260, 130)
        self._history = history
        self._small = QtGui.QFont(self.font())

    def paintEvent(self, event):
        points = list(self._history.points)
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        self._small.setPixelSize(11)
        painter.setFont(self._small)
        if points:
            area = QRectF(self.rect()).adjusted(self.LEFT, 4, -6, -self.BELOW)
            now = time.time()
            begin = now - max(30, now - points[0][0])
            low, high, step = scale([value for _, value in points])
            self._draw_grid(painter, area, (low, high, step), now - begin)
            x = [area.left() + (when - begin) / (now - begin) * area.width() for when, _ in points]
            y = [area.bottom() - (value - low) / (high - low) * area.height() for _, value in points]
            self._draw_line(painter, area, [*map(QPointF, x, y), QPointF(area.right(), y[-1])])

    def _draw_grid(self, painter, area, y_scale, seconds):
        low, high, step = y_scale
        for number in range(round((high - low) / step) + 1):
            value = low + number * step
            y = area.bottom() - (value - low) / (high - low) * area.height()
            self._draw_tick(painter, QPointF(area.left(), y), QPointF(area.right(), y))
            place = QRectF(0, y - 8, self.LEFT - 8, 16)
            text = f"{0 if abs(value) < step / 1e6 else value:.6g}"
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        for number in range(4):
            x = area.left() + number / 3 * area.width()
            self._draw_tick(painter, QPointF(x, area.top()), QPointF(x, area.bottom()))
            ago = seconds * (1 - number / 3)
            text = "now" if number == 3 else f"-{ago / 60:.1f} min" if ago > 100 else f"-{ago:.0f} s"
            place = QRectF(x - 40, area.bottom() + 4, 40 if number == 3 else 80, 16)
            align = Qt.AlignmentFlag.AlignRight if number == 3 else Qt.AlignmentFlag.AlignHCenter
            painter.drawText(place, align, text)

    def _draw_tick(self, painter, begin, end):
        painter.setPen(QtGui.QPen(QColor(LINE), 1))
        painter.drawLine(begin, end)
        painter.setPen(QColor(DIM))

    def _draw_line(self, painter, area, line):
        ground = [QPointF(line[-1].x(), area.bottom()), QPointF(line[0].x(), area.bottom())]
        fade = QtGui.QLinearGradient(area.topLeft(), area.bottomLeft())
        for place, alpha in ((0, 90), (1, 5)):
            colour = QColor(ACCENT)
            colour.setAlpha(alpha)
            fade.setColorAt(place, colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fade)
        painter.drawPolygon(QtGui.QPolygonF([*line, *ground]))
        painter.setPen(QtGui.QPen(QColor(ACCENT), 2))
        painter.drawPolyline(QtGui.QPolygonF(line))
        painter.setBrush(QColor(ACCENT))
        painter.drawEllipse(line[-1], 3, 3)


def scale(values):
    """Round limits around the values, and the step between them: (low, high, step)."""
    low, high = min(values), max(values)
    span = (high - low) or abs(high) / 100 or 1
    power = 10 ** math.floor(math.log10(span / 3))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= span / 3)
    low, high = math.floor((low - span / 20) / step) * step, math.ceil((high + span / 20) / step) * step
    return (low, high, step) if high > low else (low - step, high + step, step)


class Messages(Pane):
    """What instruments and client say, the newest below."""

    KEPT = 300

    def __init__(self, panel):
        super().__init__()
        self.text = QtWidgets.QPlainTextEdit(readOnly=True, maximumBlockCount=self.KEPT)
        self.text.document().setDocumentMargin(0)
        self._panel = panel
        self.rows.addWidget(label("Messages", "title"))
        self.rows.addWidget(self.text)

    def refresh(self):
        for stamp, source, text in self._panel.take_messages()[-self.KEPT :]:
            who = f'<span style="color:{ACCENT}">{html.escape(source)}:</span> ' if source else ""
            when = f'<span style="color:{DIM}">{stamp:%H:%M:%S}</span>&nbsp; '
            self.text.appendHtml(when + who + html.escape(text[:500]))


class Window(QtWidgets.QMainWindow):
    """The panel."""

    def __init__(self, observatory):
        super().__init__(windowTitle="Observatory", styleSheet=STYLE)
        self.resize(1280, 820)
        self.panel, self.darkroom = Panel(observatory.commands), Darkroom()
        self.header, self.tree, self.editor = (
            Header(self.panel, observatory.where),
            Tree(self.panel),
            Editor(self.panel),
        )
        self.camera, self.plot = Camera(self.panel, self.darkroom), Plot(self.panel.history)
        self.messages = Messages(self.panel)
        self._lay_out()
        self.tree.currentItemChanged.connect(lambda item, before: self._on_select(item))
        self.tree.setFocus()
        QtGui.QShortcut(QtGui.QKeySequence("Ctrl+Q"), self, self.close)
        self._show([], None)
        self._timer = QtCore.QTimer(self, interval=50)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self.deliveries = (
            deliver(observatory.events, self, self._show),
            deliver(self.darkroom.pictures, self, self.camera.show),
        )

    def _lay_out(self):
        vertical, horizontal = Qt.Orientation.Vertical, Qt.Orientation.Horizontal
        instruments = Pane(6)
        instruments.rows.addWidget(self.tree)
        left = self._split(vertical, (instruments, 3), (self.editor, 1))
        below = self._split(horizontal, (self.plot, 1), (self.messages, 1))
        right = self._split(vertical, (self.camera, 3), (below, 1))
        sides = self._split(horizontal, (left, 2), (right, 3))
        sides.setSizes([480, 800])
        middle = QtWidgets.QWidget()
        rows = QtWidgets.QVBoxLayout(middle)
        rows.addWidget(self.header)
        rows.addWidget(sides, 1)
        self.setCentralWidget(middle)

    def _split(self, orientation, *parts):
        split = QtWidgets.QSplitter(orientation, handleWidth=8, childrenCollapsible=False)
        for number, (part, share) in enumerate(parts):
            split.addWidget(part)
            split.setStretchFactor(number, share)
        return split

    def _show(self, items, snapshot):
        """Called in the window's thread with what has come."""
        self.panel.update(items, snapshot)
        for part in (self.header, self.tree, self.editor, self.camera, self.plot, self.messages):
            part.refresh()

    def _tick(self):
        """Called all the time, for what moves by itself."""
        for part in (self.header, self.tree, self.camera, self.plot):
            part.tick()

    def _on_select(self, item):
        if item is not None and (path := self.panel.choose(item.key)) is not None:
            self.editor.choose(path)
            self.plot.refresh()


def main():
    options = arguments(__doc__.splitlines()[0])
    app = QtWidgets.QApplication(sys.argv[:1])
    observatory = Observatory(options.host, options.port)
    window = Window(observatory)
    window.show()
    keep_window_quick()
    if options.seconds:
        QtCore.QTimer.singleShot(round(1000 * options.seconds), window.close)
    signal.signal(signal.SIGINT, lambda *_: window.close())
    app.exec()
    observatory.close()
    window.darkroom.close()


if __name__ == "__main__":
    main()
