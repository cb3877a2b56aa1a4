"""The rest of the library: paths, the machine, native code, what outlives the run."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python.hosts import (
    descriptors,
    files,
    loading,
    network,
    output,
    packing,
    programs,
)
from skilllite_sandbox.scan.python.hosts.names import (
    environment,
    parent_of,
    variable,
)
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import MISSING, Value, all_taints, unknown

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
_MARKS_OF_SANDBOXES = re.compile(
    r"^/\.dockerenv$|^/run/\.containerenv$|^/sys/class/dmi|vbox|vmware|VBox|qemu|/cuckoo"
)
_OF_OTHERS = re.compile(
    r"chrome|safe storage|login|firefox|ssh|gnome|keychain|aws|github|system", re.IGNORECASE
)
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
    for give in (packing.call, output.call):
        if (made := give(run, ref, callee, args, keywords, node)) is not None:
            return made
    if "ctypes" in ref or "cffi" in ref:
        return _native_call(run, ref, args, node)
    exact = _EXACT.get(ref)
    return exact(run, ref, args, keywords, node) if exact is not None else None


def _variable(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    return variable(run, args[0], node, args[1] if len(args) > 1 else None) if args else None


def _redirect(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    if any(each.kind == "socket" for each in args):
        run.redirected = True
        return Value()
    return None


def _fork(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    run.forking.update(id(each) for each in run.active)
    if run.endless:
        run.do(Act.EXHAUST, node, "processes, in a loop without an end")
    return Value()


def _thread(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    if not run.endless:
        return None
    run.do(Act.EXHAUST, node, "threads, in a loop without an end")
    return Value(ref=f"{ref}()", taints=unknown(*args).taints)


def _kill(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if ref == "os.kill" and args and args[0].const == -1:
        run.do(Act.EXHAUST, node, "it ends all processes")
    else:
        run.do(Act.KILL, node, "")
    return Value()


def _rights(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    run.do(Act.GAIN_RIGHTS, node, ref)
    return Value()


def _frames(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    walked = {run.taint(Datum.DECODED, node, ref)}
    if ref.startswith("gc."):
        walked.add(run.taint(Datum.WATCHED, node, "objects of other code"))
    return Value(ref="?", kind="walked", taints=frozenset(walked))


def _cron(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    run.do(Act.PERSIST, node, "cron")
    return Value(ref=f"{ref}()")


def _exists(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    watched = bool(args) and _MARKS_OF_SANDBOXES.search(args[0].text()) is not None
    return Value(kind="watched") if watched else None


def _site_packages(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value:
    if ref == "site.getsitepackages":
        return Value(items=[Value("/usr/lib/python3/site-packages")], kind="list")
    return Value("~/.local/lib/python3/site-packages")


def _temporary(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    return files.temporary(ref, run.line(node))


def _pip(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    words = [each.text() for value in args for each in (value.items or [value])]
    return programs.start(run, "os.system", [Value("pip " + " ".join(words))], {}, node)


def _hook(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    run.do(Act.TAMPER, node, ref)
    return Value()


def _repository(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    if ref.endswith(".push"):
        return network.repository(run, node) if run.remotes else None
    run.remotes.append(f"git remote add a {args[-1].text() if args else UNKNOWN}")
    return Value(ref=f"{ref}()")


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
        both = [
            top,
            Value(items=[inner], kind="list"),
            Value(items=[Value(UNKNOWN, taints=given.taints)], kind="list"),
        ]
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
    (re.compile(r"^tempfile\."), _temporary),
    (re.compile(r"^sys\._getframe"), _frames),
    (re.compile(r"^crontab\.CronTab\(\)\.(?:new|write)$"), _cron),
    (re.compile(r"^(?:pip|pip\._internal|pip\._internal\.cli\.main)\.main$"), _pip),
    (re.compile(r"^git\..*\.(?:create_remote|set_url|add_url|push)$"), _repository),
)
_EXACT: dict[str, Callable[..., Value | None]] = {
    **descriptors.EXACT,
    **dict.fromkeys(("os.getenv", "posix.getenv", "environ.get"), _variable),
    "os.dup2": _redirect,
    **dict.fromkeys(("os.fork", "os.forkpty", "multiprocessing.Process().start"), _fork),
    **dict.fromkeys(("threading.Thread().start", "threading.Thread"), _thread),
    **dict.fromkeys(("os.kill", "os.killpg", "signal.pidfd_send_signal"), _kill),
    **dict.fromkeys(("os.setuid", "os.setgid", "os.seteuid"), _rights),
    **dict.fromkeys(("gc.get_objects", "gc.get_referrers"), _frames),
    "os.path.exists": _exists,
    **dict.fromkeys(("site.getsitepackages", "site.getusersitepackages"), _site_packages),
    **dict.fromkeys(
        ("sys.meta_path.insert", "sys.meta_path.append", "sys.path_hooks.append"), _hook
    ),
}

NAMES_KEPT = 4096  # of a scan: a skill calls some hundred different names


@functools.lru_cache(NAMES_KEPT)
def _handler_of(ref: str) -> Callable[..., Value | None] | None:
    return next((handler for pattern, handler in _TABLE if pattern.match(ref)), None)


__all__ = ["call", "environment"]
