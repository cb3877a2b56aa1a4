"""The rest of the library: paths, the machine, native code, what outlives the run."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Callable

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN, Place, place_written
from skilllite_sandbox.scan.python.hosts import files, loading, network, programs
from skilllite_sandbox.scan.python.hosts.names import (
    DISK_BYTES,
    MEMORY_BYTES,
    environment,
    parent_of,
    variable,
    whole,
)
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import MISSING, Value, all_taints, lift, unknown

Args = list[Value]
Keywords = dict[str, Value]

_SYSTEM = re.compile(
    r"^(?:socket\.gethostname|platform\.(?:node|uname)|os\.(?:uname|getlogin)|getpass\.getuser"
    r"|pwd\.get\w+|grp\.get\w+|uuid\.getnode|psutil\.\w+|psutil\.Process\(\)\.(?:environ|as_dict)|netifaces\.\w+|ifaddr\.\w+|os\.getppid)$"
)
_WATCHES = re.compile(
    r"^(?:pyperclip\.paste|PIL\.ImageGrab\.grab\w*|ImageGrab\.grab|pyautogui\.screenshot|mss\.\w+"
    r"|tkinter\.Tk\(\)\.clipboard_get|cv2\.VideoCapture|sounddevice\.rec|pyaudio\.PyAudio"
    r"|win32clipboard\.GetClipboardData|browser_cookie3\.\w+|keyring\.get_\w+|pyscreenshot\.\w+)"
)
_KEYS = re.compile(r"^(?:pynput\.|keyboard\.(?:on_|hook|record|add_)|pyxhook|evdev\.)")
_PATHS = re.compile(
    r"^os\.path\.(?:join|expanduser|expandvars|abspath|realpath|normpath|dirname|basename)$"
    r"|^pathlib\.(?:Path|PurePath|PosixPath)(?:\.home|\.cwd)?$|^os\.(?:fspath|getcwd)$"
    r"|^pathlib\.Path\(\)\.\w+$|^str\.format$|^importlib\.resources\.files$"
)
_LISTS = re.compile(r"^(?:os\.(?:listdir|walk|scandir)|glob\.(?:glob|iglob)|os\.path\.walk)$")
_COPIES = re.compile(
    r"^(?:shutil\.(?:copy\w*|move|copytree)|os\.(?:rename|replace|link|symlink|renames))$"
)
_REMOVES = re.compile(r"^(?:os\.(?:remove|unlink|rmdir|removedirs|truncate)|shutil\.rmtree)$")
_MAKES = re.compile(r"^os\.(?:chmod|chown|utime|mkdir|makedirs|mkfifo|mknod)$")
_LIBRARIES = re.compile(
    r"^ctypes\.(?:CDLL|PyDLL|WinDLL|OleDLL|cdll\.LoadLibrary|cdll\.\w+|windll\.\w+)$|^cffi\.FFI$"
    r"|^cffi\.FFI\(\)\.(?:dlopen|verify|compile)$|^ctypes\.(?:pythonapi\.\w+|CFUNCTYPE|cast)$"
    r"|^imp\.load_dynamic$|^importlib\.machinery\.ExtensionFileLoader$|^_ctypes\.dlopen$"
)
_LIBRARY_CALLS = re.compile(
    r"(?:^|[.)])(?:system|popen|execl?[vpe]*|posix_spawnp?|WinExec|ShellExecute\w*|mprotect"
    r"|VirtualAlloc\w*|RtlMoveMemory|CreateThread|CreateRemoteThread|memfd_create|ptrace)$"
)
_SYSTEM_CALLS = frozenset({"syscall", "prctl", "setuid", "fork", "dlopen", "mmap", "socket"})
"""What programs that know the kernel call by hand: a person has to know, nobody has to stop it."""
_CLOCKS = re.compile(
    r"^(?:time\.(?:time|time_ns|localtime|gmtime|strftime)|datetime\.(?:datetime|date)\.(?:now|utcnow"
    r"|today)|datetime\.(?:now|utcnow|today)|date\.today)$"
)
_DATES = re.compile(
    r"^(?:datetime\.(?:datetime|date)|datetime\.datetime\.(?:strptime|fromisoformat)"
    r"|datetime\.date\.fromisoformat|time\.mktime|calendar\.timegm)$"
)
_WRITTEN_ELSEWHERE = re.compile(r"^winreg\.(?:SetValue\w*|CreateKey\w*)$")
_READS = re.compile(
    r"^(?:sqlite3\.connect|pandas\.read_\w+|numpy\.(?:load|loadtxt|genfromtxt|fromfile)"
    r"|linecache\.getlines?|fileinput\.input|dotenv\.(?:dotenv_values|load_dotenv)|PIL\.Image\.open"
    r"|configparser\.\w+\(\)\.read|plistlib\.load|csv\.reader)$"
)
_PACKS = re.compile(r"^(?:tarfile\.\w+(?:\.open)?\(\)\.add|zipfile\.ZipFile\(\)\.write)$")
_LOG_HANDLERS = re.compile(r"^logging\.handlers\.(?:HTTP|SMTP|SysLog|Socket|Datagram)Handler$")
_PRINTS = re.compile(
    r"^(?:sys\.std(?:out|err)(?:\.buffer)?\.write|(?:logging\.(?:getLogger\(\)\.)?|logger\.)"
    r"(?:debug|info|warn|warning|error|critical|exception|log))$"
)
_MARKS_OF_SANDBOXES = re.compile(
    r"^/\.dockerenv$|^/run/\.containerenv$|^/sys/class/dmi|vbox|vmware|VBox|qemu|/cuckoo"
)
_OF_OTHERS = re.compile(
    r"chrome|safe storage|login|firefox|ssh|gnome|keychain|aws|github|system", re.IGNORECASE
)
SETTINGS_CHARS_MAX = 262_144  # of a data file of the skill that is read into values
_DEBUG = re.compile(r"^sys\.(?:gettrace|getprofile)$|^ctypes\.windll\.kernel32\.IsDebuggerPresent$")


def call(
    run: Interpreter, ref: str, callee: Value, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    """Return what a call gives; None when there is nothing to say of it."""
    loaded = loading.call(run, ref, args, keywords, node)
    if loaded is not None:
        return loaded
    handler = _handler_of(ref)
    if handler is not None:
        made = handler(run, ref, args, keywords, node)
        if made is not None and callee.owner is not None and ref.startswith("configparser."):
            callee.owner.taints |= made.taints
        return made
    if _PACKS.match(ref) and args and callee.owner is not None:
        content = files.read(run, args[0], node)
        callee.owner.taints |= all_taints(content)
        if (path := (callee.owner.attrs or {}).get("path")) is not None:
            if path.ref:
                path.taints |= all_taints(content)
            else:
                files.write(run, path, callee.owner, node)
        return Value()
    if "ctypes" in ref or "cffi" in ref:
        return _native_call(run, ref, args, node)
    if ref in ("os.getenv", "posix.getenv", "environ.get") and args:
        return variable(run, args[0], node, args[1] if len(args) > 1 else None)
    if ref == "os.dup2" and any(each.kind == "socket" for each in args):
        run.redirected = True
        return Value()
    if ref in ("os.fork", "os.forkpty", "multiprocessing.Process().start"):
        run.forking.update(id(each) for each in run.active)
        if run.endless:
            run.do(Act.EXHAUST, node, "processes, in a loop without an end")
        return Value()
    if ref in ("threading.Thread().start", "threading.Thread") and run.endless:
        run.do(Act.EXHAUST, node, "threads, in a loop without an end")
        return Value(ref=f"{ref}()", taints=unknown(*args).taints)
    return _common(run, ref, callee, args, keywords, node)


def _common(
    run: Interpreter, ref: str, callee: Value, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    if ref == "os.kill" and args and args[0].const == -1:
        run.do(Act.EXHAUST, node, "it ends all processes")
        return Value()
    if ref in ("os.kill", "os.killpg", "signal.pidfd_send_signal"):
        run.do(Act.KILL, node, "")
        return Value()
    if ref in ("os.setuid", "os.setgid", "os.seteuid"):
        run.do(Act.GAIN_RIGHTS, node, ref)
        return Value()
    if ref.startswith("sys._getframe") or ref in ("gc.get_objects", "gc.get_referrers"):
        walked = {run.taint(Datum.DECODED, node, ref)}
        if ref.startswith("gc."):
            walked.add(run.taint(Datum.WATCHED, node, "objects of other code"))
        return Value(ref="?", kind="walked", taints=frozenset(walked))
    if ref in ("json.load", "sys.stdin.read", "sys.stdin.readline", "sys.stdin.buffer.read"):
        if args and args[0].kind == "file":
            content = (args[0].attrs or {}).get("content", args[0])
            if isinstance(content.const, str) and len(content.const) < SETTINGS_CHARS_MAX:
                try:
                    return lift(json.loads(content.const), content.taints)
                except (ValueError, RecursionError):
                    return unknown(content)
            return unknown(content)
        if args and all_taints(args[0]):
            return unknown(args[0])
        return Value(taints=frozenset((run.taint(Datum.INPUT, node, "input"),)))
    if _LOG_HANDLERS.match(ref):
        run.logs_away = args[0].text() if args else "a log"
        run.do(Act.CONNECT, node, run.logs_away)
        return Value()
    if _PRINTS.match(ref):
        said = unknown(*(whole(run, each, node) for each in args))
        run.flow(said, Sink.OUTPUT, node, "output")
        if run.logs_away and not ref.startswith("sys."):
            run.do(Act.SEND, node, run.logs_away)
            run.flow(said, Sink.SEND, node, run.logs_away)
        return Value()
    if re.match(r"^crontab\.CronTab\(\)\.(?:new|write)$", ref):
        run.do(Act.PERSIST, node, "cron")
        return Value(ref=f"{ref}()")
    if ref == "os.path.exists" and args and _MARKS_OF_SANDBOXES.search(args[0].text()):
        return Value(kind="watched")
    if ref == "json.dump" and len(args) > 1:
        value = whole(run, args[0], node)
        if args[1].kind == "file" and args[1].attrs is not None:
            files.write(run, args[1].attrs.get("path", Value()), value, node)
        else:
            run.flow(value, Sink.OUTPUT, node, "its output")
        return Value()
    if ref.startswith("git.") and ref.endswith((".create_remote", ".set_url", ".add_url")):
        run.remotes.append(f"git remote add a {args[-1].text() if args else UNKNOWN}")
        return Value(ref=f"{ref}()")
    if ref.startswith("git.") and ref.endswith(".push") and run.remotes:
        return network.repository(run, node)
    if ref == "site.getsitepackages":
        return Value(items=[Value("/usr/lib/python3/site-packages")], kind="list")
    if ref == "site.getusersitepackages":
        return Value("~/.local/lib/python3/site-packages")
    if ref.startswith("tempfile.") and (made := files.temporary(ref, run.line(node))) is not None:
        return made
    if re.match(r"^(?:pip|pip\._internal|pip\._internal\.cli\.main)\.main$", ref):
        words = [each.text() for value in args for each in (value.items or [value])]
        return programs.start(run, "os.system", [Value("pip " + " ".join(words))], {}, node)
    if ref in ("sys.meta_path.insert", "sys.meta_path.append", "sys.path_hooks.append"):
        run.do(Act.TAMPER, node, ref)
        return Value()
    if ref in ("bytearray", "bytes") and args and isinstance(args[0].const, int):
        if args[0].const > MEMORY_BYTES:
            run.do(Act.EXHAUST, node, "memory, at once")
        return Value(kind=f"sized {args[0].const}")
    if ref in ("mmap.mmap",):
        protections = [*args[2:], *(keywords.get(k, Value()) for k in ("prot", "flags"))]
        runs = any(isinstance(each.const, int) and each.const & 4 for each in protections)
        runs |= any("PROT_EXEC" in each.ref for each in protections)
        if runs or any(each.kind == "executable" for each in protections):
            taint = run.taint(Datum.DECODED, node, "memory that becomes machine code")
            run.record.flow({taint}, Sink.LOAD_NATIVE, run.file, run.line(node), "mmap")
        return Value(ref="mmap.mmap()", taints=unknown(*args).taints)
    if ref == "os.memfd_create":
        taint = run.taint(Datum.DECODED, node, "a program without a file")
        return Value(taints=frozenset((taint,)))
    if ref in ("os.open",) and args:
        flags = " ".join(each.text() + each.ref + each.kind for each in args[1:2])
        return files.opened(run, args, "w" if _OPENS_TO_WRITE.search(flags) else "r", node)
    if ref in ("os.posix_fallocate", "os.ftruncate", "os.truncate"):
        if run.endless or any(_is_huge(each) for each in args[1:]):
            run.do(Act.EXHAUST, node, "the disk")
        return Value()
    if ref in ("os.write", "os.pwrite", "os.writev") and len(args) > 1:
        if args[0].kind == "file" and args[0].attrs is not None:
            files.write(run, args[0].attrs["path"], args[1], node)
        return Value()
    if ref in ("os.read", "os.pread") and args:
        return (args[0].attrs or {}).get("content", unknown(args[0]))
    if re.match(r"^(?:zipfile\.ZipFile|tarfile\.(?:open|TarFile(?:\.open)?))$", ref):
        opened = files.opened(run, args, "r", node) if args else Value()
        taints = all_taints(opened) | unknown(*args, *keywords.values()).taints
        target = keywords.get("fileobj") or (args[0] if args else None)
        return Value(ref=f"{ref}()", attrs={"path": target} if target else {}, taints=taints)
    if ref == "shutil.make_archive" and args:
        root = keywords.get("root_dir") or (args[2] if len(args) > 2 else Value())
        content = files.read(run, root, node)
        suffix = args[1].text() if len(args) > 1 else "zip"
        made = Value(f"{args[0].text()}.{suffix}", taints=all_taints(content))
        files.write(run, made, content, node)
        return made
    if re.match(r"^(?:zipfile|tarfile)\..*\.(?:extractall|extract|_extract_member)$", ref):
        if ref.startswith("tarfile") and "filter" not in keywords and "members" not in keywords:
            run.do(Act.UNPACK_ANYWHERE, node, "a tar archive")
        where = (keywords.get("path") or (args[0] if args else Value("."))).text()
        if callee.owner is not None and callee.owner.has(Datum.FETCHED) and where != UNKNOWN:
            run.record_written[where] = unknown(callee.owner)
            if place_written(f"{where}/x") is not Place.OWN:
                run.flow(callee.owner, Sink.WRITE_HOST_FILE, node, where)
        return Value()
    return None


_OPENS_TO_WRITE = re.compile(r"O_(?:WRONLY|RDWR|CREAT|APPEND|TRUNC)")


def _is_huge(value: Value) -> bool:
    return isinstance(value.const, int) and value.const > DISK_BYTES


def _path(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    name = ref.rpartition(".")[2]
    taints = unknown(*args).taints
    kind = "path" if ref.startswith("pathlib.") else ""
    if name == "home":
        return Value("~", kind="path")
    if name in ("cwd", "getcwd"):
        return Value(UNKNOWN, kind=kind)
    if name in ("join", "Path", "PurePath", "PosixPath"):
        text = ""
        for each in args:
            piece = each.text()
            text = piece if piece.startswith(("/", "~")) or not text else f"{text}/{piece}"
        return Value(text or ".", kind=kind, taints=taints)
    if not args:
        return None
    text = args[0].text()
    if name == "dirname":
        text = parent_of(text)
    elif name == "basename":
        text = text.rpartition("/")[2]
    elif name == "expandvars":
        text = text.replace("${HOME}", "~").replace("$HOME", "~")
    if text.startswith(UNKNOWN) and name == "files":
        return None
    return Value(text, kind=args[0].kind, taints=taints)


def _list(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    given = args[0] if args else Value(".")
    given = given.with_taints((run.taint(Datum.FOUND_NAMES, node, given.text()),))
    if "glob" in ref:
        found = files.listed(run, Value(given.const), node, given.text())
        if found.const is MISSING or not given.text().startswith(("/", "~")):
            found = Value(given.text().replace("*", UNKNOWN), kind="paths", taints=given.taints)
        return Value(found.const, kind="paths", taints=given.taints)
    if ref.endswith("listdir"):
        return Value(UNKNOWN, kind="names", taints=given.taints)
    if ref.endswith("walk"):
        top = Value(given.text(), taints=given.taints)
        inner = Value(UNKNOWN, kind="names", taints=given.taints)
        both = [top, Value(items=[inner], kind="list"), Value(items=[Value(UNKNOWN)], kind="list")]
        below = Value(f"{given.text()}/{UNKNOWN}", taints=given.taints)
        again = [below, *both[1:]]
        return Value(items=[Value(items=both, kind="tuple"), Value(items=again, kind="tuple")])
    return files.listed(run, given, node)


def _copy(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) > 1:
        content = files.read(run, args[0], node)
        files.write(run, args[1], content, node)
        if args[1].text().endswith("site-packages"):
            name = args[0].text().rpartition("/")[2]
            files.write(run, Value(f"{args[1].text()}/{name}"), content, node)
    return args[1] if len(args) > 1 else Value()


def _remove(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if args:
        files.remove(run, args[0], node, tree=ref.endswith("rmtree"))
    return Value()


def _make(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    mode = args[1].const if ref == "os.chmod" and len(args) > 1 else None
    made_up = any(isinstance(each, (ast.JoinedStr, ast.BinOp)) for each in ast.walk(node))
    if run.endless and "mk" in ref and made_up:
        run.do(Act.EXHAUST, node, "the disk, in a loop without an end")
    if isinstance(mode, int) and mode & 0o6000:
        run.do(Act.GAIN_RIGHTS, node, "setuid")
    return Value()


def _system(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    run.do(Act.READ_SYSTEM, node, ref)
    asked = [item for each in (*args, *keywords.values()) for item in each.items or [each]]
    if ref.endswith(".environ") or any(each.const == "environ" for each in asked):
        taint = run.taint(Datum.SECRET, node, "the environments of other programs")
        return Value(ref=f"{ref}()", taints=frozenset((taint,)))
    return Value(ref=f"{ref}()", taints=frozenset((run.taint(Datum.SYSTEM, node, ref),)))


def _watch(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    datum = Datum.SECRET if ref.startswith(("browser_", "keyring")) else Datum.WATCHED
    service = args[0] if args else Value()
    if ref.startswith("keyring") and service.is_const and not _OF_OTHERS.search(service.text()):
        datum = Datum.VARIABLE  # its own entry, by a name that is written there
    run.do(Act.READ_SECRET if datum is Datum.SECRET else Act.READ_SYSTEM, node, ref)
    return Value(taints=frozenset((run.taint(datum, node, ref),)))


def _keys(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    run.do(Act.WATCH_USER, node, ref)
    return Value(taints=frozenset((run.taint(Datum.WATCHED, node, ref),)))


def _library(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if ref in ("ctypes.CFUNCTYPE", "ctypes.cast"):
        if any(all_taints(each) for each in args):
            run.flow(unknown(*args), Sink.LOAD_NATIVE, node, ref)
        return Value(ref="ctypes.CFUNCTYPE()", taints=unknown(*args).taints)
    if ".PyRun_" in ref:
        taint = run.taint(Datum.DECODED, node, f"{ref} runs code past the interpreter")
        run.record.flow({taint}, Sink.RUN_CODE, run.file, run.line(node), ref)
    run.do(Act.LOAD_NATIVE, node, args[0].text() if args else ref)
    if args:
        run.flow(args[0], Sink.LOAD_NATIVE, node, args[0].text())
        written = run.record_written.get(args[0].text())
        if written is not None:
            run.flow(written, Sink.LOAD_NATIVE, node, args[0].text())
    return Value(ref=f"{ref}()")


def _native_call(run: Interpreter, ref: str, args: Args, node: ast.AST) -> Value | None:
    name = ref.rpartition(".")[2]
    if name in _SYSTEM_CALLS and "()" in ref:
        run.do(Act.GAIN_RIGHTS, node, f"{name} is called past the interpreter")
    if not _LIBRARY_CALLS.search(f".{name}") or ref.startswith("ctypes.util"):
        values = [each for each in args if isinstance(each.const, bytes) and len(each.const) > 16]
        if "memmove" in ref and values:
            taint = run.taint(Datum.DECODED, node, "bytes that become machine code")
            run.record.flow({taint}, Sink.LOAD_NATIVE, run.file, run.line(node), ref)
        return Value(ref=f"{ref}()", taints=unknown(*args).taints) if "(" in ref else None
    taint = run.taint(Datum.DECODED, node, f"{name} called past the interpreter")
    run.record.flow({taint}, Sink.RUN_PROGRAM, run.file, run.line(node), name)
    text = " ".join(each.text() for each in args if isinstance(each.const, (bytes, str)))
    if text:
        programs.start(run, "os.system", [Value(text)], {}, node)
    return Value()


def _reads(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    given = args[0] if args else Value()
    content = files.read(run, given, node)
    if ref == "fileinput.input" and "inplace" in keywords:
        files.write(run, given, content, node)
    return Value(ref=f"{ref}()", taints=all_taints(content) | all_taints(given))


def _clock(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    return Value(kind="clock", ref="")


def _date(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    known = bool(args) and all(each.is_const for each in args)
    return Value(kind="date" if known else "", taints=unknown(*args).taints)


def _registry(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    run.do(Act.PERSIST, node, "the registry")
    return Value()


def _debugged(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    return Value(kind="watched")


_TABLE = (
    (_PATHS, _path),
    (_LISTS, _list),
    (_COPIES, _copy),
    (_REMOVES, _remove),
    (_MAKES, _make),
    (_SYSTEM, _system),
    (_KEYS, _keys),
    (_WATCHES, _watch),
    (_LIBRARIES, _library),
    (_READS, _reads),
    (_CLOCKS, _clock),
    (_DATES, _date),
    (_WRITTEN_ELSEWHERE, _registry),
    (_DEBUG, _debugged),
)

NAMES_KEPT = 4096  # of a scan: a skill calls some hundred different names


@functools.lru_cache(NAMES_KEPT)
def _handler_of(ref: str) -> Callable[..., Value | None] | None:
    return next((handler for pattern, handler in _TABLE if pattern.match(ref)), None)


__all__ = ["call", "environment"]
