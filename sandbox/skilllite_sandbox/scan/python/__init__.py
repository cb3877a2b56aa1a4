"""The Python engine: follows what code does by running it on values that are known in part."""

from __future__ import annotations

from skilllite_sandbox.scan.python.engine import analyse_python as analyse_python
from skilllite_sandbox.scan.python.engine import analyse_python_text as analyse_python_text
