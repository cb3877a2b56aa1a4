"""Pick values out of JSON data with a small path language."""

from __future__ import annotations

import sys

import contract
from evaluation import select
from syntax import PATH_CHARACTERS_MAX, Reader


def answer(request: contract.Request) -> object:
    contract.only_fields(request, ("data", "json", "path"))
    path = contract.text(request, "path", characters_max=PATH_CHARACTERS_MAX)
    steps = Reader(path.strip()).steps()
    result, many = select(document(request), steps)
    return {"path": path, "count": len(result) if many else 1, "many": many, "result": result}


def document(request: contract.Request) -> object:
    """Return the data to search: given as it is, or as a text that holds JSON."""
    if ("data" in request) == ("json" in request):
        raise contract.Refusal(
            "exactly one of data (any JSON value) and json (a text) must be given"
        )
    if "data" in request:
        return request["data"]
    text = contract.text(request, "json", characters_max=contract.INPUT_BYTES_MAX)
    return contract.parse(text, "json")


if __name__ == "__main__":
    sys.exit(contract.serve(answer))
