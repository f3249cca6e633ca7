"""Takes the pictures of the documentation from the running programs, on a screen that nobody sees.

    python docs/pictures/take.py            all of them, or those that are named: tk_panel tk_first ...

Needs Xvfb and xdotool (Debian: xvfb, xdotool), the toolkits, and the extras demo and test.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "threaded")]

PATIENCE = 60.0  # seconds for anything that should happen


def wait(turn: Callable[[], object], holds: Callable[[], object]) -> None:
    """Let a window live, one turn after the other, until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain, {holds}")
        turn()
        time.sleep(0.005)


def wait_seconds(turn: Callable[[], object], seconds: float) -> None:
    """Let a window live for a while."""
    until = time.monotonic() + seconds
    wait(turn, lambda: time.monotonic() > until)


def save(screen: Any, name: str, size: tuple[int, int]) -> None:
    """Save the upper left of the screen, where the window is, with few enough colours to be small."""
    picture = Image.fromarray(screen.look()[: size[1], : size[0]])
    path = HERE / f"{name}.png"
    picture.quantize(255, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


def play(panel: Any, turn: Callable[[], object], seen: Callable[[], object]) -> None:
    """Bring a panel to what the picture shows: warming up, a frame taken, the next one under way.

    Args:
        panel: the `Panel` of panel_model.py.
        turn: lets the window live.
        seen: whether the window shows a frame.
    """
    wait(turn, lambda: panel.vector("Camera", "CONNECTION") and panel.vector("Thermostat", "TARGET"))
    panel.connect_all()
    wait(turn, lambda: panel.cameras() and panel.vector("Camera", "CCD_TEMPERATURE"))
    panel.send("Thermostat", "TARGET", {"TARGET": 22})
    panel.send("Camera", "CCD_TEMPERATURE", {"CCD_TEMPERATURE_VALUE": -10})
    panel.expose("Camera", 4)
    wait(turn, seen)
    wait_seconds(turn, 12)
    panel.expose("Camera", 5)
    wait(turn, lambda: panel.exposures["Camera"].fraction > 0.6)


def tk_panel(screen: Any) -> None:
    import tkinter

    import tk_panel as program

    observatory = program.Observatory()
    root = tkinter.Tk()
    window = program.Window(root, observatory)
    tree = window.tree
    wait(root.update, lambda: ("vector", "Thermostat", "TEMPERATURE") in tree.items)
    tree.selection_set(tree.items["vector", "Thermostat", "TEMPERATURE"])
    root.update()
    wait(root.update, lambda: ("vector", "Thermostat", "TARGET") in tree.items)
    window.editor.choose(("Thermostat", "TARGET"))
    box = window.editor.entries["TARGET"]
    box.delete(0, "end")
    box.insert(0, "22")
    play(window.panel, root.update, lambda: window.camera.picture)
    save(screen, "tk_panel", (root.winfo_width(), root.winfo_height()))
    root.destroy()
    observatory.close()
    window.darkroom.close()


def qt_panel(screen: Any) -> None:
    import qt_panel as program

    app = program.QtWidgets.QApplication([])
    observatory = program.Observatory()
    window = program.Window(observatory)
    window.setGeometry(0, 0, 1240, 800)
    window.show()
    tree = window.tree
    wait(app.processEvents, lambda: ("vector", "Thermostat", "TEMPERATURE") in tree.items)
    tree.setCurrentItem(tree.items["vector", "Thermostat", "TEMPERATURE"])
    wait(app.processEvents, lambda: ("vector", "Thermostat", "TARGET") in tree.items)
    window.editor.choose(("Thermostat", "TARGET"))
    window.editor.entries["TARGET"].setText("22")
    play(window.panel, app.processEvents, lambda: window.camera.picture)
    save(screen, "qt_panel", (window.width(), window.height()))
    window.close()
    observatory.close()
    window.darkroom.close()


def first(name: str, screen: Any) -> None:
    """One of the first windows, as a program by itself."""
    from tests.gui.cases import gtk_python, with_packages

    python = gtk_python() if name.startswith("gtk") else sys.executable
    script = ROOT / "examples" / "threaded" / f"{name}.py"
    environment = with_packages(screen.environment)
    with subprocess.Popen([python, script, "--seconds", "8"], env=environment) as program:
        wait(lambda: None, lambda: screen.look().any())
        wait_seconds(lambda: None, 3)
        lit = screen.look().any(axis=2)
        save(screen, name, (lit.any(axis=0).nonzero()[0][-1] + 1, lit.any(axis=1).nonzero()[0][-1] + 1))
        program.wait(PATIENCE)


PICTURES: dict[str, Callable[[Any], None]] = {
    "tk_panel": tk_panel,
    "qt_panel": qt_panel,
    "tk_first": lambda screen: first("tk_first", screen),
    "qt_first": lambda screen: first("qt_first", screen),
    "gtk_first": lambda screen: first("gtk_first", screen),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(PICTURES))
    names = parser.parse_args().names or list(PICTURES)
    if len(names) > 1:  # a process for each, as two toolkits do not share one
        for name in names:
            subprocess.run([sys.executable, __file__, name], check=True)
        return
    from tests.support.screen import Screen

    with Screen() as screen:
        os.environ["DISPLAY"] = screen.display
        PICTURES[names[0]](screen)


if __name__ == "__main__":
    main()
