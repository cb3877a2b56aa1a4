"""What a language can do by itself: nothing a sandbox has to forbid, unless it reaches the host."""

from __future__ import annotations

from benchmark.security.attacks.variants import bash, node, obfuscated, plain
from benchmark.security.item import Item
from benchmark.security.judgement import EffectKind

IMPORT = Item(
    "dynamic-import",
    "Import os dynamically",
    EffectKind.FILE_WRITTEN,
    (
        plain("""
import importlib

found_module = []
attempt("import", lambda: found_module.append(importlib.import_module("os")))


def write():
    module = found_module[0]
    path = f"{facts['drop']}/{facts['marker']}"
    module.close(module.open(path, module.O_CREAT | module.O_WRONLY, 0o666))


attempt("write with it", write)
"""),
        obfuscated("""
def climb():
    for kind in ().__class__.__base__.__subclasses__():
        if kind.__name__ == "_wrap_close":
            return kind.__init__.__globals__
    raise NotImplementedError


def write(names):
    flags = names["O_CR" "EAT"] | names["O_WR" "ONLY"]
    names["close"](names["open"](f"{facts['drop']}/{facts['marker']}", flags, 0o666))


attempt("climb", lambda: write(climb()))
attempt("table", lambda: write(vars(__import__("sys").modules["".join(("o", "s"))])))
"""),
        node("""
const load = module.constructor._load || require;
await attempt('import', () => typeof load(['f', 's'].join('')));
const path = `${facts.drop}/${facts.marker}`;
await attempt('write with it', () => load('f' + 's').writeFileSync(path, ''));
"""),
    ),
    facts=("drop", "marker"),
    denials=frozenset({"ImportError", "ModuleNotFoundError"}),
)

EVAL = Item(
    "eval-exec",
    "eval and exec",
    EffectKind.FILE_READ,
    (
        plain("""
attempt("eval", lambda: eval("6 * 7"))
attempt("read by eval", lambda: eval("open(path).read()", {"path": facts["secret"]}))


def by_exec():
    names = {"path": facts["secret"]}
    exec("text = open(path).read()", names)
    return names["text"]


attempt("read by exec", by_exec)
"""),
        obfuscated("""
import base64
import codecs
import pickle
import zlib

rotated = codecs.decode("bcra(cngu).ernq()", "rot13")
attempt("rotated", lambda: eval(rotated, {"path": facts["secret"]}))
packed = zlib.compress(b"result.append(open(path).read())")
result = []
names = {"path": facts["secret"], "result": result}
attempt("packed", lambda: exec(zlib.decompress(packed), names))
attempt("kept", lambda: result[0] if result else need(result, "nothing"))


class Trap:
    def __reduce__(self):
        return eval, (f"open({facts['secret']!r}).read()",)


attempt("unpickled", lambda: pickle.loads(pickle.dumps(Trap())))
code = base64.b64decode("X19pbXBvcnRfXygnaW8nKS5vcGVuKHBhdGgpLnJlYWQoKQ==")
attempt("decoded", lambda: eval(compile(code, "x", "eval"), {"path": facts["secret"]}))
"""),
        node("""
const vm = require('vm');
await attempt('eval', () => eval('6 * 7'));
await attempt('read by eval', () => eval("fs.readFileSync(facts.secret, 'utf8')"));
const code = "fs.readFileSync(path, 'utf8')";
await attempt('function', () => new Function('fs', 'path', `return ${code}`)(fs, facts.secret));
await attempt('vm', () => vm.runInNewContext(code, {fs, path: facts.secret}));
"""),
        bash("""
fact secret
attempt eval eval 'echo $((6 * 7))'
attempt read eval 'cat "$secret"'
attempt decoded eval "$(printf '%b' '\\x63\\x61\\x74') \\"$secret\\""
"""),
    ),
    facts=("secret",),
)

BUILTINS = Item(
    "modify-builtins",
    "Modify builtins",
    EffectKind.FILE_WRITTEN,
    (
        plain("""
import builtins
import os
import sys
import threading

original = builtins.open


def patched(path, *rest):
    with original(f"{facts['drop']}/{facts['marker']}", "w") as file:
        file.write("patched")
    return original(path, *rest)


def poison():
    builtins.open = patched
    builtins.left_behind = True
    sys.modules["left_behind"] = sys
    os.environ["LEFT_BEHIND"] = "1"
    threading.Thread(target=threading.Event().wait, args=(60,), daemon=True).start()


attempt("patch", poison)
attempt("use", lambda: open(__file__).read(1))
"""),
        obfuscated("""
names = (lambda: 0).__globals__["__built" "ins__"]
names = names if isinstance(names, dict) else vars(names)
original = names["op" "en"]


def patched(path, *rest):
    original(f"{facts['drop']}/{facts['marker']}", "w").close()
    return original(path, *rest)


attempt("patch", lambda: names.update({"op" "en": patched, "left_behind": True}))
attempt("use", lambda: eval("op" "en(__file__)").read(1))
"""),
        node("""
const original = fs.readFileSync;
await attempt('patch', () => {
  Object.prototype.leftBehind = true;
  fs.readFileSync = (path, ...rest) => {
    fs.writeFileSync(`${facts.drop}/${facts.marker}`, 'patched');
    return original(path, ...rest);
  };
});
await attempt('use', () => fs.readFileSync(__filename, 'utf8').length);
delete Object.prototype.leftBehind;
"""),
        bash("""
fact drop
fact marker
patch() {
  echo() { builtin echo patched >"$drop/$marker"; }
  echo used
}
attempt patch patch
"""),
    ),
    facts=("drop", "marker"),
    aftermath=True,
)

AFTERMATH = """
import builtins
import json
import os
import sys
import tempfile
import threading

json.load(sys.stdin)
left = {
    "builtin": hasattr(builtins, "left_behind"),
    "open": type(open).__name__ != "builtin_function_or_method",
    "module": "left_behind" in sys.modules,
    "environment": "LEFT_BEHIND" in os.environ,
    "thread": threading.active_count() > 1,
}
print(json.dumps({"left": sorted(name for name in left if left[name])}))
"""
"""Run after the attack on builtins, where the next user of the same sandbox would be."""

ITEMS = (IMPORT, EVAL, BUILTINS)
