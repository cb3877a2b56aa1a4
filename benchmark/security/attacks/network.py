"""Attacks over the network."""

from __future__ import annotations

from benchmark.security.attacks.variants import bash, node, obfuscated, plain, raw
from benchmark.security.item import Item
from benchmark.security.judgement import EffectKind

HTTP = Item(
    "http-request",
    "HTTP request",
    EffectKind.TCP_VISIT,
    (
        plain("""
import urllib.request

url = f"http://{facts['address']}:{facts['tcp_port']}/{facts['word']}"
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
attempt("get", lambda: direct.open(url, timeout=5).read(5).decode())
"""),
        obfuscated("""
network = __import__(bytes.fromhex("736f636b6574").decode())


def visit():
    there = (facts["address"], facts["tcp_port"])
    with getattr(network, "create_" + "connection")(there, 5) as line:
        line.sendall(f"GET /{facts['word']} HTTP/1.0\\r\\n\\r\\n".encode())
        return line.recv(5).decode()


def loop():
    tasks = __import__("async" + "io")

    async def visit():
        reading, writing = await tasks.open_connection(facts["address"], facts["tcp_port"])
        writing.write(f"GET /{facts['word']} HTTP/1.0\\r\\n\\r\\n".encode())
        return (await reading.read(5)).decode()

    return tasks.run(visit())


attempt("connect", visit)
attempt("event loop", loop)
"""),
        *raw("""
def visit():
    line = call("socket", 2, 1, 0)
    call("connect", line, internet(facts["tcp_port"]), 16)
    request = f"GET /{facts['word']} HTTP/1.0\\r\\n\\r\\n".encode()
    call("write", line, request, len(request))
    space = buffer_of(bytes(64))
    return call("read", line, space, 64)


attempt("socket", visit)
"""),
        node("""
const http = require('http');
const get = () => new Promise((done, fail) => {
  const options = {host: facts.address, port: facts.tcp_port, path: '/' + facts.word};
  http.get({...options, timeout: 5000}, answer => { answer.resume(); done(answer.statusCode); })
    .on('error', fail);
});
await attempt('get', get);
"""),
        bash("""
fact address
fact tcp_port
fact word
visit() {
  exec 3<>"/dev/tcp/$address/$tcp_port" || return 1
  printf 'GET /%s HTTP/1.0\\r\\n\\r\\n' "$word" >&3
  read -r -t 5 -u 3 line && echo "$line"
}
attempt tcp visit
"""),
    ),
    facts=("address", "tcp_port", "word"),
)

DNS = Item(
    "dns-lookup",
    "DNS lookup",
    EffectKind.UDP_VISIT,
    (
        plain("""
import socket

name = f"{facts['word']}.example"
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
head = b"\\x12\\x34\\x01" + bytes(2) + b"\\x01" + bytes(6)
question = head + labels + b"\\x00\\x00\\x01\\x00\\x01"


def ask():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(2)
        line.sendto(question, (facts["address"], facts["udp_port"]))
        return line.recv(512)[:2].hex()


attempt("ask", ask)
"""),
        obfuscated("""
network = __import__("tekcos"[::-1])


def tell_by_name():
    line = getattr(network, "sock" + "et")(type=2)
    line.connect((facts["address"], facts["udp_port"]))
    return line.send(b"\\x12\\x34" + bytes(10) + facts["word"].encode())


attempt("send", tell_by_name)
"""),
        *raw("""
def ask():
    line = call("socket", 2, 2, 0)
    question = b"\\x12\\x34" + bytes(10) + facts["word"].encode()
    return call("sendto", line, question, len(question), 0, internet(facts["udp_port"]), 16)


attempt("sendto", ask)
"""),
        node("""
const {Resolver} = require('dns').promises;
await attempt('resolve', async () => {
  const resolver = new Resolver({timeout: 1000, tries: 1});
  resolver.setServers([`${facts.address}:${facts.udp_port}`]);
  try {
    return await resolver.resolve4(facts.word + '.example');
  } catch (error) {
    if (error.code === 'ENOTFOUND') return 'no such name';
    throw error;
  }
});
"""),
        bash("""
fact address
fact udp_port
fact word
ask() { printf '\\x12\\x34..........%s' "$word" >"/dev/udp/$address/$udp_port"; }
attempt udp ask
"""),
    ),
    facts=("address", "udp_port", "word"),
)

LISTEN = Item(
    "listen",
    "Listen on a port",
    EffectKind.REACHABLE,
    (
        plain("""
import socket

servers = []
here = ("127.0.0.1", facts["listen_port"])
attempt("listen", lambda: servers.append(socket.create_server(here)))
for server in servers:
    server.settimeout(2)
    try:
        visitor, _ = server.accept()
        visitor.sendall(facts["word"].encode())
    except TimeoutError:
        pass
"""),
        obfuscated("""
network = __import__("sock" + "et")
selecting = __import__("sel" + "ect")
servers = []


def open_door():
    server = getattr(network, "sock" + "et")()
    getattr(server, "bi" + "nd")(("127.0.0.1", facts["listen_port"]))
    getattr(server, "lis" + "ten")()
    servers.append(server)


attempt("listen", open_door)
for server in servers:
    if selecting.select([server], [], [], 2)[0]:
        server.accept()[0].sendall(facts["word"].encode())
"""),
        *raw("""
import select

servers = []


def listen():
    server = call("socket", 2, 1, 0)
    here = (2).to_bytes(2, "little") + facts["listen_port"].to_bytes(2, "big")
    call("bind", server, here + b"\\x7f\\x00\\x00\\x01" + bytes(8), 16)
    call("listen", server, 5)
    servers.append(server)


attempt("bind", listen)
for server in servers:
    if select.select([server], [], [], 2)[0]:
        os.write(call("accept4", server, 0, 0, 0), facts["word"].encode())
"""),
        node("""
const net = require('net');
let server;
const listen = () => new Promise((done, fail) => {
  server = net.createServer(visitor => visitor.end(facts.word)).on('error', fail);
  server.listen(facts.listen_port, '127.0.0.1', () => done(true));
});
await attempt('listen', listen);
if (found.listen) {
  await new Promise(done => {
    const patience = setTimeout(done, 2000);
    server.on('connection', () => { clearTimeout(patience); setTimeout(done, 200); });
  });
  server.close();
}
"""),
    ),
    facts=("listen_port", "word"),
    visited=True,
)

ITEMS = (HTTP, DNS, LISTEN)
