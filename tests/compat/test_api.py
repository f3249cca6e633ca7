"""The public interface against the frozen table of that of 0.9.4, and the table against 0.9.4 itself."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import indipyclient

from .api_table import ALL, AT_FIRST, ATTRIBUTES, DIFFERENT, EVENTS, FUNCTIONS, METHODS, NAMES, NEW, PARENTS
from .page import rows_of_page
from .side_by_side import Package

PROBE = Path(__file__).with_name("api_probe.py")


def probe(package: Package) -> dict[str, Any]:
    done = subprocess.run(
        [package.python, str(PROBE)],
        env={**os.environ, "PYTHONPATH": package.path},
        capture_output=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def ours(present: Package) -> dict[str, Any]:
    return probe(present)


def deviations(found: dict[str, Any]) -> Iterator[str]:
    """A sentence on each thing that is not as in the table."""
    yield from import_deviations(found)
    yield from class_deviations(found)
    yield from instance_deviations(found)
    for name, value in AT_FIRST.items():
        if found["before"][name] != value:
            yield f"{name} is {found['before'][name]!r}"


def import_deviations(found: dict[str, Any]) -> Iterator[str]:
    if set(found["all"]) != set(ALL.split()):
        yield f"__all__ is {found['all']}"
    for module, names in NAMES.items():
        yield from (f"{module} has no {name}" for name in names.split() if name not in found["names"][module])
    yield from signature_deviations("", FUNCTIONS, found["functions"])


def class_deviations(found: dict[str, Any]) -> Iterator[str]:
    for name, parents in PARENTS.items():
        there = found["classes"][name]["parents"]
        yield from (f"{name} is no {parent}" for parent in parents.split() if parent not in there)
    for name, methods in METHODS.items():
        yield from signature_deviations(name, methods, found["classes"][name]["methods"])


def signature_deviations(owner: str, wanted: str, found: dict[str, str]) -> Iterator[str]:
    for name, signature in signatures(wanted):
        if name not in found:
            yield f"{owner} has no {name}"
        elif not takes(found[name], signature):
            yield f"{owner}.{name} is {found[name]}"


def signatures(lines: str) -> Iterator[tuple[str, str]]:
    """The names and signatures of a block of them, ``async`` or ``static`` in front of the brackets."""
    for entry in lines.replace(")", ")\n").splitlines():
        head, bracket, arguments = entry.strip().partition("(")
        if bracket:
            kind, _, name = head.rpartition(" ")
            yield name, f"{kind} (".lstrip() + arguments


def takes(found: str, wanted: str) -> bool:
    """Whether every call that fits `wanted` fits `found` as well, and means the same."""
    kind, _, arguments = found.partition("(")
    wanted_kind, _, wanted_arguments = wanted.partition("(")
    parameters, wanted_parameters = parameters_of(arguments), parameters_of(wanted_arguments)
    same = zip(parameters, wanted_parameters, strict=False)
    return (
        kind == wanted_kind
        and len(parameters) >= len(wanted_parameters)
        and all(is_like(parameter, other) for parameter, other in same)
        and all(
            parameter.default is not parameter.empty for parameter in parameters[len(wanted_parameters) :]
        )
    )


def parameters_of(arguments: str) -> list[inspect.Parameter]:
    """The parameters in a text such as ``a, b=1)``."""
    return list(inspect.signature(eval(f"lambda {arguments[:-1]}: None")).parameters.values())


def is_like(found: inspect.Parameter, wanted: inspect.Parameter) -> bool:
    optional = wanted.default is wanted.empty or wanted.default == found.default
    return optional and (found.name, found.kind) == (wanted.name, wanted.kind)


def instance_deviations(found: dict[str, Any]) -> Iterator[str]:
    for owner, attributes in {**ATTRIBUTES, **EVENTS}.items():
        there = found["instances"][owner]
        yield from (f"{owner} has no {name}" for name in attributes.split() if name not in there)
        if owner in EVENTS:
            yield from (f"{owner} has {name}" for name in there if name not in attributes.split())


def test_the_interface_is_that_of_the_table_but_for_what_is_meant(ours: dict[str, Any]) -> None:
    assert set(deviations(ours)) == set(DIFFERENT)


def test_every_difference_is_on_the_page() -> None:
    assert set(DIFFERENT.values()) <= rows_of_page()


def test_the_table_is_the_interface_of_0_9_4(published: Package) -> None:
    assert list(deviations(probe(published))) == []


@pytest.mark.parametrize("owner", NEW)
def test_programs_subclasses_meet_no_unexpected_names(owner: str, ours: dict[str, Any]) -> None:
    methods = [name for name, _ in signatures(METHODS[owner])]
    known = {*methods, *ATTRIBUTES[owner].split(), *NEW[owner].split()}
    assert set(ours["instances"][owner]) <= known


def test_the_version_is_a_text() -> None:
    assert isinstance(indipyclient.version, str)


def test_snapshots_are_of_the_classes_by_which_programs_know_them(ours: dict[str, Any]) -> None:
    assert "SnapVector" in ours["classes"]["SnapNumberVector"]["parents"]


@pytest.mark.parametrize(
    ("found", "fits"),
    [
        ("(a, b=1)", True),
        ("(a, b=1, *, c=2)", True),
        ("(a, b=1, c=2)", True),
        ("(a=0, b=1)", True),
        ("(a, b=2)", False),
        ("(a, b)", False),
        ("(a)", False),
        ("(b, a=1)", False),
        ("(a, b=1, *, c)", False),
        ("(a, *, b=1)", False),
        ("async (a, b=1)", False),
    ],
)
def test_a_signature_may_only_take_more(found: str, fits: bool) -> None:
    assert takes(found, "(a, b=1)") is fits
