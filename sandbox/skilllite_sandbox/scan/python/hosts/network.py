"""What leaves the machine and what comes from elsewhere."""

from __future__ import annotations

import ast
import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python.hosts.names import whole
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import Value, all_taints, unknown
from skilllite_sandbox.scan.taint import Taint

_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?([^/:?#\s\0]+)", re.IGNORECASE)
_METADATA = re.compile(r"169\.254\.169\.254|metadata\.google\.internal|169\.254\.170\.2")
_VERBS = r"(?:get|post|put|patch|delete|head|options|request|stream|send)"
_CLIENTS = (
    r"(?:requests|httpx|aiohttp|urllib3|http\.client|curl_cffi|treq|niquests|pycurl|grequests"
    r"|websockets?|socketio|httplib2)"
)
HTTP = re.compile(
    rf"^{_CLIENTS}(?:\.\w+)*(?:\(\))?(?:\.\w+\(\))*\.{_VERBS}$"
    r"|^urllib\.request\.(?:urlopen|Request|urlretrieve)$|^urllib3\.request$|^(?:requests|httpx)\.Request$"
    r"|^urllib\.request\.(?:build_opener|OpenerDirector)\(\)\.open$|^urllib3\.\w+\(\)\.urlopen$"
    r"|^http\.client\.\w+\(\)\.(?:putrequest|endheaders|putheader)$|^httplib2\.Http\(\)\.request$"
    r"|^websockets?\.(?:connect|create_connection)$|^websocket\.\w+\(\)\.send$"
    r"|^webbrowser\.open\w*$|^feedparser\.parse$|^wget\.download$|^gdown\.\w+$|^pooch\.retrieve$"
    r"|^(?:huggingface_hub|kaggle)\.\w*download\w*$|^robobrowser\.|^mechanize\.urlopen$"
)
SENDING = re.compile(
    r"\.(?:post|put|patch)$|^http\.client\.\w+\(\)\.endheaders$|^websocket\.\w+\(\)\.send$"
)
SENDERS = re.compile(
    r"^smtplib\.\w+\(\)\.(?:sendmail|send_message|login)$|^ftplib\.\w+\(\)\.(?:stor\w+|login)$"
    r"|^(?:boto3|botocore|google\.cloud|azure|paramiko|pysftp|telegram|slack_sdk|discord|tweepy"
    r"|twilio|praw|dropbox|ftplib|smtplib|paho|pika|kafka|redis|pymongo|psycopg2?|mysql|xmlrpc"
    r"|discord_webhook|yagmail|apprise|pushover|mailgun|resend|posthog|mixpanel|sentry_sdk|elasticsearch"
    r"|influxdb_client|supabase|firebase_admin|gspread|notion_client|jira|nats|zmq|pycurl|minio|b2sdk"
    r"|telnetlib|imaplib|poplib|nntplib|asyncssh|fabric|sendgrid|openai|anthropic|github)"
    r"(?:\.\w+|\(\))*$"
)
_UPLOADS = re.compile(r"\.(?:\w*upload\w*|put\w*|send_\w+|attach\w*|stor\w+)$")
LOOK_UPS = re.compile(
    r"^socket\.(?:gethostbyname(?:_ex)?|getaddrinfo|getfqdn|gethostbyaddr)$"
    r"|^(?:dns\.resolver|dnspython|aiodns|pycares)(?:\.\w+|\(\))*\.?(?:resolve|query)$"
    r"|^asyncio\.get_(?:running|event)_loop\(\)\.getaddrinfo$"
)
SOCKETS = re.compile(
    r"^socket\.(?:socket|create_connection|socketpair|create_server)$|^ssl\..*wrap_socket$"
)


_SENDS = frozenset(
    {
        *("send", "sendall", "sendto", "sendmsg", "sendfile"),
        *("write", "writelines", "send_all"),
    }
)
_RECEIVES = frozenset(
    {
        *("recv", "recvfrom", "recv_into", "recvmsg", "read", "readline", "readexactly"),
        *("readuntil", "receive", "receive_some", "__iter__", "__aiter__"),
    }
)
STREAMS = re.compile(
    r"^(?:asyncio\.open_connection|asyncio\.open_unix_connection|trio\.open_(?:ssl_over_)?tcp_stream"
    r"|anyio\.connect_tcp)$"
)


def host_of(value: Value) -> str:
    """Return the host that an address names, as far as it is known."""
    if value.items:
        return host_of(value.items[0])
    match = _HOST.match(value.text())
    return match[1] if match else value.text()


def request(
    run: Interpreter,
    ref: str,
    args: list[Value],
    keywords: dict[str, Value],
    node: ast.AST,
    *,
    sends: bool,
) -> Value:
    """Return what a request brings, and note what goes out with it."""
    address = keywords.get("url") or next(
        (each for each in args if "://" in each.text() or each.kind == "request"),
        args[0] if args else Value(),
    )
    body = [
        keywords[name] for name in ("data", "json", "files", "content", "body") if name in keywords
    ]
    if ref.endswith(("urlopen", ".Request")) and len(args) > 1:
        body.append(args[1])
    if any(each.const is not None for each in body):
        sends = True
    where = host_of(address)
    sent = unknown(*(whole(run, each, node) for each in (*args, *keywords.values())))
    # A picture that is sent was decoded as well: only an address shall be readable.
    hidden = {each for each in sent.taints - all_taints(address) if each.datum is Datum.DECODED}
    sent.taints -= hidden
    sent.taints = _not_passed_on(sent.taints, ref)
    run.do(Act.SEND if sends else Act.FETCH, node, where)
    run.flow(sent, Sink.SEND, node, where)
    told = [address, *body, *(keywords[name] for name in ("params", "cookies") if name in keywords)]
    told += _other_headers(keywords.get("headers"))
    _keys_of_others(run, unknown(*told), where, node)
    if keywords.get("verify") is not None and keywords["verify"].const is False:
        run.do(Act.TRUST_ANY, node, where)
    if ref.endswith(".Request"):
        made = Value(address.text(), kind="request", taints=all_taints(sent))
        return made
    if _METADATA.search(address.text()):
        run.do(Act.READ_SECRET, node, where)
        return Value(kind="fetched", taints=frozenset((run.taint(Datum.SECRET, node, where),)))
    detail = address.text().replace(UNKNOWN, "…")
    made = Value(kind="fetched", taints=frozenset((run.taint(Datum.FETCHED, node, detail),)))
    if ref.startswith("websocket"):
        made.ref = f"{ref}()"
    if ref.endswith("urlretrieve") and len(args) > 1:
        from skilllite_sandbox.scan.python.hosts.files import write

        write(run, args[1], made, node)
    return made


def _not_passed_on(taints: frozenset[Taint], ref: str) -> frozenset[Taint]:
    """Leave out what a function in the place of this one is given to pass on to it."""
    return frozenset(
        each for each in taints if each.datum is not Datum.WATCHED or each.detail != ref
    )


_SERVICES = {
    **dict.fromkeys(("GITHUB", "GH"), ("github",)),
    **dict.fromkeys(("HF", "HUGGINGFACE", "HUGGING"), ("huggingface", "hf.co")),
    **dict.fromkeys(("AZURE",), ("azure", "microsoft", "windows.net")),
    **dict.fromkeys(("GOOGLE", "GEMINI"), ("google",)),
    **dict.fromkeys(("AWS",), ("aws", "amazon")),
    **dict.fromkeys(("NPM",), ("npm",)),
    **{
        name.upper(): (name,)
        for name in (
            *("openai", "anthropic", "slack", "gitlab", "stripe", "discord", "telegram", "docker"),
            *("pypi", "cloudflare", "digitalocean", "heroku", "twilio", "sendgrid", "datadog"),
        )
    },
}
"""Whose keys these variables hold, and how their hosts are called."""
_KEY = re.compile(r"TOKEN|KEY|SECRET|PASS|CREDENTIAL")


_SHOWS_A_KEY = re.compile(
    r"auth|api.?key|token|secret|credential|private|x-goog|x-amz", re.IGNORECASE
)


def _other_headers(headers: Value | None) -> list[Value]:
    """Return the headers whose names don't say that they show a key."""
    named = (headers.attrs or {}) if headers is not None and headers.kind == "dict" else {}
    return [value for name, value in named.items() if not _SHOWS_A_KEY.search(str(name))]


def _keys_of_others(run: Interpreter, told: Value, where: str, node: ast.AST) -> None:
    """Take note of a service's key that goes to another, and not where a key is shown."""
    if UNKNOWN in where or "." not in where:
        return
    for taint in told.taints:
        hosts = _SERVICES.get(taint.detail.partition("_")[0])
        if taint.datum is not Datum.VARIABLE or hosts is None or not _KEY.search(taint.detail):
            continue
        if not any(host in where.lower() for host in hosts):
            secret = run.taint(Datum.SECRET, node, taint.detail)
            run.record.flow({secret}, Sink.SEND, run.file, run.line(node), where)


def look_up(
    run: Interpreter, ref: str, args: list[Value], keywords: dict[str, Value], node: ast.AST
) -> Value:
    """Return an address, and note what the name that is asked for tells."""
    asked = unknown(*args, *keywords.values())
    asked.taints = _not_passed_on(asked.taints, ref)
    local = bool(args) and args[0].ref == "socket.gethostname()"
    if not local:
        run.do(Act.LOOK_UP, node, args[0].text() if args else "")
        run.flow(asked, Sink.SEND, node, "a name that is looked up")
    else:
        run.do(Act.READ_SYSTEM, node, "addresses")
    taint = run.taint(Datum.SYSTEM, node, "addresses")
    if ref.startswith(("socket.", "asyncio.")):
        return Value(taints=frozenset((taint,)))
    return Value(kind="fetched", taints=frozenset((run.taint(Datum.FETCHED, node, "an answer"),)))


def send(run: Interpreter, ref: str, values: list[Value], node: ast.AST) -> Value:
    """Note that something goes out through a connection or a client of some service."""
    sent = unknown(*(whole(run, each, node) for each in values))
    sent.taints = _not_passed_on(sent.taints, ref)
    if _UPLOADS.search(ref):
        from skilllite_sandbox.scan.python.hosts.files import read

        for each in values:
            if each.is_const and each.text().startswith(("~", "/")):
                sent.taints |= all_taints(read(run, each, node))
    where = next((host_of(each) for each in values if each.is_const and "." in each.text()), ref)
    run.do(Act.SEND, node, where)
    run.flow(sent, Sink.SEND, node, where)
    taint = run.taint(Datum.FETCHED, node, where)
    return Value(kind="client", ref=f"{ref}()", taints=frozenset((taint,)))


def repository(run: Interpreter, node: ast.AST) -> Value:
    """Take note of a repository that goes to a place which the skill adds to it."""
    taint = run.taint(Datum.HOST_FILE, node, "a repository")
    run.do(Act.SEND, node, "a remote that it adds")
    run.record.flow({taint}, Sink.SEND, run.file, run.line(node), "a remote that it adds")
    return Value()


def streams(
    run: Interpreter, ref: str, args: list[Value], keywords: dict[str, Value], node: ast.AST
) -> Value:
    """Return the ends of a connection: for reading and for writing, or one for both."""
    end = Value(ref="socket.socket()", kind="socket", attrs={})
    where = [keywords[name] for name in ("host", "port") if name in keywords]
    socket_method(run, end, "connect", [*args, *where], node)
    return Value(items=[end, end], kind="tuple") if ref.startswith("asyncio.") else end


def socket_method(
    run: Interpreter, owner: Value, name: str, args: list[Value], node: ast.AST
) -> Value | None:
    """Return what a method of a socket gives."""
    if name in ("connect", "connect_ex"):
        where = host_of(args[0]) if args else ""
        local = where in ("127.0.0.1", "localhost", "::1")
        run.do(Act.CONNECT, node, where)
        if owner.attrs is not None:
            owner.attrs["remote"] = Value(not local)
        return Value()
    if name in _SENDS:
        where = host_of(args[1]) if name == "sendto" and len(args) > 1 else "a connection"
        sent = unknown(*(whole(run, each, node) for each in args))
        # A protocol of bytes is ordinary.
        sent.taints -= {each for each in sent.taints if each.datum is Datum.DECODED}
        run.do(Act.SEND, node, where)
        run.flow(sent, Sink.SEND, node, where)
        return Value()
    if name in _RECEIVES:
        return Value(
            kind="fetched", taints=frozenset((run.taint(Datum.FETCHED, node, "a connection"),))
        )
    if name in ("bind", "listen", "accept"):
        if name != "accept":
            run.do(Act.LISTEN, node, host_of(args[0]) if args else "")
            return Value()
        return Value(items=[Value(ref="socket.socket()", kind="socket", attrs={}), Value()])
    if name in ("makefile", "dup", "detach", "wrap_socket"):
        return Value(ref="socket.socket()", kind="socket", attrs=owner.attrs)
    if name == "fileno":
        return Value(kind="socket", ref="socket.fileno()")
    return None
