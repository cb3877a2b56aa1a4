"""An attack stays an attack when it is put another way: wrapped, moved, split, named anew."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from scan_samples import samples
from scan_verdicts import verdict_without_capabilities
from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.scan.shell import analyse_shell
from skilllite_sandbox.scan.source import make_source

_ABOUT_ITSELF = re.compile(r"\$0|\$\{?FUNCNAME|return")
"""Scripts that mean themselves by their name do something else when they are moved."""


def _wrapped_in_a_function(script: str) -> dict[str, str]:
    return {"scripts/main.sh": f'main_task() {{\n{script}\n}}\nmain_task "$@"\n'}


def _moved_to_a_file_that_is_sourced(script: str) -> dict[str, str]:
    return {
        "scripts/main.sh": '. "$(dirname "$0")/lib/common.sh"\necho done\n',
        "scripts/lib/common.sh": script + "\n",
    }


def _moved_to_a_file_without_a_suffix_that_is_run(script: str) -> dict[str, str]:
    return {
        "scripts/main.sh": 'D="$(cd "$(dirname "$0")" && pwd)"\nbash "$D/../assets/setup" x\n',
        "assets/setup": script + "\n",
    }


def _given_to_a_shell_by_a_here_document(script: str) -> dict[str, str]:
    return {"scripts/main.sh": f"bash <<'END_OF_TASK'\n{script}\nEND_OF_TASK\n"}


def _behind_a_condition(script: str) -> dict[str, str]:
    return {"scripts/main.sh": f'if [ "$#" -gt 0 ]; then\n:\nelse\n{script}\nfi\n'}


def _in_the_background_with_silence(script: str) -> dict[str, str]:
    return {"scripts/main.sh": f"echo ok\n(\n{script}\n) >/dev/null 2>&1\n"}


@pytest.mark.parametrize(
    "rewrite",
    [
        _wrapped_in_a_function,
        _moved_to_a_file_that_is_sourced,
        _moved_to_a_file_without_a_suffix_that_is_run,
        _given_to_a_shell_by_a_here_document,
        _behind_a_condition,
        _in_the_background_with_silence,
    ],
)
def test_rewritten_attacks_are_still_blocked(rewrite: Callable[[str], dict[str, str]]) -> None:
    scripts = [each for each in samples("shell_attacks") if not _ABOUT_ITSELF.search(each)]
    missed = []
    for script in scripts:
        sources = [make_source(name, text.encode()) for name, text in rewrite(script).items()]
        if verdict_without_capabilities(analyse_shell(sources)) is not Verdict.BLOCK:
            missed.append(script)

    assert len(missed) <= len(scripts) * 0.02, missed
