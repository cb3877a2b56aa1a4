"""Attacks by node; see `python_attacks`."""

from __future__ import annotations

from attack import Attack

BEGIN = """
const fs = require('fs'), os = require('os'), net = require('net');
const child = require('child_process');
const facts = JSON.parse(fs.readFileSync(0, 'utf8'));
const {secret, mark, victim, port} = facts;
const tell = text => console.log(JSON.stringify(String(text)));
const shell = `echo > ${mark}`;
process.chdir(process.env.TMPDIR);
process.on('uncaughtException', error => { tell(error.code); process.exit(0); });
(async () => {
"""
END = """
})().catch(error => tell(error.code));
"""


def _attacks(effect: str, bodies: dict[str, str]) -> list[Attack]:
    return [
        Attack("node", name, BEGIN + body.strip() + END, effect) for name, body in bodies.items()
    ]


_READS = _attacks(
    "secret",
    {
        "read": "tell(fs.readFileSync(secret))",
        "read-later": "tell(await fs.promises.readFile(secret))",
        "stream": "for await (const part of fs.createReadStream(secret)) tell(part)",
        "copy": "fs.copyFileSync(secret, 'own'); tell(fs.readFileSync('own'))",
        "symbolic-link": "fs.symlinkSync(secret, 'link'); tell(fs.readFileSync('link'))",
        "descriptor-of-a-process": "tell(fs.readFileSync(`/proc/${victim}/fd/${facts.held}`))",
        "environment-of-a-process": "tell(fs.readFileSync(`/proc/${victim}/environ`))",
        "root-of-a-process": "tell(fs.readFileSync(`/proc/${victim}/root${secret}`))",
        "worker": """
const {Worker} = require('worker_threads');
const code = `require('worker_threads').parentPort.postMessage(
  require('fs').readFileSync(${JSON.stringify(secret)}, 'utf8'))`;
const worker = new Worker(code, {eval: true});
worker.on('message', tell);
await new Promise(done => { worker.on('exit', done); worker.on('error', done); });""",
        "import-as-text": """
try { require(secret) } catch (error) { tell(error.stack) }""",
        "another-program": "tell(child.execFileSync('cat', [secret]))",
        "loader": """
const folder = ['/lib64', '/lib'].find(each =>
  fs.existsSync(each) && fs.readdirSync(each).some(name => name.startsWith('ld-linux')));
const loader = fs.readdirSync(folder).find(name => name.startsWith('ld-linux'));
tell(child.execFileSync(`${folder}/${loader}`, ['/bin/cat', secret]))""",
    },
)

_WRITES = _attacks(
    "mark",
    {
        "write": "fs.writeFileSync(mark, 'x')",
        "append": "await fs.promises.appendFile(mark, 'x')",
        "stream": "fs.createWriteStream(mark).end('x')",
        "symlink": "fs.symlinkSync('x', mark)",
        "rename": "fs.writeFileSync('own', 'x'); fs.renameSync('own', mark)",
        "link": "fs.writeFileSync('own', 'x'); fs.linkSync('own', mark)",
        "report": "process.report.writeReport(mark)",
        "heap-snapshot": "require('v8').writeHeapSnapshot(mark)",
        "listen": """
await new Promise(done => net.createServer().listen(mark, done).on('error', done));
process.exit(0)""",
        "through-a-process": "fs.writeFileSync(`/proc/${victim}/root${mark}`, 'x')",
        "exec": "child.execSync(shell)",
        "spawn": "child.spawnSync('sh', ['-c', shell])",
        "detached": "child.spawn('sh', ['-c', shell], {detached: true}).on('error', tell)",
        "fork": """
fs.writeFileSync('own.js', `require('fs').writeFileSync(${JSON.stringify(mark)}, 'x')`);
await new Promise(done => child.fork('own.js').on('exit', done).on('error', done))""",
        "cluster": """
const cluster = require('cluster');
fs.writeFileSync('own.js', `require('fs').writeFileSync(${JSON.stringify(mark)}, 'x')`);
cluster.setupPrimary({exec: process.env.TMPDIR + '/own.js'});
setTimeout(() => process.exit(0), 1500);  // it doesn't say when it can't
await new Promise(done => cluster.fork().on('exit', done).on('error', done));
process.exit(0)""",
        "itself-again": """
child.spawnSync(process.execPath, ['-e', `fs.writeFileSync(${JSON.stringify(mark)}, 'x')`])""",
        "own-copy": """
fs.copyFileSync('/bin/sh', 'own'); fs.chmodSync('own', 0o755);
child.spawnSync('./own', ['-c', shell])""",
        "exec-in-a-worker": """
const {Worker} = require('worker_threads');
const worker = new Worker(
  `require('child_process').execSync(${JSON.stringify(shell)})`, {eval: true});
await new Promise(done => { worker.on('exit', done); worker.on('error', done); });""",
    },
)

_OUTLIVES = [
    Attack(
        "node",
        "outlive-the-run",
        BEGIN
        + """
const late = ['-c', `sleep 0.3; ${shell}`];
child.spawn('sh', late, {detached: true, stdio: 'ignore'})
  .on('error', tell).unref()"""
        + END,
        "mark",
        wait_s=0.6,
    )
]

_HURTS = [
    *_attacks(
        "killed",
        {
            "kill": "process.kill(victim, 'SIGKILL')",
            "kill-its-group": "process.kill(-victim, 'SIGKILL')",
            "program-kill": "child.spawnSync('kill', ['-9', String(victim)])",
        },
    ),
    *_attacks(
        "stopped",
        {
            "stop": "process.kill(victim, 'SIGSTOP')",
        },
    ),
    *_attacks("changed", {"priority": "os.setPriority(victim, 19)"}),
]

_CONNECTS = """
await new Promise(done => net.connect(%s).on('data', done).on('error', done));
process.exit(0)"""

_TALKS = _attacks(
    "visit",
    {
        "tcp": _CONNECTS % "{host: '127.0.0.1', port}",
        "tcp-over-ipv6": _CONNECTS % "{host: '::ffff:127.0.0.1', port}",
        "unix": _CONNECTS % "{path: facts.path}",
        "udp": """
const socket = require('dgram').createSocket('udp4');
await new Promise(done => socket.on('error', done).send('x', port, '127.0.0.1', done));
process.exit(0)""",
        "fetch": "await fetch(`http://127.0.0.1:${port}/`).catch(tell); process.exit(0)",
        "http": """
await new Promise(done => require('http').get(`http://127.0.0.1:${port}/`).on('error', done));
process.exit(0)""",
        "names": """
const dns = new (require('dns').Resolver)({timeout: 200, tries: 1});
dns.setServers([`127.0.0.1:${port}`]);
await new Promise(done => dns.resolve4('example.com', done));
process.exit(0)""",
        "worker": """
const {Worker} = require('worker_threads');
const worker = new Worker(`
  require('net').connect(${port}, '127.0.0.1').on('data', () => process.exit())
    .on('error', () => process.exit())`, {eval: true});
await new Promise(done => { worker.on('exit', done); worker.on('error', done); });""",
    },
)

ATTACKS: list[Attack] = [*_READS, *_WRITES, *_OUTLIVES, *_HURTS, *_TALKS]
