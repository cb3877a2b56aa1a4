"""Programs that talk to other machines: what they take along, and what they bring."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.known_sources import ARCHIVE
from skilllite_sandbox.scan.shell.commands.call import Call, Handler
from skilllite_sandbox.scan.taint import EMPTY, NO_TAINTS, SOMETHING, Text, joined, unknown_from

_METADATA = re.compile(
    r"169\.254\.169\.254|metadata\.google\.internal|100\.100\.100\.200|169\.254\.170\.2"
)
_HOST = re.compile(
    r"^(?:https?|ftp|wss?|tcp|udp)://([^/\s?#]*)|^([\w.-]+\.[a-z]{2,}(?::\d+)?)(?:/|$)"
)


def host_in(text: str) -> str:
    """Return the host that a URL names, as much of it as is known."""
    match = _HOST.match(text)
    return (match[1] or match[2] or "") if match else text


def _address(args: list[Text]) -> Text:
    for arg in args:
        if _HOST.match(arg.text):
            return arg
    return next((arg for arg in reversed(args) if arg.text[:1] != "-"), EMPTY)


_CURL_DATA = (
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-ascii",
    "--data-urlencode",
    "--json",
)
_CURL_FORM = ("-F", "--form", "--form-string")
_CURL_FILE = ("-T", "--upload-file")
_CURL_GROUP = re.compile(r"-[aBfGgIijkLlMNnOpqRsSv0-9#]+([dFTK])")
"""Switches in one word, and an option that takes the next word behind them."""
_CURL_VALUES = "ohHdFTuAebcCdDEKmPQrtUwxXyYz"


def _curl(call: Call) -> Text:
    sent, sends = _curl_body(call)
    addresses = [arg for arg in call.plain(_CURL_VALUES, _CURL_LONG) if arg.text]
    given = call.value("--url")
    address = given or _address(addresses)
    where = host_in(address.text)
    if call.has("-k", "--insecure") or call.flag("k"):
        call.do(Act.TRUST_ANY, where)
    if _METADATA.search(call.line):
        call.do(Act.READ_SECRET, where)
        return call.made(Datum.SECRET, where)
    call.do(Act.SEND if sends else Act.FETCH, where)
    # Whatever is in the words leaves too: an address or a header carries data as well as a body.
    words = unknown_from(*call.args)
    call.flow(joined([sent, words]), Sink.SEND, where)
    _tell_by_name(call, where)
    if where.startswith(("127.", "localhost", "[::1]")) and not sends:
        fetched = SOMETHING
    else:
        fetched = call.made(Datum.FETCHED, address.text)
    return _saved(call, fetched, address)


_CURL_LONG = (
    *(
        "--header",
        "--output",
        "--data",
        "--data-raw",
        "--data-binary",
        "--data-urlencode",
        "--json",
    ),
    *(
        "--form",
        "--request",
        "--user",
        "--user-agent",
        "--max-time",
        "--connect-timeout",
        "--retry",
    ),
    *("--retry-delay", "--upload-file", "--cacert", "--cert", "--key", "--proxy", "--write-out"),
    *(
        "--cookie",
        "--cookie-jar",
        "--referer",
        "--resolve",
        "--interface",
        "--range",
        "--limit-rate",
    ),
)


def _curl_body(call: Call) -> tuple[Text, bool]:
    parts: list[Text] = []
    sends = False
    args = call.args
    for position, arg in enumerate(args):
        option, _, inline = arg.text.partition("=")
        follows = args[position + 1] if position + 1 < len(args) else EMPTY
        if arg.text[:2] in ("-d", "-F", "-T") and len(arg.text) > 2:
            option, follows = arg.text[:2], Text(arg.text[2:], arg.taints)
        elif inline and option[:2] == "--":
            follows = Text(inline, arg.taints)
        elif (group := _CURL_GROUP.fullmatch(arg.text)) is not None:
            option = "-" + group[1]
        if option in ("-X", "--request") and follows.text.upper() in ("POST", "PUT", "PATCH"):
            sends = True
        if option in ("-K", "--config"):
            settings = call.stdin if follows.text in ("", "-") else call.read(follows)
            sends = sends or bool(
                re.search(r"(?m)^[ \t]{0,8}-{0,2}(?:data|form|upload)", settings.text)
            )
            parts.append(settings)
        elif option in _CURL_FILE:
            sends = True
            parts.append(call.stdin if follows.text in ("-", ".") else call.read(follows))
        elif option in _CURL_DATA or option in _CURL_FORM:
            sends = True
            parts.append(_curl_piece(call, follows))
    return (joined(parts), sends) if parts else (EMPTY, sends)


def _curl_piece(call: Call, piece: Text) -> Text:
    match = re.search(r"(?:^|=)[@<]([^;\s]*)", piece.text)
    if match is None:
        return piece
    if match[1] == "-":
        return joined([piece, call.stdin])
    return joined([piece, call.read(Text(match[1], piece.taints))])


def _saved(call: Call, fetched: Text, address: Text) -> Text:
    """Return what is printed of a download, after what is put into a file."""
    if call.name == "wget":
        target = call.value("-O", "--output-document")
        to_output = target is not None and target.text in ("-", "/dev/stdout")
        if call.flag("O") and target is not None and target.text == "-":
            to_output = True
        if re.search(r"(?:^|\s)-\w*O\s*-(?:\s|$)", call.line):
            return fetched
        named = target if not to_output else None
    else:
        target = call.value("-o", "--output")
        if target is None:
            group = next(
                (i for i, w in enumerate(call.words) if re.fullmatch(r"-[a-zA-Z]*o", w)), None
            )
            if group is not None and group + 1 < len(call.args):
                target = call.args[group + 1]
        named = target
        to_output = target is None and not (call.flag("O") or call.has("--remote-name", "-J"))
        if named is not None and named.text in ("-", "/dev/stdout"):
            to_output, named = True, None
    if to_output:
        return fetched
    if named is None:
        tail = address.text.rstrip("/").rpartition("/")[2].partition("?")[0]
        named = Text(tail or "index.html")
    if named.text != "/dev/null":
        call.shell.write(Text(named.text), fetched, call.node)
    return EMPTY


def _wget(call: Call) -> Text:
    parts = [part for part in (call.value("--post-data", "--body-data"),) if part is not None]
    posted = call.value("--post-file", "--body-file")
    if posted is not None:
        parts.append(call.stdin if posted.text in ("-", "/dev/stdin") else call.read(posted))
    address = _address(call.plain("OoPUtTQ", ("--header", "--output-document", "--user-agent")))
    where = host_in(address.text)
    if call.has("--no-check-certificate"):
        call.do(Act.TRUST_ANY, where)
    if _METADATA.search(call.line):
        call.do(Act.READ_SECRET, where)
        return call.made(Datum.SECRET, where)
    call.do(Act.SEND if parts else Act.FETCH, where)
    call.flow(joined([*parts, *call.args]), Sink.SEND, where)
    _tell_by_name(call, where)
    return _saved(call, call.made(Datum.FETCHED, address.text), address)


def _http(call: Call) -> Text:
    """Follow httpie, xh and their like."""
    parts = [call.stdin, *call.args]
    for arg in call.args:
        if (match := re.search(r"[@]([~/.\w\0-]+)$", arg.text)) is not None:
            parts.append(call.read(Text(match[1])))
    call.do(Act.SEND if len(call.args) > 1 or call.stdin.taints else Act.FETCH)
    call.flow(joined(parts), Sink.SEND, _address(call.args).text)
    return call.made(Datum.FETCHED)


def _tell_by_name(call: Call, where: str) -> None:
    """Write down data in a host name: whoever answers for the domain reads it."""
    if UNKNOWN in where.partition(":")[0] and any(arg.has(Datum.DECODED) for arg in call.args):
        call.do(Act.LOOK_UP, where)


def _netcat(call: Call) -> Text:
    program = call.value("-e", "--exec", "-c", "--sh-exec")
    where = " ".join(arg.text for arg in call.plain("epcwsiqGX"))
    listens = call.flag("l") or call.has("--listen")
    if call.flag("z"):
        call.do(Act.CONNECT, where)
        return SOMETHING
    call.do(Act.LISTEN if listens else Act.SEND, where)
    received = call.made(Datum.FETCHED, where)
    if program is not None or re.search(r"(?:^|\s)-\w*[ec]\s+\S*(?:sh|cmd|python)", call.line):
        call.do(Act.RUN_SHELL, call.line)
        call.flow(received, Sink.RUN_SHELL, "a remote shell")
    call.flow(joined([call.stdin, *call.args]), Sink.SEND, where)
    return received


def _socat(call: Call) -> Text:
    line = call.line
    reaches = re.search(r"(?:TCP|UDP|OPENSSL|SSL|SCTP|PROXY|SOCKS)\w*[-:]", line, re.IGNORECASE)
    call.do(Act.LISTEN if "LISTEN" in line.upper() else Act.SEND)
    received = call.made(Datum.FETCHED)
    if reaches and re.search(r"\b(?:EXEC|SYSTEM|SHELL):", line, re.IGNORECASE):
        call.do(Act.RUN_SHELL, line)
        call.flow(received, Sink.RUN_SHELL, "a remote shell")
    for match in re.finditer(r"(?:OPEN|FILE|GOPEN):([^,\s]+)", line, re.IGNORECASE):
        call.flow(call.read(Text(match[1])), Sink.SEND)
    call.flow(joined([call.stdin, *call.args]), Sink.SEND)
    return received


def _openssl(call: Call) -> Text:
    if call.has("s_client"):
        call.do(Act.SEND)
        call.flow(joined([call.stdin, *call.args]), Sink.SEND)
        return call.made(Datum.FETCHED)
    source = call.value("-in")
    text = call.read(source) if source is not None else call.stdin
    if (
        call.has("enc")
        or call.words[:1] in (["base64"], ["aes-256-cbc"])
        or call.has("-a", "-base64")
    ):
        return _openssl_enc(call, text)
    return unknown_from(text)


def _openssl_enc(call: Call, text: Text) -> Text:
    from skilllite_sandbox.scan.shell.commands.files import note_encryption
    from skilllite_sandbox.scan.shell.escapes import decoded

    plain_base64 = call.words[:1] == ["base64"] or (
        call.has("-base64", "-a")
        and not any(re.match(r"-(?:aes|des|chacha|bf|rc)", w) for w in call.words)
    )
    target = call.value("-out")
    if call.has("-d"):
        how = "base64" if plain_base64 else "encrypted"
        made = decoded(call.shell, text, call.node, how)
        if not plain_base64:
            made = unknown_from(made, call.made(Datum.DECODED, "openssl"))
    else:
        made = unknown_from(text)
        source = call.value("-in")
        if source is not None and not plain_base64:
            note_encryption(call, source)
    if target is not None:
        call.shell.write(target, made, call.node)
        return EMPTY
    return made


def _telnet(call: Call) -> Text:
    call.do(Act.SEND)
    call.flow(joined([call.stdin, *call.args]), Sink.SEND)
    return call.made(Datum.FETCHED)


_SSH_VALUES = "bcDEeFIiJLlmOopQRSWw"


def _ssh(call: Call) -> Text:
    plain = call.plain(_SSH_VALUES)
    where = plain[0].text if plain else ""
    call.do(Act.SEND, where)
    for option in call.args:
        if (match := re.search(r"ProxyCommand[= ](.+)", option.text)) is not None:
            call.shell.run_text(Text(match[1], option.taints), call.node)
    if call.flag("R") or call.value("-R") is not None:
        call.do(Act.LISTEN, call.line)
        call.flow(
            call.made(Datum.FETCHED, where), Sink.RUN_SHELL, "a tunnel back into this machine"
        )
    if call.has("StrictHostKeyChecking=no", "-oStrictHostKeyChecking=no"):
        call.do(Act.TRUST_ANY, where)
    call.flow(joined([call.stdin, *call.args]), Sink.SEND, where)
    return call.made(Datum.FETCHED, where)


def _remote_copy(call: Call) -> Text:
    """Follow scp, rsync and sftp: local files go where a host is named."""
    plain = call.plain("cFiJloPSe", ("--rsh", "--exclude", "--include", "--filter"))
    target = plain[-1] if plain else EMPTY
    is_remote = bool(re.match(r"[^/~.][^/]*:|\0[^/]*:|rsync://", target.text))
    sent = [call.read(path) for path in plain[:-1]] if is_remote or call.name == "sftp" else []
    from_remote = any(re.match(r"[^/~.][^/]*:|rsync://", path.text) for path in plain[:-1])
    if not is_remote and not from_remote and call.name == "rsync":
        content = unknown_from(*(call.read(path) for path in plain[:-1]))
        call.shell.write(target, content, call.node)
        return EMPTY
    call.do(Act.SEND if sent else Act.FETCH, target.text)
    call.flow(joined([*sent, *call.args, call.stdin]), Sink.SEND, target.text)
    if from_remote:
        call.shell.write(target, call.made(Datum.FETCHED), call.node)
    return SOMETHING


def _cloud_copy(call: Call) -> Text:
    """Follow the tools of clouds: aws s3, gsutil, rclone, az, gh gist."""
    uploads = re.search(r"\b(?:cp|sync|put|mv|copy|move|upload|gist|release)\b", call.line)
    if not uploads:
        call.do(Act.SEND)
        call.flow(joined([call.stdin, *call.args]), Sink.SEND)
        return unknown_from(call.stdin)
    sent = [call.read(path) for path in call.plain() if re.match(r"[~/.\0]", path.text)]
    call.do(Act.SEND)
    call.flow(joined([call.stdin, *sent, *call.args]), Sink.SEND)
    return SOMETHING


def _look_up(call: Call) -> Text:
    call.do(Act.LOOK_UP)
    if any(arg.taints for arg in call.args) or call.stdin.taints:
        name = joined([call.stdin, *call.args])
        call.flow(name, Sink.SEND, "a host name")
        told = any(UNKNOWN in arg.text and "." in arg.text.strip(UNKNOWN) for arg in call.args)
        if told and name.has(Datum.SYSTEM):  # nobody has a name made of facts about the machine
            call.flow(call.made(Datum.IDENTITY), Sink.SEND, "a host name")
    return (
        call.made(Datum.FETCHED)
        if call.has("TXT", "txt", "-t=txt", "-q=txt")
        else unknown_from(call.stdin)
    )


def _getent(call: Call) -> Text:
    if call.has("hosts", "ahosts", "ahostsv4"):
        return _look_up(call)
    call.do(Act.READ_SYSTEM)
    return call.made(Datum.SYSTEM, call.name)


def _logger(call: Call) -> Text:
    if call.value("-n", "--server") is not None:
        call.do(Act.SEND)
        call.flow(joined([call.stdin, *call.args]), Sink.SEND, "a log server")
    return EMPTY


def _mail(call: Call) -> Text:
    parts = [call.stdin, *call.args]
    attached = [call.value(option) for option in ("-a", "-A", "--attach")]
    parts += [call.read(path) for path in attached if path is not None]
    call.do(Act.SEND)
    call.flow(joined(parts), Sink.SEND, "a mail")
    return EMPTY


def _git(call: Call) -> Text:
    words = call.words
    for arg in call.args:
        match = re.match(
            r"(?:core\.(?:pager|editor|sshCommand|fsmonitor)|alias\.\w+)=!?(.+)", arg.text
        )
        if match and arg.known:
            call.shell.run_text(Text(match[1], arg.taints), call.node)
    plain = [arg for arg in call.plain("Cc") if arg.text]
    verb = plain[0].text if plain else ""
    call.do(Act.RUN_PROGRAM, "git " + verb)
    if verb == "config":
        _git_config(call, words)
    elif verb in ("clone", "fetch", "pull", "submodule", "ls-remote"):
        return _git_clone(call, plain)
    elif verb == "remote" and len(plain) > 3 and plain[1].text in ("add", "set-url"):
        call.shell.variables["__remote_" + plain[2].text] = plain[3]
    elif verb in ("commit", "notes", "tag"):
        message = unknown_from(*call.args)
        call.shell.committed = unknown_from(call.shell.committed, message)
    elif verb == "add":
        content = unknown_from(*(call.read(path) for path in plain[1:]))
        call.shell.committed = unknown_from(call.shell.committed, content)
    elif verb == "push":
        _git_push(call, plain)
    return unknown_from(call.stdin)


def _git_config(call: Call, words: list[str]) -> None:
    line = " ".join(words)
    reads = (
        "--get" in line or "--list" in line or "--unset" in line or words[-1] in ("-l", "user.name")
    )
    if re.search(r"hooksPath|templateDir|init\.templatedir", line, re.IGNORECASE) and not reads:
        call.do(Act.PERSIST)
    elif re.search(
        r"core\.(?:pager|editor|sshcommand|fsmonitor|askpass)|alias\.\S+\s+'?!|insteadof|credential\.helper|\.(?:smudge|clean|textconv)",
        line,
        re.IGNORECASE,
    ):
        if not reads and re.search(r"!|/|curl|sh\b|insteadof|https?:", line, re.IGNORECASE):
            call.do(Act.PERSIST)
    elif re.search(r"http\.sslverify\s+(?:false|0)", line, re.IGNORECASE):
        call.do(Act.TRUST_ANY, "git")


def _git_clone(call: Call, plain: list[Text]) -> Text:
    address = next((arg for arg in plain[1:] if re.search(r"://|@[\w.-]+:|\0", arg.text)), EMPTY)
    call.do(Act.FETCH, address.text)
    call.flow(address, Sink.SEND, address.text)
    if plain[0].text == "clone" and len(plain) > 1:
        name = address.text.rstrip("/").rpartition("/")[2].removesuffix(".git")
        folder = plain[2].text if len(plain) > 2 else name
        content = call.made(Datum.FETCHED, ARCHIVE + address.text)
        if folder:
            call.shell.fetched_folders[folder] = content
    return SOMETHING


def _git_push(call: Call, plain: list[Text]) -> None:
    target = plain[1] if len(plain) > 1 else EMPTY
    known = call.shell.variables.get("__remote_" + target.text, target)
    call.do(Act.SEND, known.text)
    call.flow(unknown_from(known, call.shell.committed), Sink.SEND, known.text)
    if re.search(r"://|@[\w.-]+:", known.text) and UNKNOWN not in known.text.partition("/")[0]:
        written = not any(taint.datum in (Datum.INPUT,) for taint in known.taints)
        if written:
            call.flow(call.made(Datum.HOST_FILE, "a repository"), Sink.SEND, known.text)


def _tunnel(call: Call) -> Text:
    call.do(Act.LISTEN)
    call.flow(call.made(Datum.FETCHED), Sink.RUN_SHELL, "a tunnel into this machine")
    return EMPTY


def _socket(call: Call) -> Text:
    """Follow zsh's ztcp and zsocket."""
    call.do(Act.CONNECT)
    received = call.made(Datum.FETCHED)
    call.shell.variables["REPLY"] = Text("fd")
    call.shell.descriptors["fd"] = received
    return received


def _tell(call: Call) -> Text:
    call.do(Act.CONNECT)
    if call.stdin.taints or any(arg.taints for arg in call.args):
        call.flow(joined([call.stdin, *call.args]), Sink.SEND)
    return Text(UNKNOWN, NO_TAINTS)


HANDLERS: dict[str, Handler] = {
    "curl": _curl,
    **dict.fromkeys(("wget", "wget2"), _wget),
    **dict.fromkeys(
        ("http", "https", "xh", "httpie", "aria2c", "lynx", "w3m", "links", "fetch"), _http
    ),
    **dict.fromkeys(("nc", "ncat", "netcat", "nc.openbsd", "nc.traditional"), _netcat),
    "socat": _socat,
    "openssl": _openssl,
    **dict.fromkeys(
        ("telnet", "ftp", "lftp", "tftp", "websocat", "wscat", "busybox-telnet"), _telnet
    ),
    **dict.fromkeys(("ssh", "autossh", "sshpass", "mosh"), _ssh),
    **dict.fromkeys(("scp", "rsync", "sftp"), _remote_copy),
    **dict.fromkeys(
        ("aws", "gsutil", "rclone", "az", "gcloud", "s3cmd", "mc", "gh", "glab", "croc"),
        _cloud_copy,
    ),
    "logger": _logger,
    "getent": _getent,
    **dict.fromkeys(("dig", "nslookup", "host", "drill", "resolvectl", "kdig"), _look_up),
    **dict.fromkeys(
        ("ping", "ping6", "traceroute", "mtr", "whois", "nping", "hping3", "arping"), _tell
    ),
    **dict.fromkeys(("mail", "mailx", "sendmail", "mutt", "msmtp", "swaks", "ssmtp"), _mail),
    "git": _git,
    **dict.fromkeys(
        ("ngrok", "cloudflared", "chisel", "frpc", "bore", "localtunnel", "tmate"), _tunnel
    ),
    **dict.fromkeys(("ztcp", "zsocket"), _socket),
}
