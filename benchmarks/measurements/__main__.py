"""One measurement of whichever indipyclient this interpreter has; prints a JSON object.

Usage: python measurements NAME host=HOST port=PORT NAME=VALUE ...

The measurements are the functions without an underscore of the modules beside this one. They are written for
the interface that 0.9 and this package share, so both run the very same code. `works` has their arguments.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

import asynchronous
import bridge
import frames
from arguments import parse

name = sys.argv[1]
(measure,) = (found for module in (asynchronous, bridge, frames) if (found := vars(module).get(name)))
print(json.dumps(measure(parse(sys.argv[2:]))))
