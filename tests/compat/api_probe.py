"""Prints, as JSON, the public interface of whatever `indipyclient` the Python has that runs this.

Names and signatures are looked up; what instances have is seen on those of a short session with a server.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
from functools import cache
from typing import Any

import indipyclient as ipc

MODULES = ("", ".queclient", ".ipyclient", ".events", ".propertyvectors", ".propertymembers")

SAID = """
<defTextVector device="D" name="T" state="Ok" perm="rw"><defText name="t">hill</defText></defTextVector>
<defNumberVector device="D" name="N" state="Ok" perm="rw">
<defNumber name="n" format="%g" min="0" max="9" step="1">1</defNumber></defNumberVector>
<defSwitchVector device="D" name="S" state="Ok" perm="rw" rule="OneOfMany">
<defSwitch name="s">On</defSwitch></defSwitchVector>
<defLightVector device="D" name="L" state="Ok"><defLight name="l">Ok</defLight></defLightVector>
<defBLOBVector device="D" name="B" state="Ok" perm="rw"><defBLOB name="b"/></defBLOBVector>
<setTextVector device="D" name="T" timeout="0"><oneText name="t">top</oneText></setTextVector>
<setNumberVector device="D" name="N"><oneNumber name="n">2</oneNumber></setNumberVector>
<setSwitchVector device="D" name="S"><oneSwitch name="s">On</oneSwitch></setSwitchVector>
<setLightVector device="D" name="L"><oneLight name="l">Ok</oneLight></setLightVector>
<setBLOBVector device="D" name="B"><oneBLOB name="b" size="3" format=".x">YWJj</oneBLOB></setBLOBVector>
<getProperties version="1.7" device="D" name="N"/>
<delProperty device="D" name="S"/>
<message message="that is all"/>
"""


# -- names and signatures -----------------------------------------------------------------------


def names() -> dict[str, list[str]]:
    """What can be imported from each module."""
    modules = [importlib.import_module(f"indipyclient{name}") for name in MODULES]
    return {module.__name__: [name for name in vars(module) if name[:2] != "__"] for module in modules}


@cache
def classes() -> dict[str, dict[str, Any]]:
    """The classes of all modules: the names of their parents, and their methods with the signatures."""
    found = {}
    for module in names():
        for name, kind in vars(importlib.import_module(module)).items():
            if inspect.isclass(kind) and kind.__module__.startswith("indipyclient"):
                parents = [parent.__name__ for parent in kind.__mro__]
                found[name] = {"parents": parents, "methods": methods(kind)}
    return found


def methods(kind: type) -> dict[str, str]:
    found = {}
    for name in dir(kind):
        method = inspect.getattr_static(kind, name)
        if isinstance(method, staticmethod):
            found[name] = "static " + signature(method.__func__, skip=0)
        elif inspect.isfunction(method):
            found[name] = signature(method, skip=1)
    return found


def functions() -> dict[str, str]:
    return {
        name: signature(function, skip=0)
        for module in names()
        for name, function in vars(importlib.import_module(module)).items()
        if inspect.isfunction(function) and function.__module__.startswith("indipyclient")
    }


def signature(function: Any, skip: int) -> str:
    """A signature without annotations and without the first `skip` parameters."""
    parameters = list(inspect.signature(function).parameters.values())[skip:]
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    kind = "async " if inspect.iscoroutinefunction(function) else ""
    return kind + str(inspect.Signature(bare))


# -- instances ----------------------------------------------------------------------------------


class Client(ipc.IPyClient):
    """Keeps an instance of everything."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port, mine=1)
        self.before = {name: getattr(self, name) for name in attributes(self) if not name.startswith("snap")}
        self.kept: dict[str, Any] = {}

    async def rxevent(self, event: Any) -> None:
        self.kept.setdefault(type(event).__name__, event)
        if getattr(event, "message", "") == "that is all":
            device = self["D"]
            self.keep(
                self,
                device,
                *device.values(),
                *(vector.member(n) for vector in device.values() for n in vector),
            )
            await device["T"].create_clientevent()
            self.vector_timeout_min = self.vector_timeout_max = 0
            await self.send_newVector("D", "T", members={"t": "x"})
        if isinstance(event, ipc.VectorTimeOut):
            snap = self.snapshot()
            snaps = [*snap["D"].values()]
            members = [vector.member(name) for vector in snaps for name in vector]
            self.keep(snap, snap["D"], *snaps, *members)
            self.shutdown()

    def keep(self, *nodes: Any) -> None:
        """Note instances under the name of their class and, below devices, their own."""
        for node in nodes:
            self.kept[" ".join(filter(None, (type_of(node), getattr(node, "name", ""))))] = node


def type_of(node: Any) -> str:
    """The name of the class that 0.9 knows."""
    known = classes()
    return next(kind.__name__ for kind in type(node).__mro__ if kind.__name__ in known)


def attributes(node: Any) -> list[str]:
    """What is public, but for what every mapping has."""
    return [name for name in dir(node) if name[0] != "_" and name not in dir(dict) and name != "data"]


async def session() -> Client:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(SAID.encode())
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = Client(server.sockets[0].getsockname()[1])
    async with server:
        await asyncio.wait_for(client.asyncrun(), 60)
    return client


def main() -> None:
    client = asyncio.run(session())
    own = {"before", "kept", "keep"}
    print(
        json.dumps(
            {
                "all": ipc.__all__,
                "names": names(),
                "classes": classes(),
                "functions": functions(),
                "instances": {
                    name: [attribute for attribute in attributes(node) if attribute not in own]
                    for name, node in client.kept.items()
                },
                "before": {
                    name: value
                    if isinstance(value, str | int | float | dict | None)
                    else type(value).__name__
                    for name, value in client.before.items()
                    if not callable(value) or name == "stopped"
                },
                "_stop": client._stop,
            }
        )
    )


if __name__ == "__main__":
    main()
