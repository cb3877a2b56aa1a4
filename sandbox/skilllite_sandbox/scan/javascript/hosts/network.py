"""What talks to other machines: fetch, http, sockets, name look-ups, and packages that do."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN, Place, place_of
from skilllite_sandbox.scan.javascript.hosts.files import content_of, put
from skilllite_sandbox.scan.javascript.hosts.host_call import PASSES, Handler, HostCall
from skilllite_sandbox.scan.javascript.hosts.machine import ASKS_FOR_PASSWORD
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Value,
    add_origins,
    all_taints,
    as_text,
    boolean,
    host,
    items,
    unknown,
)
from skilllite_sandbox.scan.taint import NO_TAINTS, Taint

_PACKAGES = re.compile(
    r"^npm:(?:axios|got|node-fetch|superagent|request|request-promise|needle|undici|ky|phin|bent"
    r"|eventsource|pusher-js|ably|nats|kafkajs|centrifuge|@supabase/[\w-]+|ftp|ssh2-sftp-client"
    r"|ws|socket\.io-client|nodemailer|ssh2|node-ssh|basic-ftp|mqtt|amqplib|discord\.js|grpc"
    r"|discord-webhook-node|telegraf|node-telegram-bot-api|@slack/[\w-]+|@sendgrid/[\w-]+"
    r"|@octokit/[\w-]+|octokit|openai|@aws-sdk/[\w-]+|aws-sdk|@google-cloud/[\w-]+|firebase\S*"
    r"|simple-git|isomorphic-git|mongodb|pg|mysql2?|redis|ioredis|puppeteer|playwright)(?:\.|$|/)"
)
_WATCHERS = re.compile(
    r"^npm:(?:iohook|uiohook-napi|node-global-key-listener|gkm|keylogger\S*|robotjs-keys)(?:\.|$)"
)
_WATCHED = re.compile(
    r"^npm:(?:clipboardy|screenshot-desktop|node-webcam|node-record-lpcm16|robotjs|@nut-tree/\S*"
    r"|desktop-screenshot|active-win|mic)(?:\.|$)"
)
_SERVERS = re.compile(r"^npm:(?:express|fastify|koa|@koa/router|hono|polka|restify|micro)(?:\.|$)")
_PROMPTS = re.compile(
    r"^npm:(?:prompts|inquirer|@inquirer/\w+|enquirer|readline-sync|read)(?:\.|$)"
)
_NATIVE = re.compile(r"^npm:(?:ffi|ffi-napi|koffi|node-ffi|ffi-rs|dlopen)(?:\.|$)")
_KEY_STORES = re.compile(r"^npm:(?:keytar|chrome-cookies-secure|browser-cookies\S*)(?:\.|$)")
_METADATA = re.compile(r"169\.254\.169\.254|metadata\.google\.internal|169\.254\.170\.2")
_SENDING = ("POST", "PUT", "PATCH")


def host_in(address: str) -> str:
    """Return the host that an address names."""
    match = re.match(r"^\w+://([^/?#]*)", address)
    return match[1] if match else address


def _target(call: HostCall) -> str:
    first = call.arg(0)
    if first.kind == "text":
        return host_in(as_text(first).text)
    for name in ("hostname", "host", "url", "uri"):
        found = call.option(name)
        if found.kind == "text":
            return host_in(as_text(found).text)
    return ""


def _call_with_words(call: HostCall) -> frozenset[Taint]:
    """Return where everything comes from that a request takes along.

    A request of other code that is only handed on goes where that code wants it to go.
    """
    taints = _words(call)
    if _target(call).strip(UNKNOWN) or call.name[:1] == "#":
        return taints
    return frozenset(taint for taint in taints if not taint.detail.startswith(PASSES))


def _words(call: HostCall) -> frozenset[Taint]:
    taints: set[Taint] = set()
    for arg in call.args:
        if arg.kind == "object" and isinstance(arg.data, dict):
            sent = [value for key, value in arg.data.items() if key not in _TLS_OPTIONS]
            taints |= arg.taints | all_taints(*sent)
        elif arg.kind not in ("function", "native"):
            taints |= all_taints(arg)
    return frozenset(taints)


_TLS_OPTIONS = frozenset(("ca", "cert", "key", "pfx", "passphrase", "agent", "httpsAgent"))
"""Prove who is asking, and are not sent."""


def received(call: HostCall, where: str) -> Value:
    """Return what comes back."""
    return unknown(call.taint(Datum.FETCHED, where))


def _fetch(call: HostCall) -> Value:
    where = _target(call)
    if _METADATA.search(where):
        call.do(Act.READ_SECRET, where)
        return call.call_back(call.made(Datum.SECRET, where))
    method = as_text(call.option("method")).text.upper()
    body = call.option("body")
    sends = method in _SENDING or body.kind != "undefined" or call.name.endswith((".post", ".put"))
    call.do(Act.SEND if sends else Act.FETCH, where)
    if call.option("rejectUnauthorized").data is False:
        call.do(Act.TRUST_ANY, where)
    call.flow(_call_with_words(call), Sink.SEND, where)
    return received(call, where)


def _request(call: HostCall) -> Value:
    """Follow `https.request` and `https.get`: what is written to it leaves."""
    answer = _fetch(call)
    made = host("#request", answer.taints)
    for arg in call.args:
        if arg.kind in ("function", "native"):
            call.run.call_back(arg, call.node, host("#response", answer.taints))
    return made


def _send(call: HostCall) -> Value:
    call.do(Act.SEND, "a connection")
    call.flow(_call_with_words(call), Sink.SEND, "a connection")
    for arg in call.args:
        if arg.kind in ("function", "native"):
            call.run.call_back(arg, call.node, unknown(call.receiver.taints))
    return boolean(True)


def _connect(call: HostCall) -> Value:
    where = _target(call) or " ".join(as_text(arg).text for arg in call.args[:2] if arg.known)
    call.do(Act.CONNECT, where)
    call.flow(_call_with_words(call), Sink.SEND, where)
    made = host("#socket", call.taint(Datum.FETCHED, where))
    for arg in call.args:
        if arg.kind in ("function", "native"):
            call.run.later(arg, call.node, made, this=made)
    return made


def _reconnect(call: HostCall) -> Value:
    """Follow `socket.connect(…)` of a socket that is there already."""
    _connect(call)
    return call.receiver


def _serve(call: HostCall) -> Value:
    call.do(Act.LISTEN, call.name)
    client = host("#socket", call.taint(Datum.FETCHED, "a client"))
    for arg in call.args:
        if arg.kind in ("function", "native"):
            call.run.call_back(arg, call.node, client, host("#response"))
    return host("#server", client.taints)


def _serve_http(call: HostCall) -> Value:
    """Follow a server for requests: who asks is its caller, what it answers is its output."""
    call.do(Act.LISTEN, call.name)
    asked = unknown(call.taint(Datum.FETCHED, "a request"))
    for arg in call.args:
        if arg.kind in ("function", "native"):
            call.run.call_back(arg, call.node, asked, host("#answer"))
    return host("#server")


def _look_up(call: HostCall) -> Value:
    where = call.text(0).text
    call.do(Act.LOOK_UP, where)
    taints = all_taints(*call.args[:1])
    facts = [taint for taint in taints if taint.datum is Datum.SYSTEM]
    if facts and UNKNOWN in where:
        taints |= call.taint(Datum.IDENTITY, facts[0].detail)  # nobody has a name made of it
    call.flow(taints, Sink.SEND, f"the host name {where}".replace(UNKNOWN, "…"))
    return call.call_back(received(call, where))


def _on(call: HostCall) -> Value:
    """Follow `x.on(event, f)`: f gets what comes over x."""
    for arg in call.args[1:]:
        if arg.kind in ("function", "native"):
            given = call.receiver.taints
            if not given:  # an emitter of the script's own: called when something is emitted
                event = f"#on {call.text(0).text}"
                call.receiver.members = {**(call.receiver.members or {}), event: arg}
            call.run.call_back(arg, call.node, unknown(given), unknown(given))
    return call.receiver


def _emit(call: HostCall) -> Value:
    """Follow `x.emit(event, …)`: whoever listens there is called."""
    listener = (call.receiver.members or {}).get(f"#on {call.text(0).text}")
    if listener is not None:
        call.run.call_back(listener, call.node, *call.args[1:])
    return boolean(True)


def _pipe(call: HostCall) -> Value:
    """Follow `x.pipe(y)`: what comes out of x goes into y."""
    target = call.arg(0)
    name = str(target.data) if target.kind == "host" else ""
    taints = call.receiver.taints
    if name in ("#shell.stdin", "#shell"):
        call.flow(taints, Sink.RUN_SHELL, "a shell")
    elif name in ("#socket", "#request"):
        call.do(Act.SEND, "a connection")
        call.flow(taints, Sink.SEND, "a connection")
    elif name == "#file":
        path = (target.members or {}).get("path", NOTHING_KNOWN)
        put(call.run, call, as_text(path), unknown(taints), more=True)
    elif name == "process.stdout":
        call.flow(taints, Sink.OUTPUT)
    if target.kind == "host" and taints - target.taints:
        made = host(name, target.taints | taints)
        made.members = target.members
        return made
    return unknown(taints | target.taints) if target.kind == "unknown" else target


def _pipeline(call: HostCall) -> Value:
    streams = [arg for arg in call.args if arg.kind not in ("function", "native")]
    if streams:
        first = streams[0]
        for second in streams[1:]:
            first = _pipe(HostCall(call.run, call.name, first, [second], call.node))
    return call.call_back(UNDEFINED)


def load_image(call: HostCall) -> None:
    """Follow an image whose address is set: it is fetched, with all that the address says."""
    call.do(Act.FETCH, _target(call))
    call.flow(call.taints, Sink.SEND, _target(call))


def _once(call: HostCall) -> Value:
    """Follow `events.once(x, event)`: it gives what comes over x."""
    given = unknown(all_taints(call.arg(0)))
    return items([given, given])


def _package(call: HostCall, watched: bool) -> Value:
    if watched:
        call.do(Act.RUN_PROGRAM, call.name)
        return call.call_back(call.made(Datum.WATCHED, call.name.removeprefix("npm:")))
    return call.unseen()


def call_package(call: HostCall) -> Value:
    """Follow a call of a package that is not part of the skill."""
    name = call.name
    if _PACKAGES.match(name):
        return _call_network_package(call)
    if _SERVERS.match(name):
        return _serve_package(call)
    if _PROMPTS.match(name):
        return _prompt(call)
    if _WATCHERS.match(name):
        call.do(Act.WATCH_USER, name.removeprefix("npm:"))
        return call.unseen()
    if _WATCHED.match(name):
        return _package(call, watched=True)
    if _KEY_STORES.match(name):
        call.do(Act.READ_SECRET, name)
        return call.call_back(call.made(Datum.SECRET, name.removeprefix("npm:")))
    if _NATIVE.match(name):
        call.do(Act.LOAD_NATIVE, name.removeprefix("npm:"))
        if name.rpartition(".")[2] in ("system", "popen", "execve", "execl"):
            from skilllite_sandbox.scan.javascript.hosts.programs import run_command_line

            return run_command_line(call)
    named = _files_named(call)
    add_origins(call.receiver, named)
    if name.endswith(".pipe") and call.receiver.taints:
        return _pipe(call)
    made = call.unseen()
    return host(name, made.taints | named)


def _files_named(call: HostCall) -> frozenset[Taint]:
    """Return where those files come from that a package is told to read by their paths."""
    named = [
        content_of(call, arg)
        for arg in call.args
        if arg.kind == "text" and place_of(as_text(arg).text) is Place.SECRET
    ]
    return all_taints(*named)


def call_remote(call: HostCall) -> Value:
    """Follow a method of a connection that a package made: what it is given leaves."""
    call.do(Act.SEND, "a connection")
    call.flow(_words(call) | _files_named(call), Sink.SEND, "a connection")
    answer = unknown(call.receiver.taints)
    for arg in call.args:
        if arg.kind in ("function", "native"):
            call.run.call_back(arg, call.node, answer, answer, answer)
    return host("#remote", call.receiver.taints)


def _serve_package(call: HostCall) -> Value:
    """Follow a server that a package makes: its handlers get what was asked."""
    verb = call.name.rpartition(".")[2]
    if verb == "listen":
        call.do(Act.LISTEN, call.name.removeprefix("npm:"))
    asked = unknown(call.taint(Datum.FETCHED, "a request"))
    for arg in call.args:
        if arg.kind in ("function", "native"):
            call.run.call_back(arg, call.node, asked, host("#answer"))
    return host(call.name.rpartition(".")[0] or call.name)


def _prompt(call: HostCall) -> Value:
    """Follow a question to whoever sits there: for the machine's password perhaps."""
    asked = as_text(call.option("message")).text if call.args else ""
    asked = asked.strip(UNKNOWN) or call.text(0).text
    if ASKS_FOR_PASSWORD.search(asked):
        call.do(Act.WATCH_USER, f"asks for a password: {asked}")
        return call.call_back(call.made(Datum.WATCHED, asked))
    return call.call_back(call.made(Datum.INPUT, "an answer"))


def _call_network_package(call: HostCall) -> Value:
    where = _target(call)
    if _METADATA.search(where):
        call.do(Act.READ_SECRET, where)
        return call.made(Datum.SECRET, where)
    verb = call.name.rpartition(".")[2].lower()
    method = as_text(call.option("method")).text.upper()
    sends = verb in ("post", "put", "patch", "send", "sendmail", "emit") or method in _SENDING
    call.do(Act.SEND if sends or len(call.args) > 1 else Act.FETCH, where)
    call.flow(_call_with_words(call), Sink.SEND, where or call.name.removeprefix("npm:"))
    answer = call.taint(Datum.FETCHED, where)
    for arg in call.args:
        if arg.kind in ("function", "native"):
            call.run.call_back(arg, call.node, *([unknown(answer)] * 3))
    if verb in ("create", "extend", "defaults", "createtransport", "agent") or "WebSocket" in verb:
        return host(call.name.rpartition(".")[0] or call.name, answer)
    if call.name.startswith(("npm:superagent", "npm:request.", "npm:needle")):
        return host("#chain", answer)
    if call.name.startswith(("npm:ws", "npm:socket.io-client", "npm:nodemailer", "npm:mqtt")):
        return host("#socket", answer)
    if name_of_maker(call.name):
        return host("#remote", answer)
    return unknown(answer)


_MAKERS = re.compile(
    r"\.(?:[A-Z]\w*|connect|launch|createClient|createConnection)$|^npm:eventsource$"
)


def name_of_maker(name: str) -> bool:
    """Tell whether a package makes a connection by this name."""
    return bool(_MAKERS.search(name))


def _chained(call: HostCall) -> Value:
    """Follow a request that is put together by calls of methods."""
    call.do(Act.SEND, "a request")
    call.flow(_words(call), Sink.SEND, "a request")
    call.call_back_all()
    return call.receiver


def _beacon(call: HostCall) -> Value:
    call.do(Act.SEND, _target(call))
    call.flow(_call_with_words(call), Sink.SEND, _target(call))
    return boolean(True)


def _datagram(call: HostCall) -> Value:
    call.do(Act.CONNECT, "a datagram socket")
    return host("#socket", call.taint(Datum.FETCHED, "a datagram"))


def _request_object(call: HostCall) -> Value:
    return unknown(all_taints(*call.args) or NO_TAINTS)


CALLS: dict[str, Handler] = {
    "fetch": _fetch,
    "new Request": _request_object,
    **{
        f"{module}.{verb}": _request
        for module in ("http", "https", "http2")
        for verb in ("request", "get", "connect")
    },
    "#request.request": _request,
    **dict.fromkeys(
        ("#request.write", "#request.end", "#socket.write", "#socket.end", "#socket.send"), _send
    ),
    **dict.fromkeys(("#socket.sendMail", "#socket.emit", "#socket.publish"), _send),
    **dict.fromkeys(
        ("net.connect", "net.createConnection", "tls.connect", "Deno.connect", "Bun.connect"),
        _connect,
    ),
    **dict.fromkeys(("new net.Socket", "new tls.TLSSocket"), _connect),
    "#socket.connect": _reconnect,
    **dict.fromkeys(("new WebSocket", "new EventSource", "new XMLHttpRequest"), _connect),
    **dict.fromkeys(("#socket.open", "#socket.setRequestHeader"), _send),
    **dict.fromkeys(("net.createServer", "tls.createServer", "new net.Server"), _serve),
    **dict.fromkeys(
        ("http.createServer", "https.createServer", "Deno.serve", "Bun.serve"), _serve_http
    ),
    "dgram.createSocket": _datagram,
    **dict.fromkeys(
        (
            *("dns.lookup", "dns.resolve", "dns.resolve4", "dns.resolve6", "dns.resolveTxt"),
            *(
                "dns.resolveAny",
                "dns.resolveMx",
                "dns.resolveCname",
                "dns.resolveNs",
                "dns.reverse",
            ),
            *("dns.lookupService", "dns.resolveSrv", "Deno.resolveDns", "#dns.Resolver.resolve"),
            *("#dns.Resolver.resolve4", "#dns.Resolver.resolveTxt"),
        ),
        _look_up,
    ),
    **dict.fromkeys(("*.on", "*.once", "*.addListener", "*.addEventListener"), _on),
    **dict.fromkeys(("events.once", "events.on"), _once),
    **{f"#chain.{name}": _chained for name in ("send", "set", "query", "field", "attach", "auth")},
    "*.pipe": _pipe,
    "*.emit": _emit,
    "stream.pipeline": _pipeline,
    "navigator.sendBeacon": _beacon,
}
