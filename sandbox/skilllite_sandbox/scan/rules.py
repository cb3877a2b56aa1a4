"""From acts and flows to findings: what the engines saw, and what it means. Pure.

An act or flow with no row here says nothing by itself.
"""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Analysis, Datum, Sink
from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding

_RUNS = (Sink.RUN_CODE, Sink.RUN_SHELL, Sink.RUN_PROGRAM, Sink.LOAD_NATIVE, Sink.UNPICKLE)

_FLOWS: dict[tuple[Datum, Sink], str] = {
    (Datum.SECRET, Sink.SEND): "SL301",
    (Datum.ENVIRONMENT, Sink.SEND): "SL302",
    (Datum.HOST_FILE, Sink.SEND): "SL303",
    (Datum.SYSTEM, Sink.SEND): "SL304",
    (Datum.IDENTITY, Sink.SEND): "SL310",
    (Datum.WATCHED, Sink.SEND): "SL305",
    (Datum.SECRET, Sink.OUTPUT): "SL306",
    (Datum.FOUND, Sink.SEND): "SL309",
    (Datum.SECRET, Sink.COPY): "SL313",
    (Datum.ENVIRONMENT, Sink.OUTPUT): "SL307",
    (Datum.FETCHED, Sink.WRITE_HOST_FILE): "SL312",
    **{(Datum.FETCHED, sink): "SL311" for sink in _RUNS},
    **{(Datum.DECODED, sink): "SL321" for sink in _RUNS},
    (Datum.DECODED, Sink.SEND): "SL393",
}

_ACTS: dict[Act, str] = {
    Act.WATCH_USER: "SL305",
    Act.PERSIST: "SL331",
    Act.CHANGE_AGENT: "SL332",
    Act.DESTROY: "SL341",
    Act.EXHAUST: "SL342",
    Act.GAIN_RIGHTS: "SL351",
    Act.DISARM: "SL352",
    Act.TAMPER: "SL353",
    Act.DETECT: "SL361",
    Act.INSTALL_ELSEWHERE: "SL391",
    Act.TRUST_ANY: "SL392",
    Act.UNPACK_ANYWHERE: "SL394",
    **dict.fromkeys((Act.SEND, Act.FETCH, Act.CONNECT, Act.LISTEN, Act.LOOK_UP), "SL401"),
    **dict.fromkeys((Act.RUN_PROGRAM, Act.RUN_SHELL, Act.INSTALL), "SL402"),
    **dict.fromkeys((Act.READ_VARIABLE, Act.READ_ENVIRONMENT), "SL403"),
    **dict.fromkeys((Act.READ_SECRET, Act.READ_HOST_FILE, Act.WRITE_HOST_FILE), "SL404"),
    Act.LOAD_NATIVE: "SL405",
    **dict.fromkeys((Act.RUN_CODE, Act.UNPICKLE, Act.IMPORT_COMPUTED), "SL406"),
    **dict.fromkeys((Act.READ_SYSTEM, Act.KILL), "SL407"),
}


_OWN_CERTIFICATE = re.compile(r"^(?!.*/\.)[^*…]*\.(?:pem|key|crt|cer|p12|pfx|jks)$")
"""A client shows one of its own when it connects; keys of others lie in hidden folders."""


_LISTENS_IN = re.compile(
    r"sys\.(?:settrace|setprofile|addaudithook|meta_path|path_hooks|modules)|threading\.set"
    r"|builtins\b(?!\.print\b)|getpass\b|io\b|os\b|subprocess\b|fs\b|[Mm]odule\b|child_process\b|require\b"
)
"""What passes through here are the secrets of other code; patched sockets are a habit of many."""


def findings_of(analysis: Analysis) -> tuple[Finding, ...]:
    """Return what follows from what all engines said about one skill, each once a place."""
    found: dict[tuple[str, str, int], Finding] = {}
    for flow in analysis.flows:
        if (code := _FLOWS.get((flow.datum, flow.sink))) is not None:
            place = (code, flow.file, flow.line)
            found.setdefault(place, make_finding(code, flow.file, flow.line, flow.detail))
    for doing in analysis.doings:
        if (code := _ACTS.get(doing.act)) is not None:
            place = (code, doing.file, doing.line)
            found.setdefault(place, make_finding(code, doing.file, doing.line, doing.detail))
    reaches_out = _reaching_out(analysis)
    for doing in analysis.doings:
        if doing.act is Act.TAMPER and reaches_out and _LISTENS_IN.match(doing.detail):
            place = ("SL354", doing.file, doing.line)
            found.setdefault(place, make_finding("SL354", doing.file, doing.line, doing.detail))
    if reaches_out:
        for doing in analysis.doings:
            if doing.act is Act.READ_SECRET and not _OWN_CERTIFICATE.match(doing.detail):
                place = ("SL308", doing.file, doing.line)
                found.setdefault(place, make_finding("SL308", doing.file, doing.line, doing.detail))
    for opaque in analysis.opaque:
        place = ("SL701", opaque.file, opaque.line)
        found.setdefault(place, make_finding("SL701", opaque.file, opaque.line, opaque.why))
    return tuple(found.values())


def _reaching_out(analysis: Analysis) -> bool:
    """Tell whether anything of the skill sends or fetches."""
    acts = (Act.SEND, Act.FETCH, Act.CONNECT, Act.LOOK_UP)
    return any(doing.act in acts for doing in analysis.doings)
