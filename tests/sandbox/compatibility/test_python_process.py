"""How a Python program starts, speaks and ends: as under `python3 main.py`, to the last byte."""

from __future__ import annotations

import json

import pytest

from side_by_side import Ran, SideBySide

ENDINGS = {
    "by running out": "print('done')",
    "by sys.exit of a number": "import sys; print('x'); sys.exit(3)",
    "by sys.exit of nothing": "import sys; sys.exit()",
    "by sys.exit of None": "import sys; sys.exit(None)",
    "by sys.exit of True": "import sys; sys.exit(True)",
    "by sys.exit of text": "import sys; print('out'); sys.exit('nö: 世界')",
    "by sys.exit of an object": "import sys; sys.exit({'error': [1]})",
    "by sys.exit beyond a byte": "import sys; sys.exit(256 + 7)",
    "by sys.exit below zero": "import sys; sys.exit(-1)",
    "by SystemExit": "raise SystemExit(4)",
    "by SystemExit of two": "raise SystemExit(1, 2)",
    "by exit": "exit(5)",
    "by quit of text": "quit('bye')",
    "by os._exit": "import os; print('lost'); os._exit(6)",
    "by os._exit after a flush": "import os; print('kept', flush=True); os._exit(0)",
    "by an exception": "def f():\n    x = [1]\n    return x[5]\n\nf()",
    "by an exception in a chain": (
        "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('cause') from error"
    ),
    "by an exception within another": "try:\n    1 / 0\nfinally:\n    undefined",
    "by a group of exceptions": "raise ExceptionGroup('several', [ValueError(1), OSError(2, 'x')])",
    "by an exception with notes": "e = ValueError('x')\ne.add_note('see here')\nraise e",
    "by an exception of its own": "class Odd(Exception):\n    pass\n\nraise Odd('äöü')",
    "by an exception without text": "raise KeyError",
    "by an exception that can't be shown": (
        "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\n\nraise Odd"
    ),
    "by a syntax error": "print('never')\ndef f(:\n    pass",
    "by an indentation error": "if True:\nprint(1)",
    "by endless recursion": (
        "import sys\ndef f(n):\n    return f(n + 1)\n\ntry:\n    f(0)\n"
        "except RecursionError as e:\n    print(type(e).__name__, e)\n    sys.exit(9)"
    ),
    "by KeyboardInterrupt": "print('x')\nraise KeyboardInterrupt",
    "by interrupting itself": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('no')",
    "by an assertion": "assert 1 == 2, 'not equal'",
    "by GeneratorExit": "raise GeneratorExit",
    "with an exit handler": "import atexit\natexit.register(print, 'last')\nprint('first')",
    "with exit handlers in order": (
        "import atexit\nfor n in range(3):\n    atexit.register(print, n)\nraise SystemExit(2)"
    ),
    "with an exit handler that fails": (
        "import atexit\ndef f():\n    raise ValueError('late')\n\n"
        "atexit.register(print, 'still')\natexit.register(f)"
    ),
    "with an exit handler after an exception": (
        "import atexit\natexit.register(lambda: print('after'))\nraise ValueError('x')"
    ),
    "with a hook for exceptions": (
        "import sys\nsys.excepthook = lambda t, v, b: print('hook', t.__name__, v, b.tb_lineno)\n"
        "raise ValueError('x')"
    ),
    "with a hook that fails": (
        "import sys\ndef hook(t, v, b):\n    raise OSError('in the hook')\n\n"
        "sys.excepthook = hook\nraise ValueError('x')"
    ),
    "with a thread to wait for": (
        "import threading, time\n"
        "def f():\n    time.sleep(0.05)\n    print('thread')\n\n"
        "threading.Thread(target=f).start()\nprint('main')"
    ),
    "with a thread to wait for after an exception": (
        "import threading, time\n"
        "def f():\n    time.sleep(0.05)\n    print('thread', flush=True)\n\n"
        "threading.Thread(target=f).start()\nraise ValueError('main')"
    ),
    "with a daemon thread": (
        "import threading\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\nprint('main')"
    ),
    "with a pool that nobody shut down": (
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)\n"
        "pool.submit(print, 'in the pool', flush=True)\n"
    ),
    "with a thread that fails": (
        "import threading\ndef f():\n    raise ValueError('in a thread')\n\n"
        "t = threading.Thread(target=f, name='worker')\nt.start()\nt.join()\nprint('goes on')"
    ),
    "with a thread that exits": (
        "import sys, threading\nt = threading.Thread(target=sys.exit, args=(3,))\n"
        "t.start()\nt.join()\nprint('goes on')"
    ),
    "with a hook for threads": (
        "import threading\nthreading.excepthook = lambda a: print('hook', a.exc_value)\n"
        "t = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()"
    ),
    "with a destructor that fails": (
        "class A:\n    def __del__(self):\n        raise ValueError('gone')\n\na = A()\ndel a\n"
        "print('goes on')"
    ),
    "with a destructor at the very end": (
        "class A:\n    def __del__(self):\n        print('destroyed')\n\na = A()\nprint('end')"
    ),
    "with a coroutine nobody awaited": "async def f():\n    pass\n\nf()\nprint('x')",
    "with a closed stdout": "import sys\nprint('x')\nsys.stdout.close()",
    "with a stdout that breaks": "import os\nprint('lost')\nos.close(1)",
    "with a stdout that breaks before stderr": (
        "import os, sys\nos.close(1)\nprint('lost')\nsys.stderr.write('told')\nsys.exit(3)"
    ),
    "with a closed stdin": "import sys\nsys.stdin.close()\nprint('fine')",
    "with no stderr": "import sys\nsys.stderr = None\nraise ValueError('unseen')",
    "with a replaced stdout": (
        "import io, sys\nsys.stdout = io.StringIO()\nprint('kept away')\n"
        "sys.__stdout__.write('through')"
    ),
    "of a script without a last line end": "print('x')#",
    "of a script with a declared encoding": b"# -*- coding: latin-1 -*-\nprint('\xfc')".decode(
        "latin-1"
    ),
    "of a script with a byte order mark": "\N{BYTE ORDER MARK}print('x')",
    "of a script with a shebang": "#!/usr/bin/env python3\nprint('x')",
    "of a script with Windows line ends": "if True:\r\n    print('x')\r\n",
    "of an empty script": "",
    "by exec of itself with other names": (
        "import runpy, sys\nif len(sys.argv) == 1:\n    sys.argv.append('again')\n"
        "    runpy.run_path(__file__, run_name='__main__')\nelse:\n    print(__name__)"
    ),
}


@pytest.mark.parametrize("name", list(ENDINGS))
def test_a_script_ends_as_outside(both: SideBySide, name: str) -> None:
    both.compare("python", ENDINGS[name])


SAYINGS = {
    "print without a line end": "print('a', end='')",
    "both streams in turn": (
        "import sys\nfor n in range(3):\n    print(n)\n    print(-n, file=sys.stderr)"
    ),
    "bytes": "import sys\nsys.stdout.buffer.write('ü'.encode() + b'\\x00\\x7f')",
    "text, then bytes, then text": (
        "import sys\nprint('a', flush=True)\nsys.stdout.buffer.write(b'b\\n')\nprint('c')"
    ),
    "the descriptor itself": "import os\nos.write(1, b'direct')\nos.write(2, b'error')",
    "another file on the descriptor": "print('x', file=open(1, 'w', closefd=False))",
    "text of every kind": "print('äß 世界 🦉 \\u202e \\x1b[1m')",
    "text that can't be encoded": "print('\\ud800')",
    "text with smuggled bytes": "print(b'\\xff'.decode('utf-8', 'surrogateescape'), end='')",
    "stderr that can't be encoded": "import sys\nprint('\\ud800', file=sys.stderr)",
    "many arguments": "print(1, 2.5, None, [1], sep=' | ')",
    "a reconfigured stream": (
        "import sys\nsys.stdout.reconfigure(encoding='latin-1', newline='\\r\\n')\nprint('x')"
    ),
    "a warning": "import warnings\nwarnings.warn('careful')",
    "a warning about the past": "import warnings\nwarnings.warn('old', DeprecationWarning)",
    "a warning from a function": (
        "import warnings\ndef f():\n    warnings.warn('deep', stacklevel=2)\n\nf()\nf()"
    ),
    "a warning of an ignored kind": "import warnings\nwarnings.warn('x', ResourceWarning)",
    "a warning turned into an error": (
        "import warnings\nwarnings.simplefilter('error')\nwarnings.warn('x')"
    ),
    "a warning about syntax": "x = 1\nprint(x is 1, '\\d')",
    "a trace of an exception": "import traceback\ntry:\n    1 / 0\nexcept Exception:\n"
    "    traceback.print_exc()",
    "the last words of logging": "import logging\nlogging.warning('x')\nlogging.info('y')",
    "logging without any set-up": (
        "import logging\nlogging.getLogger('a').error('x', exc_info=ValueError('y'))"
    ),
    "a question": "print(repr(input('what? '))[:3])",
    "questions until the end": (
        "try:\n    while True:\n        print(len(input()))\nexcept EOFError as e:\n    print(e)"
    ),
    "what is left of a generator": "def g():\n    try:\n        yield 1\n    finally:\n"
    "        print('closed')\n\nit = g()\nnext(it)",
}


@pytest.mark.parametrize("name", list(SAYINGS))
def test_a_script_says_what_it_says_outside(both: SideBySide, name: str) -> None:
    both.compare("python", SAYINGS[name])


INPUTS = {
    "json.load": "import json, sys\nprint(json.load(sys.stdin))",
    "all at once": "import sys\nprint(sys.stdin.read())",
    "twice": "import sys\nprint(len(sys.stdin.read()), repr(sys.stdin.read()))",
    "by lines": "import sys\nprint([len(line) for line in sys.stdin])",
    "as bytes": "import sys\nprint(len(sys.stdin.buffer.read()))",
    "from the descriptor": "import os\nprint(os.read(0, 5))",
    "as a file of number 0": "print(open(0, encoding='utf-8').read())",
    "as /dev/stdin": "print(open('/dev/stdin', encoding='utf-8').read())",
    "character by character": "import sys\nprint([sys.stdin.read(1) for _ in range(5)])",
    "not at all": "print('x')",
    "by seeking": "import sys\ntry:\n    sys.stdin.seek(0)\nexcept OSError as e:\n    print(e)",
    "its properties": (
        "import os, stat, sys\ns = sys.stdin\n"
        "print(s.encoding, s.errors, s.isatty(), s.fileno(), s.name, s.mode, s.readable(),\n"
        "      s.seekable(), s.newlines, stat.S_ISFIFO(os.fstat(0).st_mode), type(s).__name__)"
    ),
    "with text of every kind": "import sys\nprint(ascii(sys.stdin.readline()))",
}


@pytest.mark.parametrize("name", list(INPUTS))
def test_a_script_reads_its_input_as_outside(both: SideBySide, name: str) -> None:
    ran = both.compare("python", INPUTS[name])

    assert ran.status == 0, ran.stderr


WORLDS = {
    "the names in it": "print(sorted(globals()))",
    "the kinds of its names": (
        "print({n: type(v).__name__ for n, v in sorted(globals().items())})"
    ),
    "its name and place": "import sys\nprint(__name__, __file__, sys.argv, __package__, __spec__)",
    "its annotations": "x: int = 1\nprint(__annotations__)",
    "annotations without any": "print(__annotations__)",
    "its own source": "import inspect, sys\nprint(inspect.getsource(sys.modules['__main__']))",
    "its main module": (
        "import __main__, sys\nprint(__main__.__dict__ is globals(), sys.modules['__main__'])"
    ),
    "its loader": "print(__loader__.get_filename(), len(__loader__.get_data(__file__)))",
    "the frames above it": "import inspect\nprint(len(inspect.stack()))",
    "the frame above it": "import sys\nprint(sys._getframe().f_back)",
    "the stack printed": "import traceback\ntraceback.print_stack()",
    "the stack dumped": "import faulthandler\nfaulthandler.dump_traceback()",
    "the stack in a thread": (
        "import threading, traceback\nt = threading.Thread(target=traceback.print_stack)\n"
        "t.start()\nt.join()"
    ),
    "its builtins": ("import builtins\nprint(sorted(vars(builtins)), __builtins__ is builtins)"),
    "its ways out": "print(exit, quit, type(exit).__name__)",
    "help": "help(len)",
    "its signal handlers": (
        "import signal\nprint({s.name: str(signal.getsignal(s)) for s in signal.valid_signals()\n"
        "       if isinstance(s, signal.Signals)}, signal.pthread_sigmask(0, []))"
    ),
    "its threads": "import threading\nprint(threading.enumerate() == [threading.main_thread()])",
    "its descriptors": (
        "import os\nfound = []\nfor fd in range(64):\n    try:\n        os.fstat(fd)\n"
        "        found.append(fd)\n    except OSError:\n        pass\n\nprint(found)"
    ),
    "its streams": (
        "import sys\nfor s in (sys.stdout, sys.stderr):\n"
        "    print(s.encoding, s.errors, s.isatty(), s.name, s.mode, s.line_buffering,\n"
        "          s.write_through, s.newlines, s.buffer.raw.closefd, type(s).__name__)"
    ),
    "its original streams": (
        "import sys\nprint(sys.stdout is sys.__stdout__, sys.stdin is sys.__stdin__)"
    ),
    "its hooks": (
        "import sys\nprint(sys.excepthook is sys.__excepthook__, sys.displayhook.__name__,\n"
        "      sys.gettrace(), sys.getprofile(), sys.unraisablehook is sys.__unraisablehook__)"
    ),
    "its limits of recursion and numbers": (
        "import sys\nprint(sys.getrecursionlimit(), sys.get_int_max_str_digits(),\n"
        "      sys.getswitchinterval())"
    ),
    "its encodings": (
        "import locale, sys\nprint(sys.getdefaultencoding(), sys.getfilesystemencoding(),\n"
        "      sys.getfilesystemencodeerrors(), locale.getpreferredencoding().lower(),\n"
        "      locale.setlocale(locale.LC_CTYPE))"
    ),
    "its encoding of files": "print(open('x', 'w').encoding.lower())",
    "its warning filters": "import warnings\nprint(warnings.filters)",
    "its collector": "import gc\nprint(gc.isenabled(), gc.get_threshold(), gc.get_debug())",
    "its import machinery": (
        "import sys\nprint([f for f in sys.meta_path if 'distutils' not in str(f)],\n"
        "      [h.__name__ for h in sys.path_hooks])"
    ),
    "its interpreter": (
        "import sys\nprint(sys.executable, sys.version, sys.prefix, sys.platlibdir, sys._git,\n"
        "      sys.api_version, sys.float_repr_style, sys.thread_info)"
    ),
    "its umask": "import os\nmask = os.umask(0)\nprint(oct(mask))",
    "its working directory": "import os\nprint(os.getcwd(), os.listdir(), os.access('.', os.W_OK))",
    "its environment": "import os\nprint(sorted(os.environ.items()))",
    "its home": "import os, pathlib\nprint(os.path.expanduser('~/x'), pathlib.Path.home())",
    "no controlling terminal": (
        "import os\ntry:\n    os.tcgetpgrp(0)\nexcept OSError as e:\n    print(e)"
    ),
    "no terminal": (
        "import os, shutil\nprint(shutil.get_terminal_size())\ntry:\n    os.get_terminal_size()\n"
        "except OSError as e:\n    print(e)"
    ),
    "an import from nowhere": "import sys\nprint(sys.path[0])\nimport numpyy",
    "the search path without packages of the host": (
        "import sys\nprint([p for p in sys.path if 'dist-packages' not in p])"
    ),
    "an attribute assigned to main": ("import __main__\n__main__.added = 5\nprint(added)"),
    "a name hidden by a file of its own": "import helper\nprint(helper.__file__, helper.X)",
    "a module of the library hidden by its own": "import queue\nprint(queue.X)",
}
FILES = {"scripts/helper.py": "X = 1\n", "scripts/queue.py": "X = 'own'\n"}


@pytest.mark.parametrize("name", list(WORLDS))
def test_a_script_finds_the_world_it_finds_outside(both: SideBySide, name: str) -> None:
    files = FILES if "its own" in name or "of its own" in name else {}
    both.compare("python", WORLDS[name], files=files)


def test_frames_above_a_script_name_no_path_of_the_host(both: SideBySide) -> None:
    skill = both.skill(
        "python",
        "import inspect, json\nprint(json.dumps([f.filename for f in inspect.stack()[1:]]))",
        {},
    )

    outcome = both.inside(skill)

    # Whatever runs a skill may be seen, but not where it lies outside.
    assert isinstance(outcome.output, list)
    named = [name for name in outcome.output if not name.startswith("<")]
    assert all(name.startswith(("/run/", "/usr/")) for name in named), named


FLAGS_OF_THE_SANDBOX = {
    "dont_write_bytecode": "the skill can't be written to",
    "ignore_environment": "the environment is the sandbox's own",
    "isolated": "implies the two above and the next",
    "no_site": "packages of the host are no part of a skill",
    "no_user_site": "there is no home with packages",
    "safe_path": "the folder of the script is put in front by the sandbox instead",
    "utf8_mode": "the same encodings, whatever the host's locales are",
}
"""Flags by which Python inside differs from Python outside, each with its reason."""


def test_only_the_named_flags_differ(both: SideBySide) -> None:
    skill = both.skill(
        "python",
        "import json, sys\nnames = [n for n in dir(sys.flags) if n[0] != '_' and n[:2] != 'n_']\n"
        "print(json.dumps({n: getattr(sys.flags, n) for n in names\n"
        "                  if isinstance(getattr(sys.flags, n), int)}))",
        {},
    )

    inside = both.inside(skill).output
    outside = json.loads(both.outside(skill).stdout)

    assert len(outside) > 15
    differing = {name for name in outside if inside[name] != outside[name]}
    assert differing <= set(FLAGS_OF_THE_SANDBOX)


@pytest.mark.parametrize(
    ("text", "said"),
    [("sys.exit(3)", ""), ("sys.exit('why')", "why\n"), ("raise ValueError('x')", "ValueError: x")],
)
def test_an_ending_is_what_it_says_and_not_only_the_same(
    both: SideBySide, text: str, said: str
) -> None:
    ran: Ran = both.compare("python", f"import sys\nprint('out')\n{text}")

    assert ran.stdout == "out\n"
    assert ran.status == (3 if "3" in text else 1)
    assert said in ran.stderr
