"""Data that calls functions while it is read: pickles, also inside of models and arrays.

Pickles are read by opcodes, never loaded. What a pickle may call is its imports: harmless ones
are those that only build values, dangerous ones start programs, make code, connect or read files.
"""

from __future__ import annotations

import pickletools
import re
import struct
from collections.abc import Iterator, Sequence

from skilllite_sandbox.policy import MIB
from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.formats import Format, format_of
from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.scan.words import words

OPCODES_MAX = 200_000  # of one file that are read; values of models stand in files beside it
STREAMS_MAX = 16  # pickles one after another in one file: old models have five

_NAMED = words("pkl pickle p pt pth ckpt bin joblib model sav dill cloudpickle npy dat data db")
_SURE = words("pkl pickle joblib pt pth ckpt dill cloudpickle")
_DANGEROUS_MODULES = words(
    """
    os posix nt subprocess sys builtins __builtin__ socket shutil pty commands runpy code codeop
    importlib imp ctypes _ctypes webbrowser http urllib requests httpx aiohttp smtplib ftplib
    asyncio multiprocessing threading pdb bdb timeit profile cProfile trace pip ensurepip venv
    zipimport
    pickle _pickle dill cloudpickle marshal types inspect gc signal tempfile pathlib io _io codecs
    platform operator _operator functools torch.hub torch.utils.cpp_extension numpy.testing
    numpy.f2py distutils setuptools xmlrpc telnetlib poplib imaplib ssl sqlite3 pkgutil pydoc
    doctest idlelib lib2to3 test logging.config site sysconfig nturl2path posixpath
    """
)
_HARMLESS_BUILTINS = words(
    """
    set frozenset list dict tuple int float complex bool str bytes bytearray slice range object
    Exception ValueError TypeError KeyError IndexError RuntimeError print len min max sum abs round
    """
)
_HARMLESS_OF_MODULE = {
    "builtins": _HARMLESS_BUILTINS,
    "__builtin__": _HARMLESS_BUILTINS | {"unicode", "long", "xrange"},
    "codecs": frozenset(("encode",)),
    "_codecs": frozenset(("encode",)),
    "pathlib": words("Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath"),
    "io": frozenset(("BytesIO", "StringIO")),
    "functools": frozenset(("partial",)),
    "operator": words("itemgetter"),
    "types": words("SimpleNamespace"),
}
_HARMLESS_MODULES = words(
    """
    collections datetime decimal fractions uuid copyreg copy_reg array enum re ipaddress numpy
    numpy.core.multiarray numpy.core.numeric numpy._core.multiarray numpy._core.numeric numpy.random
    numpy.random._pickle numpy.ma.core pandas scipy sklearn xgboost lightgbm torch._utils _codecs
    torch torch.nn torch.storage torch.serialization torch._tensor joblib.numpy_pickle
    joblib.numpy_pickle_utils dateutil pytz zoneinfo networkx spacy nltk catboost
    """
)
_DANGEROUS_OF_HARMLESS = re.compile(
    r"(?:^|\.)(?:load|loads|exec\w*|eval|system|popen|run|call|open|read_pickle|runstring|memmap"
    r"|fromfile|save|savetxt|compile|hub|download|query|import_module|get_data|urlopen)$"
)
_DAMAGED = (
    ValueError,
    LookupError,
    ArithmeticError,
    EOFError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
)
_TEXT_GLOBAL = re.compile(rb"(?:^|[\n(\]})dlapt0-9])c[\w.]{1,80}\n[\w.]{1,80}\n")
_PICKLE_STARTS = (b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5", b"(", b"c", b"]", b"}", b")", b"]q")


def inspect_pickles(sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    """Return what the pickles among these files would call."""
    found: list[Finding] = []
    for source in sources:
        if source.language is Language.BINARY or _suffix(source.path) in _SURE:
            found.extend(_one(source))
        elif source.data.endswith(b".") and _TEXT_GLOBAL.search(source.data) is not None:
            found.extend(_pickle(source, source.data, sure=False))
    return tuple(found)


def _suffix(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2].lower()


def _one(source: SourceFile) -> Iterator[Finding]:
    data, suffix = source.data, _suffix(source.path)
    if data.startswith(b"\x93NUMPY"):
        header = data[:10_240].partition(b"\n")[0]
        if b"'O'" in header or b"|O" in header:
            yield from _pickle(source, data[len(header) + 1 :], sure=True)
        return
    kind = format_of(data)
    if kind is Format.PICKLE:
        yield from _pickle(source, data, sure=True)
    elif kind is Format.UNKNOWN and suffix in _NAMED and data.startswith(_PICKLE_STARTS):
        yield from _pickle(source, data, sure=suffix in _SURE)
    elif kind is Format.UNKNOWN and suffix in _SURE and data.strip():
        if data[:1] == b"x" or suffix in ("joblib",):
            yield make_finding("SL133", source.path, 0, "it is compressed in a way not read here")
        elif suffix in ("pkl", "pickle", "joblib", "dill"):
            yield make_finding("SL133", source.path, 0)


def _pickle(source: SourceFile, data: bytes, *, sure: bool) -> Iterator[Finding]:
    names, whole = _imports(data)
    if not whole and not sure and not names:
        return  # not a pickle at all; the judge of contents says that it is unknown
    told: set[str] = set()
    for module, name in names:
        full = f"{module}.{name}"
        if full in told:
            continue
        told.add(full)
        danger = judge_import(module, name)
        if danger is Severity.CRITICAL:
            yield make_finding("SL131", source.path, 0, full)
        elif danger is Severity.HIGH:
            yield make_finding("SL132", source.path, 0, full)
        if len(told) >= 50:
            break
    if not whole and not source.cut:
        yield make_finding("SL133", source.path, 0)


def judge_import(module: str, name: str) -> Severity:
    """Return how much it weighs that a pickle may call this."""
    top = module.partition(".")[0]
    if name in _HARMLESS_OF_MODULE.get(module, ()):
        return Severity.INFO
    library = top in ("joblib", "numpy", "torch", "pandas", "scipy", "sklearn")
    if library and _DANGEROUS_OF_HARMLESS.search(name):
        return Severity.CRITICAL
    if module in _DANGEROUS_MODULES or top in _DANGEROUS_MODULES:
        return Severity.CRITICAL
    if "." in name:  # attributes of attributes: a way round lists of names
        return Severity.CRITICAL if _DANGEROUS_OF_HARMLESS.search(name) else Severity.HIGH
    if module in _HARMLESS_MODULES or top in _HARMLESS_MODULES:
        return Severity.INFO
    return Severity.HIGH


def _imports(data: bytes) -> tuple[list[tuple[str, str]], bool]:
    """Return what a pickle imports, and whether it could be read to its end."""
    found: list[tuple[str, str]] = []
    position, left = 0, [OPCODES_MAX]
    for _ in range(STREAMS_MAX):
        end = _one_stream(data, position, found, left)
        if end is None:
            return found, False
        position = end
        if position >= len(data) or not data.startswith(_PICKLE_STARTS[:4], position):
            return found, True
    return found, False


def _one_stream(
    data: bytes, position: int, found: list[tuple[str, str]], left: list[int]
) -> int | None:
    """Read one pickle; return where it ends, None when it doesn't."""
    strings: list[str] = []
    memo: dict[int, str] = {}
    last: str | None = None
    view = data[position : position + 2 * MIB]
    try:
        for opcode, argument, offset in pickletools.genops(view):
            left[0] -= 1
            if left[0] < 0:
                return None
            name = opcode.name
            if name in ("GLOBAL", "INST"):
                module, _, attribute = str(argument).partition(" ")
                found.append((module, attribute))
            elif name == "STACK_GLOBAL":
                pair = strings[-2:] if len(strings) >= 2 else ["?", "?"]
                found.append((pair[0], pair[1]))
            elif name in ("PUT", "BINPUT", "LONG_BINPUT") and last is not None:
                memo[int(argument or 0)] = last
            elif name == "MEMOIZE":
                memo[len(memo)] = last or ""
            elif name in ("GET", "BINGET", "LONG_BINGET"):
                strings.append(memo.get(int(argument or 0), "?"))
            elif name in ("EXT1", "EXT2", "EXT4"):
                found.append(("copyreg", "extension"))
            if (isinstance(argument, str) and "UNICODE" in name) or name.endswith("STRING"):
                last = str(argument)
                strings.append(last)
                strings = strings[-64:]
            elif name not in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "PROTO", "FRAME"):
                last = None
            if name == "STOP":
                return position + (offset or 0) + 1
    except _DAMAGED:
        return None
    return None


def dangerous_import(data: bytes) -> str:
    """Return the first dangerous thing that a pickle calls; empty when there is none."""
    for module, name in _imports(data)[0]:
        if judge_import(module, name) is Severity.CRITICAL:
            return f"{module}.{name}"
    return ""
