"""`fs`: what is read, written and removed, and what the paths mean."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import (
    ACTS_OF_WRITING,
    UNKNOWN,
    Place,
    holds_variables,
    is_precious,
    is_program_folder,
    place_of,
    place_written,
)
from skilllite_sandbox.scan.javascript.hosts.host_call import Handler, HostCall
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Value,
    all_taints,
    as_text,
    boolean,
    host,
    items,
    record,
    text,
    unknown,
)
from skilllite_sandbox.scan.taint import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

FOUND = "files found in a home directory"
_READS = {
    Place.SECRET: Datum.SECRET,
    Place.ENVIRONMENT: Datum.ENVIRONMENT,
    Place.KEYS: Datum.WATCHED,
    Place.HOST: Datum.HOST_FILE,
    Place.SYSTEM: Datum.SYSTEM,
    Place.RIGHTS: Datum.HOST_FILE,
    Place.SETTINGS: Datum.VARIABLE,
    Place.DEVICE: Datum.HOST_FILE,
}
_ACTS = {
    Datum.SECRET: Act.READ_SECRET,
    Datum.ENVIRONMENT: Act.READ_ENVIRONMENT,
    Datum.WATCHED: Act.WATCH_USER,
    Datum.SYSTEM: Act.READ_SYSTEM,
}
_DETECTORS = re.compile(
    r"^/(?:\.dockerenv|run/\.containerenv|proc/(?:1|self)/(?:cgroup|status|sched)|sys/class/dmi)"
)


def content_of(call: HostCall, path: Value) -> Value:
    """Return what a file holds, and write down what its path says."""
    given = as_text(path)
    name = given.text
    run = call.run
    if _DETECTORS.match(name):
        call.do(Act.DETECT, name)
    datum = _READS.get(place_of(name))
    if datum is not None:
        run.record.do(_ACTS.get(datum, Act.READ_HOST_FILE), run.file, run.line_of(call.node), name)
        return unknown(given.taints | call.taint(datum, name))
    if name in run.files:
        return run.files[name]
    if holds_variables(name):
        return unknown(given.taints | call.taint(Datum.ENVIRONMENT, name))
    own = run.find_own(name) if name.strip(UNKNOWN) else None
    if own is not None:
        taints = given.taints | call.taint(Datum.OWN_FILE, own.path)
        return text(own.text, taints) if own.text else unknown(taints)
    if any(taint.detail == FOUND for taint in given.taints):
        return unknown(given.taints | call.taint(Datum.HOST_FILE, name))
    return unknown(given.taints)


def _read(call: HostCall) -> Value:
    return call.call_back(content_of(call, call.arg(0)))


def _read_stream(call: HostCall) -> Value:
    content = content_of(call, call.arg(0))
    return host("#stream", all_taints(content))


def _list(call: HostCall) -> Value:
    given = call.text(0)
    taints = given.taints
    if is_precious(given.text):
        taints |= call.taint(Datum.SYSTEM, FOUND)
    if place_of(given.text) is Place.SECRET:
        call.do(Act.READ_SECRET, given.text)
    entry = Value(
        "object", {"name": text(UNKNOWN, taints), "path": text(given.text, taints)}, taints
    )
    is_entry = call.option("withFileTypes").kind == "bool"
    return call.call_back(items([entry if is_entry else text(UNKNOWN, taints)], taints))


def _look(call: HostCall) -> Value:
    name = call.text(0).text
    if _DETECTORS.match(name):
        call.do(Act.DETECT, name)
        return unknown(call.taint(Datum.SYSTEM, "a container"))
    return call.call_back(unknown(call.text(0).taints))


def put(
    run: Interpreter, call: HostCall, path: Text, content: Value, *, more: bool = False
) -> None:
    """Write down what is written where."""
    name = path.text
    taints = all_taints(content)
    run.changes += 1
    if more and name in run.files:
        taints |= all_taints(run.files[name])
        content = unknown(taints)
    run.files[name] = content
    place = place_written(name)
    acts = ACTS_OF_WRITING.get(place, ())
    fetched = any(taint.datum is Datum.FETCHED for taint in taints)
    if place is Place.HOST and fetched and is_program_folder(name):
        acts = (Act.PERSIST,)
    if place in (Place.OWN, Place.HOST) and any(taint.detail == FOUND for taint in path.taints):
        acts = (Act.DESTROY,)
    for act in acts:
        call.do(act, name)
    if place in (Place.START_UP, Place.HOST):
        sink = Sink.PERSIST if place is Place.START_UP else Sink.WRITE_HOST_FILE
        call.flow(taints, sink, name)


def _write(call: HostCall) -> Value:
    put(call.run, call, call.text(0), call.arg(1), more="append" in call.name)
    return call.call_back(UNDEFINED)


def _write_stream(call: HostCall) -> Value:
    put(call.run, call, call.text(0), NOTHING_KNOWN)
    made = host("#file")
    made.members = {"path": text(call.text(0).text, call.text(0).taints)}
    return made


def _stream_write(call: HostCall) -> Value:
    path = (call.receiver.members or {}).get("path", NOTHING_KNOWN)
    put(call.run, call, as_text(path), call.arg(0), more=True)
    return boolean(True)


def _copy(call: HostCall) -> Value:
    content = content_of(call, call.arg(0))
    put(call.run, call, call.text(1), content)
    return call.call_back(UNDEFINED)


def _link(call: HostCall) -> Value:
    source = call.text(0)
    put(call.run, call, call.text(1), call.run.files.get(source.text, unknown(source.taints)))
    return call.call_back(UNDEFINED)


def _rename(call: HostCall) -> Value:
    source = call.text(0)
    if is_precious(source.text) or any(taint.detail == FOUND for taint in source.taints):
        call.do(Act.DESTROY, source.text)
    put(call.run, call, call.text(1), call.run.files.get(source.text, unknown(source.taints)))
    return call.call_back(UNDEFINED)


def _remove(call: HostCall) -> Value:
    path = call.text(0)
    name = path.text
    call.run.changes += 1
    if (
        is_precious(name)
        or any(taint.detail == FOUND for taint in path.taints)
        or place_written(name) in (Place.START_UP, Place.AGENT, Place.RIGHTS)
    ):
        call.do(Act.DESTROY, name)
    elif place_of(name) is Place.SECRET:
        call.do(Act.DISARM if "history" in name else Act.DESTROY, name)
    elif place_written(name) is Place.HOST:
        call.do(Act.WRITE_HOST_FILE, name)
    return call.call_back(UNDEFINED)


def _mode(call: HostCall) -> Value:
    mode = call.arg(1)
    name = call.text(0).text
    if (
        mode.kind == "number" and isinstance(mode.data, int) and mode.data & 0o6000
    ) or place_written(name) is Place.RIGHTS:
        call.do(Act.GAIN_RIGHTS, name)
    return call.call_back(UNDEFINED)


def _open(call: HostCall) -> Value:
    flags = call.text(1).text
    made = host("#handle")
    if re.search(r"[wa+]", flags if call.arg(1).kind == "text" else ""):
        put(call.run, call, call.text(0), NOTHING_KNOWN, more=True)
        made = host("#file")
    else:
        made.taints = all_taints(content_of(call, call.arg(0)))
    made.members = {"path": text(call.text(0).text)}
    return call.call_back(made)


def _write_handle(call: HostCall) -> Value:
    handle = call.arg(0)
    path = (handle.members or {}).get("path")
    if path is not None:
        put(call.run, call, as_text(path), call.arg(1), more=True)
    return UNDEFINED


def _own_folder(call: HostCall) -> Value:
    return text(f"/tmp/made-{call.run.line_of(call.node)}")


def _make_folder(call: HostCall) -> Value:
    if place_written(call.text(0).text) is Place.HOST:
        call.do(Act.WRITE_HOST_FILE, call.text(0).text)
    return call.call_back(UNDEFINED)


def _bun_file(call: HostCall) -> Value:
    content = content_of(call, call.arg(0))
    return unknown(all_taints(content))


def _constants(call: HostCall) -> Value:
    return record()


CALLS: dict[str, Handler] = {
    **dict.fromkeys(("fs.readFile", "fs.read", "fs.readJson", "fs.readlink"), _read),
    "fs.createReadStream": _read_stream,
    **dict.fromkeys(("fs.readdir", "fs.opendir", "Deno.readDir"), _list),
    **dict.fromkeys(("fs.exists", "fs.stat", "fs.lstat", "fs.access", "fs.realpath"), _look),
    **dict.fromkeys(
        ("fs.writeFile", "fs.appendFile", "fs.outputFile", "fs.writeJson", "Bun.write"), _write
    ),
    "fs.createWriteStream": _write_stream,
    **dict.fromkeys(
        ("#file.write", "#file.end", "#file.writeFile", "#file.appendFile"), _stream_write
    ),
    **dict.fromkeys(("fs.copyFile", "fs.cp", "fs.copy"), _copy),
    **dict.fromkeys(("fs.symlink", "fs.link"), _link),
    **dict.fromkeys(("fs.rename", "fs.move"), _rename),
    **dict.fromkeys(("fs.rm", "fs.rmdir", "fs.unlink", "fs.remove", "fs.emptyDir"), _remove),
    **dict.fromkeys(("fs.truncate",), _remove),
    **dict.fromkeys(("fs.chmod", "fs.fchmod", "fs.lchmod"), _mode),
    "fs.open": _open,
    **dict.fromkeys(("fs.write", "fs.writev"), _write_handle),
    "fs.mkdtemp": _own_folder,
    **dict.fromkeys(("fs.mkdir", "fs.ensureDir"), _make_folder),
    "Bun.file": _bun_file,
    "Deno.readDirSync": _list,
    "fs.constants": _constants,
}
