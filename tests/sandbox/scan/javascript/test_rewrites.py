"""An attack stays an attack when it is put another way: wrapped, moved, encoded, split."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

import pytest

from scan_samples import samples
from scan_verdicts import verdict_without_capabilities
from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.scan.javascript import analyse_javascript
from skilllite_sandbox.scan.source import make_source

_MEANS_ITSELF = re.compile(r"\bimport\b|__filename|process\.argv\[0\]")
"""Imports stand at the top of a module; a script that starts itself is another when it is moved."""


def _wrapped_in_a_function(script: str) -> dict[str, str]:
    return {"main.js": f"async function task() {{\n{script}\n}}\ntask().catch(() => {{}})\n"}


def _moved_to_another_script(script: str) -> dict[str, str]:
    return {"scripts/main.js": "require('./lib/common')\n", "scripts/lib/common.js": script}


def _moved_to_a_data_file_that_is_run(script: str) -> dict[str, str]:
    return {
        "scripts/main.js": "const fs = require('fs'), path = require('path');\n"
        "eval(fs.readFileSync(path.join(__dirname, '..', 'assets', 'table.txt'), 'utf8'))\n",
        "assets/table.txt": script,
    }


def _encoded(script: str) -> dict[str, str]:
    packed = base64.b64encode(script.encode()).decode()
    return {"main.js": f"(0, eval)(Buffer.from('{packed}', 'base64').toString())\n"}


def _in_a_table_of_json(script: str) -> dict[str, str]:
    return {
        "main.js": "const c = require('./config.json');"
        " new Function('require', c.steps[1])(require)",
        "config.json": json.dumps({"steps": ["x", script]}),
    }


def _behind_a_condition_and_a_timer(script: str) -> dict[str, str]:
    return {"main.js": f"if (process.argv.length > 9) {{ setTimeout(() => {{ {script} }}, 5) }}"}


@pytest.mark.parametrize(
    "rewrite",
    [
        _wrapped_in_a_function,
        _moved_to_another_script,
        _moved_to_a_data_file_that_is_run,
        _encoded,
        _in_a_table_of_json,
        _behind_a_condition_and_a_timer,
    ],
)
def test_rewritten_attacks_are_still_blocked(rewrite: Callable[[str], dict[str, str]]) -> None:
    scripts = [each for each in samples("javascript_attacks") if not _MEANS_ITSELF.search(each)]
    missed = []
    for script in scripts:
        sources = [make_source(name, text.encode()) for name, text in rewrite(script).items()]
        if verdict_without_capabilities(analyse_javascript(sources)) is not Verdict.BLOCK:
            missed.append(script)

    assert len(missed) <= len(scripts) * 0.02, missed
