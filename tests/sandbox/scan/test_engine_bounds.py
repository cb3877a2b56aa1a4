"""Scripts made to exhaust the engines: they end, and what wasn't seen is said."""

from __future__ import annotations

import random

import pytest

from scan_samples import samples
from skilllite_sandbox.scan.acts import Opaque
from skilllite_sandbox.scan.javascript import analyse_javascript_text
from skilllite_sandbox.scan.shell import analyse_shell_text

_SHELL = {
    "nested substitutions": "x=" + "$(echo " * 300 + "a" + ")" * 300,
    "nested blocks": "if true; then " * 300 + "ls" + "; fi" * 300,
    "a chain of calls": "\n".join(f"f{i}() {{ f{i + 1}; }}" for i in range(200)) + "\nf0",
    "functions that call twice": "\n".join(f"f{i}() {{ f{i + 1}; f{i + 1}; }}" for i in range(40)),
    "code in code": "eval " * 200 + "ls",
    "braces": "echo " + "{a,b}" * 24,
    "text that doubles": "x=aaaaaaaa\n" + 'x="$x$x"\n' * 40,
    "loops in loops": "for i in {1..9} 1 2 3 4; do " * 12 + "ls" + "; done" * 12,
}
_JAVASCRIPT = {
    "nested calls": "f(" * 2000 + "1" + ")" * 2000,
    "nested arrays": "x = " + "[" * 3000 + "]" * 3000,
    "a long sum": "x = " + " + ".join("'a'" for _ in range(5000)),
    "functions that call twice": ";".join(
        f"function f{i}() {{ f{i + 1}(); f{i + 1}() }}" for i in range(40)
    ),
    "loops in loops": "for (let i = 0; i < 1e9; i++) " * 8 + "x += 'a'",
    "code in code": "eval('" * 30 + "1" + "')" * 30,
    "text that doubles": "let x = 'aaaaaaaa';" + "x = x + x;" * 60,
    "a slow pattern": "'" + "a" * 5000 + "'.replace(/(a|aa)+$/, 'b').replace(/(a*)*b/g, 'c')",
    "a large array": "const a = new Array(1e9).fill(0).map((_, i) => i)",
    "recursion": "function f(n) { return f(n + 1) + f(n + 2) } f(0)",
}


@pytest.mark.parametrize("name", _SHELL)
def test_shell_that_grows_without_end_is_given_up_in_time(name: str) -> None:
    analysis = analyse_shell_text(_SHELL[name], "main.sh")

    assert not any("stumbled" in each.why for each in analysis.opaque)


@pytest.mark.parametrize("name", _JAVASCRIPT)
def test_javascript_that_grows_without_end_is_given_up_in_time(name: str) -> None:
    analysis = analyse_javascript_text(_JAVASCRIPT[name], "main.js")

    assert not any("stumbled" in each.why for each in analysis.opaque)


def test_code_nested_too_deeply_is_said_to_be_unseen() -> None:
    analysis = analyse_javascript_text(_JAVASCRIPT["nested calls"], "main.js")

    assert analysis.opaque


_FOREIGN = "(){}[]$\"'`\\;|&<>=!*?#~\n\t %0xA"


def _mutated(source: random.Random, pool: list[str]) -> str:
    script = source.choice(pool)
    for _ in range(source.randint(1, 5)):
        at = source.randrange(len(script) or 1)
        end = min(len(script), at + source.randint(0, 12))
        what = source.randrange(4)
        if what == 0:
            script = script[:at] + script[end:]
        elif what == 1:
            script = script[:at] + source.choice(_FOREIGN) + script[at:]
        elif what == 2:
            script = script[:at] + source.choice(pool)[: end - at + 20] + script[at:]
        else:
            script = script[:at] + script[at:end] * 3 + script[end:]
    return script


@pytest.mark.parametrize("seed", range(4))
def test_no_mutation_of_a_script_makes_an_engine_stumble(seed: int) -> None:
    source = random.Random(seed)
    shell = samples("shell_attacks") + samples("shell_ordinary")
    scripts = samples("javascript_attacks") + samples("javascript_ordinary")

    said: list[Opaque] = []
    for _ in range(100):
        said += analyse_shell_text(_mutated(source, shell), "main.sh").opaque
        said += analyse_javascript_text(_mutated(source, scripts), "main.js").opaque

    assert not [each.why for each in said if "stumbled" in each.why], f"seed {seed}"
