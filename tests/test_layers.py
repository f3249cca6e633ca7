"""The house rules on imports: they only ever point down, and the base works without what is optional.

Read from the source of every module, so nothing is missed because it happens not to run here.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import indipyclient

ROOT = Path(indipyclient.__file__).parent
NAME = indipyclient.__name__

# The rooms below the front ends, and what each may know of the others. Every module that is not
# named here, in whatever folder, is a front end: it may know all, and no room may know it.
ROOM = {
    f"{NAME}.events": "live",
    f"{NAME}.propertymembers": "live",
    f"{NAME}.propertyvectors": "live",
    f"{NAME}.ipyclient": "client",
    f"{NAME}.mailbox": "bridge",
    f"{NAME}.syncclient": "sync",
}
MAY_KNOW: dict[str, set[str]] = {
    "protocol": set(),
    "errors": set(),
    "blobfolder": set(),
    "offload": set(),
    "arrays": {"errors"},
    "display": {"arrays"},
    # Nodes make arrays, save and show themselves when asked: imported only then.
    "state": {"protocol", "errors", "arrays", "blobfolder", "display"},
    "net": {"protocol", "errors", "offload"},
    "live": {"state", "protocol", "errors"},
    "client": {"live", "net", "state", "protocol", "errors", "blobfolder", "offload"},
    "bridge": {"state", "errors"},
    "sync": {"bridge", "client", "live", "state", "display", "protocol", "errors"},
}

INPUT_OUTPUT = {"asyncio", "fcntl", "mmap", "select", "selectors", "signal", "socket", "ssl", "subprocess"}
THREADS = {"_thread", "concurrent", "multiprocessing", "queue", "threading"}
CLOCKS = {"sched", "time"}
FILES = {"io", "os", "pathlib", "shutil", "tempfile"}
TOOLKITS = {"gi", "IPython", "ipywidgets", "PyQt5", "PyQt6", "PySide2", "PySide6", "qtpy", "tkinter", "wx"}
OPTIONAL = {"astropy", "indipydriver", "indipyserver", "numpy", "PIL", "rich"}
REQUIRED = {"pybase64"}


# -- reading imports -------------------------------------------------------------------------


class Import(NamedTuple):
    """One import of a module.

    Fields:
        target: the module, by its full name.
        lazy: inside a function, so it only happens when that is called.
        typing: under ``if TYPE_CHECKING``, so it never happens.
    """

    target: str
    lazy: bool
    typing: bool

    @property
    def top(self) -> str:
        return self.target.partition(".")[0]


class Reader(ast.NodeVisitor):
    """Collects the imports of one module."""

    def __init__(self, module: str, is_package: bool, known: set[str]) -> None:
        self.found: list[Import] = []
        self._package = module if is_package else module.rpartition(".")[0]
        self._known = known
        self._lazy = False
        self._typing = False

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        before, self._lazy = self._lazy, True
        self.generic_visit(node)
        self._lazy = before

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_Lambda = visit_FunctionDef

    def visit_If(self, node: ast.If) -> None:
        before = self._typing
        self._typing = before or "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body:
            self.visit(statement)
        self._typing = before
        for statement in node.orelse:
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parts = self._package.split(".")
            base = ".".join(filter(None, [*parts[: len(parts) - node.level + 1], base]))
        for alias in node.names:
            submodule = f"{base}.{alias.name}"
            self._add(submodule if submodule in self._known else base)

    def _add(self, target: str) -> None:
        self.found.append(Import(target, self._lazy, self._typing))


def read_imports(source: str, module: str, is_package: bool, known: set[str]) -> list[Import]:
    reader = Reader(module, is_package, known)
    reader.visit(ast.parse(source))
    return reader.found


@cache
def sources() -> dict[str, Path]:
    """The file of every module of the package."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = [NAME, *path.relative_to(ROOT).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(module: str) -> tuple[Import, ...]:
    path = sources()[module]
    text = path.read_text(encoding="utf-8")
    return tuple(read_imports(text, module, path.name == "__init__.py", set(sources())))


def happening(module: str) -> Iterator[Import]:
    """The imports of a module that happen, at once or at some time."""
    return (one for one in imports(module) if not one.typing)


def room(module: str) -> str:
    folder = module.removeprefix(f"{NAME}.").partition(".")[0]
    name = ROOM.get(module, folder)
    return name if name in MAY_KNOW else "front end"


def modules(*rooms: str) -> list[str]:
    return [module for module in sources() if not rooms or room(module) in rooms]


def is_demo(module: str) -> bool:
    return module.startswith(f"{NAME}.demo")


# Which toolkits each adapter may know. No other module may know any, and whoever imports one has the toolkit.
ADAPTERS = {
    f"{NAME}.gui.tk": {"tkinter"},
    f"{NAME}.gui.qt": {"PySide6", "PyQt6", "PyQt5"},
    f"{NAME}.gui.gtk": {"gi"},
}
BASE = [module for module in sources() if not is_demo(module) and module not in ADAPTERS]


def test_every_form_of_import_is_read() -> None:
    source = """
import a.b, c as d
from . import one, other
from .one import x
from .. import y
from ..up.deep import z
if TYPE_CHECKING:
    import t
else:
    import u
try:
    import v
except ImportError:
    import w
def f():
    import l
    async def g():
        from m import n
class C:
    import k
"""
    known = {"p.q", "p.q.one", "p", "p.up.deep"}
    found = read_imports(source, "p.q.r", False, known)
    assert [one.target for one in found if not one.lazy and not one.typing] == (
        ["a.b", "c", "p.q.one", "p.q", "p.q.one", "p", "p.up.deep", "u", "v", "w", "k"]
    )
    assert [one.target for one in found if one.typing] == ["t"]
    assert [one.target for one in found if one.lazy] == ["l", "m"]
    assert [one.target for one in read_imports("from .one import x", "p.q", True, known)] == ["p.q.one"]


def test_the_package_is_found_with_its_rooms() -> None:
    assert {f"{NAME}.protocol.scanner", f"{NAME}.state.apply", f"{NAME}.queclient"} <= set(sources())
    for name in MAY_KNOW:
        assert modules(name), f"there is no module in the room {name}"
    assert f"{NAME}.ipyclient" in [one.target for one in imports(f"{NAME}.queclient")]


# -- the direction of the imports ------------------------------------------------------------


@pytest.mark.parametrize("module", modules(*MAY_KNOW))
def test_imports_only_point_down(module: str) -> None:
    allowed = MAY_KNOW[room(module)] | {room(module)}
    wrong = [one.target for one in happening(module) if one.top == NAME and room(one.target) not in allowed]
    assert wrong == []


def test_no_imports_go_round_in_a_circle() -> None:
    graph = {
        module: {one.target for one in happening(module) if one.top == NAME and one.target != module}
        for module in sources()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' <- '.join(error.args[1])}")


# -- what each room must not know ------------------------------------------------------------


def known_outside(module: str) -> set[str]:
    return {one.top for one in happening(module) if one.top != NAME}


@pytest.mark.parametrize("module", modules("protocol", "state"))
def test_protocol_and_state_know_no_input_output_threads_or_clocks(module: str) -> None:
    # memory is no input: mmap gives it in large pages
    allowed = {"mmap"} if module == f"{NAME}.protocol.growing" else set()
    assert known_outside(module) & (INPUT_OUTPUT | THREADS | CLOCKS | TOOLKITS) <= allowed


@pytest.mark.parametrize("module", modules("protocol", "state"))
def test_protocol_and_state_know_no_files(module: str) -> None:
    # the path of a BLOB to send is a value like others, and is read where the command is checked
    allowed = {"os", "pathlib"} if module == f"{NAME}.state.commands" else set()
    assert known_outside(module) & FILES <= allowed


@pytest.mark.parametrize("module", modules("protocol", "state"))
def test_protocol_and_state_never_ask_for_the_time_or_open_files(module: str) -> None:
    called = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(sources()[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    assert {name for name in called if name.rpartition(".")[2] in {"now", "utcnow", "today", "open"}} == set()


@pytest.mark.parametrize("module", modules("live"))
def test_the_live_views_know_no_sockets_threads_or_clocks(module: str) -> None:
    assert known_outside(module) & (INPUT_OUTPUT | THREADS | CLOCKS | TOOLKITS) == set()


@pytest.mark.parametrize("module", modules("client", "net", "blobfolder", "offload", "errors"))
def test_the_client_knows_no_toolkits_queues_or_processes(module: str) -> None:
    assert known_outside(module) & (TOOLKITS | {"multiprocessing", "queue", "subprocess"}) == set()


@pytest.mark.parametrize("module", modules("front end", "bridge", "sync"))
def test_the_front_ends_know_neither_bytes_nor_xml(module: str) -> None:
    assert "xml" not in known_outside(module)
    protocol = {one.target for one in happening(module) if one.target.startswith(f"{NAME}.protocol")}
    assert protocol <= {f"{NAME}.protocol.messages", f"{NAME}.protocol.numbers"}


@pytest.mark.parametrize("module", sources())
def test_a_toolkit_is_known_to_its_own_adapter_only(module: str) -> None:
    notebooks = {"IPython", "ipywidgets"}
    assert known_outside(module) & (TOOLKITS - notebooks) <= ADAPTERS.get(module, set())


# -- what is optional ------------------------------------------------------------------------


@pytest.mark.parametrize("module", BASE)
def test_what_is_optional_is_imported_only_in_functions(module: str) -> None:
    at_once = {one.top for one in happening(module) if not one.lazy}
    assert at_once - set(sys.stdlib_module_names) - {NAME} <= REQUIRED


@pytest.mark.parametrize("module", sources())
def test_nothing_but_what_pyproject_names_is_imported(module: str) -> None:
    allowed = REQUIRED | OPTIONAL | ADAPTERS.get(module, set())
    assert known_outside(module) - set(sys.stdlib_module_names) <= allowed


def run(program: str) -> str:
    """What `program` prints in an interpreter of its own, in which all warnings are errors."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_client_and_bridge_imports_nothing_optional() -> None:
    program = "import sys; before = set(sys.modules); import indipyclient\n"
    program += "import indipyclient.queclient, indipyclient.gui\n"
    loaded = run(program + "print(*(set(sys.modules) - before))").split()
    assert {NAME, f"{NAME}.queclient"} <= set(loaded)
    assert {name.partition(".")[0] for name in loaded} & (OPTIONAL | TOOLKITS) == set()
    assert not [name for name in loaded if is_demo(name)]


def test_importing_the_package_does_not_import_the_bridge() -> None:
    loaded = run("import sys, indipyclient; print(*sys.modules)").split()
    assert f"{NAME}.ipyclient" in loaded
    assert not {f"{NAME}.queclient", f"{NAME}.syncclient"} & set(loaded)
    assert {"concurrent.futures.thread", f"{NAME}.mailbox"} & set(loaded) == set()


def test_the_base_works_where_nothing_optional_is_installed() -> None:
    absent = f"import sys; sys.modules.update(dict.fromkeys({sorted(OPTIONAL | TOOLKITS)}))\n"
    wanted = f"import importlib; [importlib.import_module(name) for name in {BASE}]; print('all there')"
    assert run(absent + wanted) == "all there\n"
