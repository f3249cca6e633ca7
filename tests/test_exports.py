"""The names that programs import, and from where: those of 0.9 stay."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

import indipyclient
from indipyclient import events, ipyclient, propertymembers, propertyvectors, queclient, syncclient

ROOT = Path(indipyclient.__file__).parent
PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"

TOP_LEVEL = {
    *("version", "IPyClient", "ClientEvent", "getfloat", "ConnectionMade", "ConnectionLost", "delProperty"),
    *("defSwitchVector", "defTextVector", "defNumberVector", "defLightVector", "defBLOBVector"),
    *("setSwitchVector", "setTextVector", "setNumberVector", "setLightVector", "setBLOBVector"),
    *("Message", "VectorTimeOut"),
}
DATA_EVENTS = [f"{verb}{kind}Vector" for verb in ("def", "set") for kind in ("Switch", "Text", "Number")]
DATA_EVENTS += [f"{verb}{kind}Vector" for verb in ("def", "set") for kind in ("Light", "BLOB")]
EVENTS = ["ConnectionMade", "ConnectionLost", "Message", "delProperty", "VectorTimeOut", *DATA_EVENTS]

# every path that some program is known to import from, or that 0.9 documented
PATHS = {
    "indipyclient": sorted(TOP_LEVEL),
    "indipyclient.queclient": ["QueClient", "runqueclient", "EventItem"],
    "indipyclient.ipyclient": [
        *("IPyClient", "Snap", "SnapDevice", "Device", "_ParentDevice"),
        *("DEFTAGS", "logger", "ParseException", "events"),
    ],
    "indipyclient.events": [
        *("Event", "defVector", "setVector", "getProperties", "ClientEvent", "_parse_timestamp"),
        *EVENTS,
    ],
    "indipyclient.propertyvectors": [
        *("Vector", "PropertyVector", "SwitchVector", "LightVector", "TextVector", "NumberVector"),
        *("BLOBVector", "SnapVector", "SnapNumberVector", "ClientEvent"),
    ],
    "indipyclient.propertymembers": [
        *("Member", "SwitchMember", "LightMember", "TextMember", "NumberMember", "BLOBMember"),
        *("ParentNumberMember", "ParentBLOBMember", "SnapMember", "SnapNumberMember", "SnapBLOBMember"),
        *("getfloat", "ParseException"),
    ],
}


# Not for programs, though without an underscore: what modules of the package share among themselves.
INTERNAL = {"Owner", "changed"}
# Everything in it is public: the vocabulary of the protocol.
UNLISTED = ["indipyclient.protocol.messages"]


# -- the names of 0.9 ------------------------------------------------------------------------


def test_the_package_exports_the_19_names_of_0_9() -> None:
    assert len(TOP_LEVEL) == 19
    assert len(indipyclient.__all__) == 19
    assert set(indipyclient.__all__) == TOP_LEVEL


def test_the_package_has_connect_besides() -> None:
    assert indipyclient.connect is syncclient.connect
    assert "connect" in dir(indipyclient)


@pytest.mark.parametrize("name", ["getProperties", "QueClient", "EventItem"])
def test_what_0_9_did_not_export_is_not_exported(name: str) -> None:
    assert not hasattr(indipyclient, name)


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in PATHS.items() for name in names]
)
def test_a_name_is_where_0_9_had_it(module: str, name: str) -> None:
    assert getattr(importlib.import_module(module), name) is not None


@pytest.mark.parametrize("name", EVENTS)
def test_the_package_exports_the_events_themselves(name: str) -> None:
    assert getattr(indipyclient, name) is getattr(events, name)


def test_one_thing_is_the_same_by_every_path() -> None:
    assert indipyclient.IPyClient is ipyclient.IPyClient
    assert indipyclient.ClientEvent is events.ClientEvent is propertyvectors.ClientEvent
    assert indipyclient.getfloat is propertymembers.getfloat
    assert ipyclient.ParseException is propertymembers.ParseException
    assert ipyclient.events is events


def test_the_classes_are_distinct_and_told_apart_by_isinstance() -> None:
    classes = [getattr(indipyclient, name) for name in EVENTS] + [indipyclient.ClientEvent]
    assert len(set(classes)) == len(classes)
    for one in classes:
        assert isinstance(one, type)
        assert [other for other in classes if issubclass(one, other)] == [one]


@pytest.mark.parametrize("name", DATA_EVENTS)
def test_definitions_and_updates_have_their_parents(name: str) -> None:
    parent = events.defVector if name.startswith("def") else events.setVector
    assert issubclass(getattr(events, name), parent)
    assert issubclass(getattr(events, name), events.Event)


@pytest.mark.parametrize("kind", ["Switch", "Light", "Text", "Number", "BLOB"])
def test_live_classes_have_their_parents(kind: str) -> None:
    vector = getattr(propertyvectors, f"{kind}Vector")
    assert issubclass(vector, propertyvectors.PropertyVector)
    assert issubclass(vector, propertyvectors.Vector)
    assert vector.__name__ == f"{kind}Vector"
    assert issubclass(getattr(propertymembers, f"{kind}Member"), propertymembers.Member)


def test_parse_exception_is_a_plain_exception() -> None:
    assert ipyclient.ParseException.__bases__ == (Exception,)


def test_the_tags_and_the_logger_are_those_of_0_9() -> None:
    tags = {"defSwitchVector", "defLightVector", "defTextVector", "defNumberVector", "defBLOBVector"}
    assert set(ipyclient.DEFTAGS) == tags and len(ipyclient.DEFTAGS) == 5
    assert ipyclient.logger.name == "indipyclient.ipyclient"


def test_an_item_has_the_fields_of_0_9() -> None:
    fields = ("eventtype", "devicename", "vectorname", "timestamp", "snapshot")
    assert queclient.EventItem._fields == fields
    assert issubclass(queclient.QueClient, indipyclient.IPyClient)


# -- the lists of names ----------------------------------------------------------------------


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax tree of every module by its name, without packages that are just a docstring."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = ["indipyclient", *path.relative_to(ROOT).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        if len(tree.body) > 1:
            found[".".join(parts)] = tree
    return found


def tree(module: str) -> ast.Module:
    return trees()[module]


def listed(module: str) -> list[str] | None:
    for node in tree(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def bound(module: str) -> set[str]:
    """The names that the module's statements define or import."""
    names = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def test_every_module_lists_its_names() -> None:
    assert [module for module in trees() if listed(module) is None] == UNLISTED


@pytest.mark.parametrize("module", trees())
def test_a_list_of_names_holds_what_there_is_and_once(module: str) -> None:
    names = listed(module) or []
    assert len(set(names)) == len(names)
    assert set(names) <= bound(module)


@pytest.mark.parametrize("module", trees())
def test_a_list_of_names_holds_every_public_class_and_function(module: str) -> None:
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    defined = {node.name for node in tree(module).body if isinstance(node, definitions)}
    public = {name for name in defined - INTERNAL if not name.startswith("_")}
    assert public <= set(listed(module) or defined)


@pytest.mark.parametrize("module", [module for module in trees() if ".demo" not in module])
def test_listed_names_can_be_imported(module: str) -> None:
    made = importlib.import_module(module)
    assert [name for name in listed(module) or [] if not hasattr(made, name)] == []


# -- what is shipped -------------------------------------------------------------------------


def test_the_types_are_shipped() -> None:
    assert (ROOT / "py.typed").is_file()
    assert 'indipyclient = ["py.typed"]' in PYPROJECT.read_text(encoding="utf-8")


def test_the_version_is_that_of_the_distribution() -> None:
    found = re.search(r'^version = "(.+)"$', PYPROJECT.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None and found[1] == indipyclient.version
