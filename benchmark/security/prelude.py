"""What stands before every attack: its facts, its way to report, and how the host reads that.

The number that proves that an attack ran comes with its input, so that no quotation of its source,
in a refusal or in a traceback, can look like the proof.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from benchmark.security.judgement import Attempt

EVENTS_MAX = 10_000  # an attack makes some dozens; more is a sandbox gone mad


class Language(StrEnum):
    """What an attack is written in."""

    PYTHON = "python"
    NODE = "node"
    BASH = "bash"


SCRIPTS = {
    Language.PYTHON: "scripts/main.py",
    Language.NODE: "scripts/main.js",
    Language.BASH: "scripts/main.sh",
}

PYTHON = """\
import json
import sys

facts = json.load(sys.stdin)
found = {}


def tell(event, **more):
    sys.stderr.write(facts["nonce"] + " " + json.dumps({"event": event, **more}) + "\\n")
    sys.stderr.flush()


def attempt(name, action):
    try:
        found[name] = action()
    except Exception as error:
        number, system = getattr(error, "errno", None), isinstance(error, OSError)
        tell("failed", name=name, error=type(error).__name__, errno=number, system=system)
    else:
        tell("did", name=name)


def need(module, name):
    value = getattr(module, name, None)
    if value is None:
        raise NotImplementedError(name)
    return value


def finish():
    sys.stdout.write(json.dumps({"found": found}) + "\\n")
    sys.stdout.flush()
    tell("finished")


tell("started")
"""

NODE = """\
const fs = require('fs');
const facts = JSON.parse(fs.readFileSync(0, 'utf8'));
const found = {};

function tell(event, more) {
  fs.writeSync(2, facts.nonce + ' ' + JSON.stringify({event, ...more}) + '\\n');
}

async function attempt(name, action) {
  try {
    const value = await action();
    found[name] = value === undefined ? null : value;
    tell('did', {name});
  } catch (error) {
    const code = String((error && error.code) || (error && error.name) || error);
    const system = /^E[A-Z0-9]+$/.test(code);
    tell('failed', {name, error: code, errno: (error && -error.errno) || null, system});
  }
}

function finish() {
  fs.writeSync(1, JSON.stringify({found}) + '\\n');
  tell('finished');
}

tell('started');
"""

BASH = r"""
LC_ALL=C
IFS= read -r -d '' input
declare -A found

fact() {
  [[ $input =~ \"$1\":\ *\"?([^\",}]*) ]] && printf -v "$1" %s "${BASH_REMATCH[1]}"
}

quote() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"} text=${text//$'\t'/\\t} text=${text//$'\r'/\\r}
  text=${text//[$'\x01'-$'\x08'$'\x0b'-$'\x1f']/ }
  printf '"%s"' "${text//$'\n'/\\n}"
}

tell() {
  printf '%s {"event": "%s"%s}\n' "$nonce" "$1" "$2" >&2
}

attempt() {
  local name=$1 text status
  shift
  text=$("$@" 2>/dev/null)
  status=$?
  if ((status == 0)); then
    found[$name]=$text
    tell did ", \"name\": \"$name\""
  else
    tell failed ", \"name\": \"$name\", \"error\": \"exit $status\", \"system\": true"
  fi
}

finish() {
  local name separator=
  printf '{"found": {'
  for name in "${!found[@]}"; do
    printf '%s%s: %s' "$separator" "$(quote "$name")" "$(quote "${found[$name]}")"
    separator=', '
  done
  printf '}}\n'
  tell finished
}

fact nonce
tell started
"""

_PRELUDES = {Language.PYTHON: PYTHON, Language.NODE: NODE, Language.BASH: BASH}
_ENDINGS = {
    Language.PYTHON: "\nfinish()\n",
    Language.NODE: "\n  finish();\n})();\n",
    Language.BASH: "\nfinish\n",
}
_OPENINGS = {Language.PYTHON: "", Language.NODE: "(async () => {\n", Language.BASH: ""}


def program(language: Language, body: str) -> str:
    """Return the whole source of an attack."""
    return f"{_PRELUDES[language]}\n{_OPENINGS[language]}{body.strip()}\n{_ENDINGS[language]}"


@dataclass(frozen=True, slots=True)
class Account:
    """What an attack says of itself."""

    started: bool
    finished: bool
    attempts: tuple[Attempt, ...]
    held_mib: float = 0.0
    """Memory that it held at once, in all its processes."""
    alive: int = 0
    """Processes and threads of its own at once."""
    cpu_s: float = 0.0
    found: dict[str, Any] = field(default_factory=dict)


def read_account(stdout: str, stderr: str, nonce: str) -> Account:
    """Return what an attack reported; a line without the number is nobody's report."""
    events: list[dict[str, Any]] = []
    for line in stderr.splitlines():
        _, mark, text = line.partition(f"{nonce} ")
        if mark and len(events) < EVENTS_MAX and (event := _object(text)):
            events.append(event)
    last = next((line for line in reversed(stdout.splitlines()) if line.strip()), "")
    found = _object(last).get("found", {})
    return Account(
        started=any(event.get("event") == "started" for event in events),
        finished=any(event.get("event") == "finished" for event in events),
        attempts=tuple(_attempt(event) for event in events if event.get("event") in _ATTEMPTED),
        held_mib=sum(_figures(events, "held_mib")),
        alive=int(max(_figures(events, "alive"), default=0)),
        cpu_s=sum(_figures(events, "cpu_s")),
        found=found if isinstance(found, dict) else {},
    )


_ATTEMPTED = ("did", "failed")


def _attempt(event: dict[str, Any]) -> Attempt:
    number = event.get("errno")
    return Attempt(
        name=str(event.get("name")),
        did=event.get("event") == "did",
        error=str(event.get("error", "")),
        errno=number if isinstance(number, int) else None,
        system_error=event.get("system") is True,
    )


def _figures(events: list[dict[str, Any]], name: str) -> list[float]:
    return [float(event[name]) for event in events if isinstance(event.get(name), int | float)]


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
