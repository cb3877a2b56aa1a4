"""JavaScript and TypeScript: what they do, read by working out values without running anything.

interpreter.py follows statements and expressions over values that are known in part; built_in.py
works out what strings, arrays and numbers do; the modules of `hosts` know what node offers.
"""

from skilllite_sandbox.scan.javascript.engine import analyse_javascript as analyse_javascript
from skilllite_sandbox.scan.javascript.engine import (
    analyse_javascript_text as analyse_javascript_text,
)
