"""The interpreter looking at itself: ast, inspect, traceback, warnings, gc, profiling, tests."""
import ast
import contextlib
import cProfile
import dis
import doctest
import gc
import inspect
import io
import json
import linecache
import pstats
import runpy
import sys
import timeit
import tokenize
import traceback
import tracemalloc
import types
import unittest
import warnings
import weakref
from pathlib import Path


def add(a: int, b: int = 2) -> int:
    """Add.

    >>> add(1)
    3
    """
    return a + b


facts = {
    "source": inspect.getsource(add).splitlines()[0],
    "signature": str(inspect.signature(add)),
    "module": inspect.getmodule(add).__name__,
    "file": Path(inspect.getfile(add)).name,
    "line": linecache.getline(__file__, 1).strip()[:20],
    "tree": ast.dump(ast.parse("x = 1 + f(y)")),
    "evaluated": ast.literal_eval("{'a': [1, (2,)]}"),
    "unparsed": ast.unparse(ast.parse("if a :  b( )")),
    "opcodes": [op.opname for op in dis.get_instructions(compile("a+1", "x", "eval"))][-2:],
    "tokens": len(list(tokenize.generate_tokens(io.StringIO("a = 1\n").readline))),
    "doc": __doc__[:15],
    "exec": eval("1 + 1", {"__builtins__": {}}),
}
try:
    add("a")
except TypeError:
    facts["traceback"] = traceback.format_exc().replace(__file__, "FILE")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    warnings.warn("old", DeprecationWarning, stacklevel=1)
facts["warned"] = [(str(w.message), w.lineno > 0) for w in caught]


class Node:
    pass


node = Node()
node.itself = node
reference = weakref.ref(node)
del node
gc.collect()
facts["collected"] = reference() is None
facts["gc"] = [gc.isenabled(), gc.get_threshold()]
tracemalloc.start()
kept = [bytes(1000) for _ in range(100)]
facts["traced"] = tracemalloc.get_traced_memory()[0] > 50_000
tracemalloc.stop()
profile = cProfile.Profile()
profile.runcall(add, 1)
facts["profiled"] = pstats.Stats(profile, stream=io.StringIO()).total_calls >= 1
facts["timed"] = timeit.timeit("pass", number=10) >= 0
facts["doctest"] = doctest.testmod().attempted


class Case(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(1), 3)


said = io.StringIO()
result = unittest.TextTestRunner(stream=said).run(unittest.defaultTestLoader.loadTestsFromTestCase(Case))
facts["unittest"] = [result.testsRun, result.wasSuccessful()]
Path("other.py").write_text("value = __name__ + '!'\n")
facts["run_path"] = runpy.run_path("other.py")["value"]
sys.path.insert(0, ".")
module = __import__("other")
facts["imported late"] = module.value
facts["made"] = types.ModuleType("m").__name__
facts["recursion"] = sys.getrecursionlimit()
with contextlib.redirect_stdout(io.StringIO()) as redirected:
    print("caught")
facts["redirected"] = redirected.getvalue()


def deep(n):
    return n and deep(n - 1)


sys.setrecursionlimit(20_000)
facts["deep"] = deep(15_000)
print(json.dumps(facts))
