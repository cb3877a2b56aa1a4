"""The conversation between the command line and the node of one home.

A Unix socket that only this user can open, one JSON object a line:

    → {"v": 1, "id": 1, "op": "submit", "args": {…}}
    ← {"id": 1, "event": {…}}                       any number of times
    ← {"id": 1, "ok": …}                            or
    ← {"id": 1, "error": {"code": …, "message": …, "hint": …}}

`framing` and `client` are standard library and synchronous, for the command line; `server` is trio,
and `messages` checks with pydantic what came in.
"""
