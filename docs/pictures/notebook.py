"""Takes pictures of cells of examples/threaded/notebook.ipynb, which it runs, as a notebook shows them.

    python docs/pictures/notebook.py

Needs Chromium (Debian: chromium) and the extras demo and test.
"""

from __future__ import annotations

import html
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from PIL import Image, ImageChops

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "examples" / "threaded" / "notebook.ipynb"
PICTURES = {"notebook": (("connect", "frame"), "light"), "notebook_dark": (("device",), "dark")}
"""Names of pictures: the cells that are on them, and the theme."""
THEMES = {
    "light": ("#ffffff", "rgba(0,0,0,.87)", "#f5f5f5", "#e0e0e0"),
    "dark": ("#111111", "rgba(255,255,255,.87)", "#212121", "#424242"),
}
"""JupyterLab's colours: page, text, cell, and its border."""
WIDTH, HEIGHT = 860, 1400  # pixels; what is empty below is cut off

# What JupyterLab's own style does to tables is in it, as that is what the pages must stand.
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ background: {page}; color: {ink}; margin: 0; padding: 12px; font: 14px/1.5 "DejaVu Sans" }}
pre {{ background: {cell}; border: 1px solid {border}; margin: 0 0 6px 72px; padding: 6px 8px }}
pre {{ font-size: 12px }}
.prompt {{ float: left; width: 64px; text-align: right; font: 12px/2.6 monospace; opacity: .6 }}
.output {{ margin: 0 0 16px 72px; font-size: 14px }}
table {{ border-collapse: collapse; font-size: 12px; table-layout: fixed }}
td {{ text-align: right; vertical-align: middle; padding: .5em; line-height: normal }}
tbody tr:nth-child(even) {{ background: rgba(128,128,128,.2) }}
</style>{cells}"""


def run() -> Any:
    """The notebook with its outputs."""
    with NOTEBOOK.open(encoding="utf-8") as file:
        notebook = nbformat.read(file, as_version=4)
    return nbclient.NotebookClient(notebook, timeout=120).execute()


def shown(cell: Any) -> str:
    """A cell and what it is shown as."""
    number, source = cell.execution_count, html.escape(cell.source)
    (page,) = (one["data"]["text/html"] for one in cell.outputs if one["output_type"] == "execute_result")
    return f'<div class="prompt">[{number}]:</div><pre>{source}</pre><div class="output">{page}</div>'


def take(page: str, picture: Path) -> None:
    """Have a browser without a screen draw a page."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.html")
        file.write_text(page, encoding="utf-8")
        options = [
            "headless",
            "no-sandbox",
            "disable-gpu",
            "hide-scrollbars",
            f"window-size={WIDTH},{HEIGHT}",
        ]
        options += [
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "no-first-run",
        ]
        options += [f"user-data-dir={folder}/user", f"screenshot={picture}"]
        command = ["chromium", *(f"--{option}" for option in options), file.as_uri()]
        subprocess.run(command, check=True, timeout=120, stderr=subprocess.DEVNULL)


def shrink(picture: Path) -> None:
    """Cut off what is empty below, and keep as many colours as are needed."""
    with Image.open(picture) as image:
        whole = image.convert("RGB")
    empty = Image.new("RGB", whole.size, whole.getpixel((0, 0)))
    _, _, _, bottom = ImageChops.difference(whole, empty).getbbox()
    cut = whole.crop((0, 0, whole.width, min(bottom + 12, whole.height)))
    cut.quantize(255, dither=Image.Dither.NONE).save(picture, optimize=True)
    print(f"{picture.relative_to(HERE.parents[1])}: {picture.stat().st_size // 1000} kB")


def main() -> None:
    """Take all pictures."""
    cells = {cell.id: cell for cell in run().cells}
    for name, (ids, theme) in PICTURES.items():
        colours = dict(zip(("page", "ink", "cell", "border"), THEMES[theme], strict=True))
        page = PAGE.format(cells="".join(shown(cells[one]) for one in ids), **colours)
        take(page, HERE / f"{name}.png")
        shrink(HERE / f"{name}.png")


if __name__ == "__main__":
    main()
