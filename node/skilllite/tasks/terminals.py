"""Terminal events as JSON text, the form in which both ledgers keep them.

The owner's and the executor's copy of one terminal are the same text, so ledgers can be compared.
"""

from __future__ import annotations

import json
from typing import Any

from skilllite_swarm.task import Failed, Refused, Result, TaskError, Terminal


def terminal_to_text(terminal: Terminal) -> str:
    """Return the terminal as canonical JSON."""
    return json.dumps(_facts(terminal), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _facts(terminal: Terminal) -> dict[str, Any]:
    match terminal:
        case Result(output_json, text, duration_ms):
            return {"kind": "result", "output": output_json, "text": text, "ms": duration_ms}
        case Failed(error, output_json, text, duration_ms):
            return {
                "kind": "failed",
                "error": [error.code, error.message, error.hint],
                "output": output_json,
                "text": text,
                "ms": duration_ms,
            }
        case Refused(error, retry_after_ms):
            return {
                "kind": "refused",
                "error": [error.code, error.message, error.hint],
                "retry_after_ms": retry_after_ms,
            }


def terminal_from_text(text: str) -> Terminal:
    """Return the terminal that `terminal_to_text` wrote; our own ledger is trusted."""
    facts = json.loads(text)
    match facts["kind"]:
        case "result":
            return Result(facts["output"], facts["text"], facts["ms"])
        case "failed":
            return Failed(TaskError(*facts["error"]), facts["output"], facts["text"], facts["ms"])
        case _:
            return Refused(TaskError(*facts["error"]), facts["retry_after_ms"])
