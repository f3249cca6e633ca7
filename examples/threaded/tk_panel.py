"""A small observatory in a Tkinter window: instruments, values to set, exposures, frames, messages, a plot.

The instruments are the demo's own; for a server of yours:  tk_panel.py --host localhost --port 7624

What is shown is kept by panel_model.py; here it is only drawn, all of it in the window's own thread.
"""

import io
import signal
import time
import tkinter as tk
from tkinter import font, ttk

from panel_model import (
    COLOURS,
    STRETCHES,
    TURN,
    Darkroom,
    Observatory,
    Panel,
    arguments,
    keep_window_quick,
    shown,
)
from PIL import Image, ImageDraw

from indipyclient.gui.tk import deliver

BACK, PANE, RAISED, LINE = "#12161d", "#1a202a", "#262f3d", "#2f3a4a"
TEXT, DIM, ACCENT = "#dce3ec", "#8694a8", "#5aa9f7"
SHOW_ROWS = """
proc show_rows {tree changes} {
    foreach {item text values image} $changes {
        if {[$tree exists $item]} {$tree item $item -text $text -values $values -image $image}
    }
}
"""


def apply_style(root):
    """Give the window its dark looks."""
    root.configure(background=BACK)
    for name in ("TkDefaultFont", "TkTextFont", "TkHeadingFont", "TkMenuFont"):
        font.nametofont(name, root).configure(size=10)
    style = ttk.Style(root)
    style.theme_use("clam")
    flat = {
        "background": BACK,
        "foreground": TEXT,
        "bordercolor": LINE,
        "lightcolor": PANE,
        "darkcolor": PANE,
    }
    style.configure(".", **flat, troughcolor=BACK, fieldbackground=RAISED, insertcolor=TEXT, arrowcolor=TEXT)
    style.configure("Pane.TFrame", background=PANE)
    for name in ("Title", "Dim", "Outcome", "Value"):
        style.configure(f"{name}.TLabel", background=PANE)
    style.configure("Title.TLabel", font=("TkDefaultFont", 11, "bold"))
    style.configure("Head.TLabel", font=("TkDefaultFont", 14, "bold"))
    style.configure("Dim.TLabel", foreground=DIM)
    style.configure("TButton", background=RAISED, padding=(12, 5), borderwidth=1, relief="flat")
    style.map("TButton", background=[("disabled", PANE), ("active", LINE)], foreground=[("disabled", DIM)])
    style.configure("Go.TButton", background=ACCENT, foreground="#08131f", font=("TkDefaultFont", 10, "bold"))
    style.map("Go.TButton", background=[("disabled", RAISED), ("active", "#7cbcfa")])
    style.configure("Stop.TButton", background=COLOURS["Alert"], font=("TkDefaultFont", 10, "bold"))
    style.configure("Stop.TButton", foreground="#1c0606")
    style.map("Stop.TButton", background=[("active", "#f78388")])
    style.configure("On.TButton", background=COLOURS["Ok"], foreground="#07150d")
    style.map("On.TButton", background=[("active", "#62d490")])
    style.layout("Treeview", [("Treeview.treearea", {"sticky": "nswe"})])  # without a border
    style.configure("Treeview", background=PANE, fieldbackground=PANE, rowheight=25, borderwidth=0)
    style.configure("Treeview.Heading", background=RAISED, foreground=DIM, relief="flat", padding=4)
    style.map("Treeview", background=[("selected", LINE)], foreground=[("selected", "#ffffff")])
    style.map("Treeview.Heading", background=[("active", RAISED)])
    style.configure("TEntry", padding=4)
    style.configure("TSpinbox", padding=4)
    style.configure("TCombobox", padding=4)
    style.map("TCombobox", fieldbackground=[("readonly", RAISED)], foreground=[("readonly", TEXT)])
    style.configure("Horizontal.TProgressbar", background=COLOURS["Busy"], thickness=14)
    thumb = ("Vertical.Scrollbar.thumb", {"expand": "1", "sticky": "nswe"})
    style.layout("TScrollbar", [("Vertical.Scrollbar.trough", {"children": [thumb], "sticky": "ns"})])
    style.configure("TScrollbar", background=LINE, troughcolor=PANE, bordercolor=PANE, gripcount=0, width=10)
    style.map("TScrollbar", background=[("disabled", PANE), ("active", DIM)])
    root.option_add("*TCombobox*Listbox.background", RAISED)
    root.option_add("*TCombobox*Listbox.foreground", TEXT)


def pane(parent, title=""):
    """A frame in the colours of a pane, with a title."""
    frame = ttk.Frame(parent, style="Pane.TFrame", padding=10)
    if title:
        ttk.Label(frame, text=title, style="Title.TLabel").pack(anchor="w", pady=(0, 6))
    return frame


def dot(root, colour, size=11):
    """A round light as an image."""
    big = Image.new("RGBA", (8 * size, 8 * size))
    ImageDraw.Draw(big).ellipse((0, 0, 8 * size - 1, 8 * size - 1), colour)
    file = io.BytesIO()
    big.resize((size, size), Image.Resampling.LANCZOS).save(file, "png")
    return tk.PhotoImage(master=root, data=file.getvalue())


class Header(ttk.Frame):
    """The light of the connection, what is connected to, and a button to switch everything on."""

    def __init__(self, parent, panel, where):
        super().__init__(parent, padding=(14, 10))
        self._panel, self._where, self._seen = panel, where, None
        self.lights = {name: dot(self, COLOURS[name], 18) for name in ("connecting", "connected", "lost")}
        self.light = ttk.Label(self, image=self.lights["connecting"])
        self.light.pack(side="left", padx=(0, 10))
        ttk.Label(self, text="Observatory", style="Head.TLabel").pack(side="left")
        self.text = ttk.Label(self, foreground=DIM)
        self.text.pack(side="left", padx=14)
        self.connect = ttk.Button(self, text="Connect all", command=panel.connect_all)
        self.connect.pack(side="right")
        self._clock = ttk.Label(self, font=("TkFixedFont", 11))
        self._clock.pack(side="right", padx=16)
        self._tick()

    def _tick(self):
        self._clock["text"] = time.strftime("%H:%M:%S UTC", time.gmtime())
        self.after(1000 - int(time.time() * 1000) % 1000, self._tick)

    def refresh(self):
        state, losses = self._panel.connection, self._panel.losses
        if self._seen == (state, losses):
            return
        self._seen = state, losses
        self.light["image"] = self.lights[state]
        what = {"connecting": "connecting to", "connected": "connected to", "lost": "trying to get back to"}
        lost = f"   ·   connection lost {losses} time{'s' * (losses > 1)}" if losses else ""
        self.text["text"] = f"{what[state]} {self._where}{lost}"


class Tree(ttk.Treeview):
    """Devices, groups, properties and members; a dot in the colour of the state."""

    def __init__(self, parent, panel):
        super().__init__(parent, columns=("value",), selectmode="browse", show="tree headings")
        self.heading("#0", text="Property", anchor="w")
        self.heading("value", text="Value", anchor="w")
        self.column("#0", width=250, minwidth=120)
        self.column("value", width=180, minwidth=80)
        self.tag_configure("device", font=("TkDefaultFont", 10, "bold"))
        self.tag_configure("group", foreground=DIM)
        self.tag_configure("member", foreground=DIM)
        self.dots = {state: dot(self, COLOURS[state]) for state in ("Idle", "Ok", "Busy", "Alert")}
        self.items = {}  # key of a row to the item that shows it
        self.keys = {}  # and the other way round
        self._panel = panel
        self._more = None
        # all changes of a turn go to Tk in one call, as other threads may run between two
        self.tk.eval(SHOW_ROWS)

    def refresh(self):
        """Show what has changed, ten times a second; if that is much, go on after the window had its turn."""
        if self._more is not None:
            return
        until = time.monotonic() + TURN
        changes, pause = [], 0
        for row in self._panel.rows():
            self._note(row, changes)
            pause = 100
            if time.monotonic() > until:
                pause = 10
                break
        if pause:
            self.tk.call("show_rows", str(self), tuple(changes))
            self._more = self.after(pause, self._go_on)

    def _go_on(self):
        self._more = None
        self.refresh()

    def _note(self, row, changes):
        item = self.items.get(row.key)
        if row.gone:
            self._remove(item)
            return
        if item is None:
            parent = self.items.get(row.parent, "")
            # of a large device only the first group is unfolded
            unfolded = row.key[0] == "device" or (row.key[0] == "group" and not self.get_children(parent))
            item = self.insert(parent, "end", open=unfolded, tags=(row.key[0],))
            self.items[row.key], self.keys[item] = item, row.key
        changes += (item, f" {row.label}", (row.value,), str(self.dots.get(row.state, "")))

    def _remove(self, item):
        if item is None:
            return
        for child in self.get_children(item):
            self._remove(child)
        self.delete(item)
        del self.items[self.keys.pop(item)]


class Editor(ttk.Frame):
    """The chosen property: its values, boxes or buttons to set them, and what became of it."""

    def __init__(self, parent, panel):
        super().__init__(parent, style="Pane.TFrame", padding=(10, 8))
        self.title = ttk.Label(self, text="Choose a property above", style="Title.TLabel")
        self.title.pack(anchor="w")
        foot = ttk.Frame(self, style="Pane.TFrame")
        foot.pack(side="bottom", fill="x")
        self._area = tk.Canvas(self, background=PANE, highlightthickness=0, height=150)
        scroll = ttk.Scrollbar(self, command=self._area.yview)
        self._area["yscrollcommand"] = scroll.set
        scroll.pack(side="right", fill="y", pady=6)
        self._area.pack(fill="both", expand=True, pady=6)
        self.send = ttk.Button(foot, text="Send", style="Go.TButton", command=self._send)
        self.outcome = ttk.Label(foot, style="Outcome.TLabel", wraplength=300)
        self.outcome.pack(side="left", fill="x", expand=True)
        self.entries, self.values, self._filled, self._written = {}, {}, {}, {}
        self._panel, self._key, self._vector, self._seen = panel, None, None, None
        self._form = None

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
            for name, member in vector.members().items():
                self._show_value(vector, name, member)
        self._vector = vector
        self._show_outcome()

    def _show_value(self, vector, name, member):
        if vector.vectortype == "SwitchVector":
            self.values[name]["style"] = "On.TButton" if member.value else "TButton"
        elif vector.vectortype == "LightVector":
            colour = COLOURS.get(member.membervalue, DIM)
            self.values[name].configure(text=f"●  {member.membervalue}", foreground=colour)
        else:
            self.values[name]["text"] = shown(vector, member)

    def _show_outcome(self):
        outcome = self._panel.outcomes.get(self._key)
        seen = outcome and (outcome.state, outcome.text)
        if seen == self._seen:
            return
        self._seen = seen
        if outcome is None:
            self.outcome["text"] = ""
            return
        self.outcome.configure(text=f"●  {outcome}"[:200], foreground=COLOURS[outcome.state])

    def _make_form(self, vector):
        if self._form is not None:
            self._form.destroy()
        self.entries, self.values, self._filled, self._written = {}, {}, {}, {}
        self.send.pack_forget()
        self._form = ttk.Frame(self._area, style="Pane.TFrame")
        self._area.create_window(0, 0, window=self._form, anchor="nw")
        self._area.yview_moveto(0)
        if vector is None:
            self.title["text"] = f"{self._key[1]}: not there now"
            return
        self.title["text"] = f"{vector.devicename}  ·  {vector.label or vector.name}"
        make = self._add_switch if vector.vectortype == "SwitchVector" else self._add_value
        for number, (name, member) in enumerate(vector.members().items()):
            make(vector, number, name, member)
        if self.entries:
            self.send.pack(side="right", padx=(8, 0))
        self._form.update_idletasks()
        self._area["scrollregion"] = (0, 0, 0, self._form.winfo_reqheight())

    def _add_value(self, vector, number, name, member):
        label = ttk.Label(self._form, text=member.label or name, style="Dim.TLabel")
        label.grid(row=number, column=0, sticky="w", padx=(0, 12), pady=3)
        value = self.values[name] = ttk.Label(self._form, style="Value.TLabel")
        value.grid(row=number, column=1, sticky="w", padx=(0, 12))
        if vector.perm == "ro" or vector.vectortype in ("LightVector", "BLOBVector"):
            return
        entry = self.entries[name] = ttk.Entry(self._form, width=16)
        self._filled[name] = shown(vector, member)
        entry.insert(0, self._filled[name])
        entry.bind("<Return>", lambda event: self._send())
        entry.grid(row=number, column=2, sticky="w")

    def _add_switch(self, vector, number, name, member):
        button = self.values[name] = ttk.Button(self._form, text=member.label or name)
        button["command"] = lambda: self._toggle(name)
        if vector.perm == "ro":
            button.state(["disabled"])
        button.grid(row=number // 3, column=number % 3, sticky="ew", padx=(0, 6), pady=3)

    def _toggle(self, name):
        self._panel.toggle(*self._key, name)
        self._show_outcome()

    def _send(self):
        texts = {name: entry.get() for name, entry in self.entries.items()}
        written = {name: text for name, text in texts.items() if text != self._filled[name]}
        self._filled = texts
        self._written = written or self._written  # if nothing is new: once more the same
        # the client adds the rest, more precisely than it is shown
        self._panel.send(*self._key, self._written)
        self._show_outcome()


class Camera(ttk.Frame):
    """The newest frame, and what it takes to get the next one."""

    def __init__(self, parent, panel, darkroom):
        super().__init__(parent, style="Pane.TFrame", padding=10)
        self._panel, self._darkroom = panel, darkroom
        self.photo = self.picture = self._timer = self._cameras = None
        self.outcome, self._was_busy = None, False
        self.view = tk.Canvas(self, background="#05070a", highlightthickness=0, width=640, height=400)
        self._image = self.view.create_image(0, 0)
        self._hint = self.view.create_text(0, 0, fill=DIM, text="no frame yet")
        self.view.bind("<Configure>", self._on_size)
        self._make_controls()
        self.text = ttk.Label(self, style="Dim.TLabel")
        self.text.pack(side="bottom", anchor="w")
        self.view.pack(fill="both", expand=True, pady=(0, 6), before=self.text)

    def _make_controls(self):
        bar = ttk.Frame(self, style="Pane.TFrame")
        bar.pack(side="bottom", fill="x", pady=(6, 0))
        self.name = ttk.Combobox(bar, state="readonly", width=16)
        self.seconds = ttk.Spinbox(bar, from_=0.1, to=3600, increment=0.5, width=6)
        self.seconds.set("2")
        self.button = ttk.Button(bar, text="Expose", style="Go.TButton", command=self._press)
        self.progress = ttk.Progressbar(bar, maximum=1, length=120)
        self.left = ttk.Label(bar, style="Dim.TLabel", width=7)
        self.stretch = ttk.Combobox(bar, state="readonly", width=10, values=STRETCHES)
        self.stretch.set(STRETCHES[0])
        self.stretch.bind("<<ComboboxSelected>>", self._on_stretch)
        self.name.pack(side="left")
        self.seconds.pack(side="left", padx=(8, 3))
        ttk.Label(bar, text="s", style="Dim.TLabel").pack(side="left", padx=(0, 8))
        self.button.pack(side="left")
        self.stretch.pack(side="right")
        ttk.Label(bar, text="Stretch", style="Dim.TLabel").pack(side="right", padx=6)
        self.left.pack(side="right")
        self.progress.pack(side="left", fill="x", expand=True, padx=8)

    def refresh(self):
        cameras = self._panel.cameras()
        if cameras != self._cameras:
            self._cameras = self.name["values"] = cameras
            if self.name.get() not in cameras:
                self.name.set(cameras[0] if cameras else "")
            self.button.state(["!disabled" if cameras else "disabled"])
        for device, member in self._panel.take_frames().items():
            self._darkroom.develop(device, member)
        self._show_outcome()
        self._animate()

    def _animate(self):
        """Move the bar; on and on while the shutter is open."""
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None
        exposure = self._panel.exposures.get(self.name.get()) if self._panel.exposures else None
        busy = exposure is not None and exposure.busy
        if not (busy or self._was_busy):
            return
        self._was_busy = busy
        text, style = ("Abort", "Stop.TButton") if busy else ("Expose", "Go.TButton")
        self.button.configure(text=text, style=style)
        self.progress["value"] = exposure.fraction if busy else 0
        self.left["text"] = f"{exposure.left:.1f} s" if busy else ""
        if busy:
            self._timer = self.after(50, self._animate)

    def _press(self):
        camera = self.name.get()
        if self.button["text"] == "Abort":
            self._panel.abort(camera)
            return
        try:
            self.outcome = self._panel.expose(camera, float(self.seconds.get()))
        except ValueError:
            self.text.configure(text=f"{self.seconds.get()!r} is no number of seconds")
        self._animate()

    def _show_outcome(self):
        if self.outcome is not None and self.outcome.done:
            if self.outcome.state != "Ok":
                self.text.configure(text=str(self.outcome))
            self.outcome = None

    def show(self, pictures, snapshot):
        """Show the picture that the darkroom has made."""
        self.picture = picture = pictures[-1]
        self.text.configure(text=f"{picture.device}:  {picture.text}")
        self.view.itemconfigure(self._hint, text="")
        if picture.pixels is not None:
            rows, columns = picture.pixels.shape
            pgm = b"P5 %d %d 255\n" % (columns, rows) + picture.pixels.tobytes()
            self.photo = tk.PhotoImage(master=self, data=pgm)
            self.view.itemconfigure(self._image, image=self.photo)

    def _on_size(self, event):
        for item in (self._image, self._hint):
            self.view.coords(item, event.width // 2, event.height // 2)
        self._darkroom.size = (event.width, event.height)
        self._darkroom.again()

    def _on_stretch(self, event):
        self._darkroom.stretch = self.stretch.get()
        self._darkroom.again()
        self.stretch.selection_clear()


class Plot(ttk.Frame):
    """One number over the last minutes."""

    def __init__(self, parent, history):
        super().__init__(parent, style="Pane.TFrame", padding=10)
        head = ttk.Frame(self, style="Pane.TFrame")
        head.pack(fill="x")
        self.now = ttk.Label(head, style="Title.TLabel", foreground=ACCENT)
        self.now.pack(side="right")
        self.label = ttk.Label(head, text="no number yet", style="Title.TLabel")
        self.label.pack(side="left")
        self.canvas = tk.Canvas(self, background=PANE, highlightthickness=0, height=150, width=300)
        self.canvas.pack(fill="both", expand=True)
        self.canvas.bind("<Configure>", lambda event: self._draw())
        self._history, self._drawn, self._drawn_at = history, None, 0.0
        self._tick()

    def refresh(self):
        """Nothing at once: it draws itself anew ten times a second, if there is anything new."""

    def _tick(self):
        if self._history.newest != self._drawn or time.monotonic() > self._drawn_at + 1:
            self._draw()
        self.after(100, self._tick)

    def _draw(self):
        self._drawn, self._drawn_at = self._history.newest, time.monotonic()
        points = list(self._history.points)
        self.canvas.delete("all")
        if not points:
            return
        self.label["text"], self.now["text"] = self._history.label, f"{points[-1][1]:.6g}"
        width, height = self.canvas.winfo_width(), self.canvas.winfo_height()
        low, high = min(value for _, value in points), max(value for _, value in points)
        margin = (high - low) * 0.08 or 0.5
        bottom, top, begin = low - margin, high + margin, points[0][0]
        end = max(time.time(), begin + 10)
        points.append((time.time(), points[-1][1]))
        for value in (low, (low + high) / 2, high)[:: 2 if high > low else 3]:
            y = height - 16 - (value - bottom) / (top - bottom) * (height - 24)
            self.canvas.create_line(56, y, width, y, fill=LINE)
            self.canvas.create_text(
                50, y, text=f"{value:.5g}", anchor="e", fill=DIM, font=("TkDefaultFont", 8)
            )
        self.canvas.create_text(
            width, height - 6, text="now", anchor="e", fill=DIM, font=("TkDefaultFont", 8)
        )
        ago = f"{end - begin:.0f} s ago"
        self.canvas.create_text(56, height - 6, text=ago, anchor="w", fill=DIM, font=("TkDefaultFont", 8))
        line = []
        for when, value in points[:: max(1, len(points) // 400)] + points[-1:]:
            x = 56 + (when - begin) / (end - begin) * (width - 60)
            line += [x, height - 16 - (value - bottom) / (top - bottom) * (height - 24)]
        if len(line) >= 4:
            self.canvas.create_line(*line, fill=ACCENT, width=2)


class Messages(ttk.Frame):
    """What instruments and client say, the newest below."""

    KEPT = 300

    def __init__(self, parent, panel):
        super().__init__(parent, style="Pane.TFrame", padding=10)
        ttk.Label(self, text="Messages", style="Title.TLabel").pack(anchor="w", pady=(0, 4))
        self.text = tk.Text(self, background=PANE, foreground=TEXT, relief="flat", height=8, width=40)
        self.text.configure(highlightthickness=0, wrap="word", state="disabled", font="TkDefaultFont")
        self.text.tag_configure("from", foreground=ACCENT)
        self.text.tag_configure("time", foreground=DIM)
        self.text.pack(fill="both", expand=True)
        self._panel = panel

    def refresh(self):
        messages = self._panel.take_messages()[-self.KEPT :]
        if not messages:
            return
        self.text["state"] = "normal"
        for stamp, source, text in messages:
            source = f"{source}: " if source else ""
            self.text.insert("end", f"{stamp:%H:%M:%S}  ", "time", source, "from", f"{text[:500]}\n")
        self.text.delete("1.0", f"end - {self.KEPT + 1} lines")
        self.text["state"] = "disabled"
        self.text.see("end")


class Window:
    """The panel in a root window."""

    def __init__(self, root, observatory):
        self.root = root
        self.panel, self.darkroom = Panel(observatory.commands), Darkroom()
        root.title("Observatory")
        root.geometry("1240x800")
        root.bind("<Destroy>", self._on_destroy)
        apply_style(root)
        self.header = Header(root, self.panel, observatory.where)
        self.header.pack(fill="x")
        sides = ttk.PanedWindow(root, orient="horizontal")
        sides.pack(fill="both", expand=True, padx=10, pady=(0, 10))
        self._make_left(sides)
        self._make_right(sides)
        self.parts = (self.header, self.tree, self.editor, self.camera, self.plot, self.messages)
        self._show(None, None)
        self.deliveries = (
            deliver(observatory.events, root, self._show),
            deliver(self.darkroom.pictures, root, self.camera.show),
        )

    def _make_left(self, sides):
        left = ttk.Frame(sides)
        sides.add(left, weight=1)
        frame = ttk.Frame(left, style="Pane.TFrame")
        frame.pack(fill="both", expand=True)
        self.tree = Tree(frame, self.panel)
        scroll = ttk.Scrollbar(frame, command=self.tree.yview)
        self.tree["yscrollcommand"] = scroll.set
        scroll.pack(side="right", fill="y")
        self.tree.pack(fill="both", expand=True)
        self.tree.bind("<<TreeviewSelect>>", self._on_select)
        self.editor = Editor(left, self.panel)
        self.editor.pack(fill="x", pady=(8, 0))

    def _make_right(self, sides):
        right = ttk.Frame(sides)
        sides.add(right, weight=2)
        self.camera = Camera(right, self.panel, self.darkroom)
        self.camera.pack(fill="both", expand=True)
        below = ttk.Frame(right)
        below.pack(fill="x", pady=(8, 0))
        self.plot = Plot(below, self.panel.history)
        self.plot.grid(row=0, column=0, sticky="nsew", padx=(0, 8))
        self.messages = Messages(below, self.panel)
        self.messages.grid(row=0, column=1, sticky="nsew")
        below.columnconfigure((0, 1), weight=1, uniform="half")

    def _on_destroy(self, event):
        if event.widget is self.root:
            for timer in self.root.tk.splitlist(self.root.tk.call("after", "info")):
                self.root.after_cancel(timer)
            self._drop_images()

    def _drop_images(self):
        """Here, or the garbage collector may do it in another thread, in which Tk does not want it."""
        self.header.lights.clear()
        self.tree.dots.clear()
        self.camera.photo = None

    def _show(self, items, snapshot):
        """Called in the window's thread with what has come."""
        self.panel.update(items or (), snapshot)
        for part in self.parts:
            part.refresh()

    def _on_select(self, event):
        for item in self.tree.selection():
            if (path := self.panel.choose(self.tree.keys[item])) is not None:
                self.editor.choose(path)
                self.plot.refresh()


def main():
    options = arguments(__doc__.splitlines()[0])
    observatory = Observatory(options.host, options.port)
    root = tk.Tk()
    window = Window(root, observatory)
    keep_window_quick()
    signal.signal(signal.SIGINT, lambda number, frame: root.destroy())
    if options.seconds:
        root.after(round(1000 * options.seconds), root.destroy)
    root.mainloop()
    observatory.close()
    window.darkroom.close()


if __name__ == "__main__":
    main()
