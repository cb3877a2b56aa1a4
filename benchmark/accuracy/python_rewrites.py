"""Rewrites of Python that change how code is written and not what it does.

Each takes the Python files of a skill and returns others, or None where there is nothing to change.
A file that doesn't parse stays as it is.
"""

from __future__ import annotations

import ast
import base64
import builtins
import random
from collections.abc import Callable

STRING_LEAST = 4  # shorter ones are separators and modes of opening
_KEPT = frozenset(dir(builtins)) | {"self", "cls", "__name__", "__file__"}

_DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Assign)

Sources = dict[str, str]
Rewrite = Callable[[Sources, random.Random], Sources | None]


def rename(sources: Sources, chance: random.Random) -> Sources | None:
    """Give every variable, parameter and function of a file another name."""
    trees = [tree for text in sources.values() if (tree := _tree(text)) is not None]
    known = {name for tree in trees for name in _used_elsewhere(tree)}
    return _each_tree(sources, lambda tree: _Renamer(tree, chance, known).visit(tree))


def alias_imports(sources: Sources, chance: random.Random) -> Sources | None:
    """Import everything under other names."""
    return _each_tree(sources, lambda tree: _Aliases(chance).rewrite(tree))


def encode_strings(sources: Sources, chance: random.Random) -> Sources | None:
    """Write texts as expressions that give the same text."""
    return _each_tree(sources, lambda tree: _Encoder(chance).visit(tree))


def move(sources: Sources, chance: random.Random) -> Sources | None:
    """Put all of the main file into a module beside it."""
    main = "scripts/main.py"
    tree = _tree(sources.get(main, "("))
    if tree is None:
        return None
    module = f"part{chance.randrange(1000)}"
    code = ast.unparse(ast.fix_missing_locations(_AsMain().visit(tree))) + "\n"
    return {**sources, main: f"import {module}\n", f"scripts/{module}.py": code}


def split(sources: Sources, chance: random.Random) -> Sources | None:
    """Put what the main file defines into a module, and leave there what it does."""
    main = "scripts/main.py"
    tree = _tree(sources.get(main, "("))
    if tree is None:
        return None
    moved = [node for node in tree.body if isinstance(node, _DEFINITIONS)]
    names = sorted({name for node in moved for name in _bound(node)})
    if not names or any(isinstance(node, ast.Assign) and _calls(node) for node in moved):
        return None
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    rest = [node for node in tree.body if node not in moved]
    module = f"part{chance.randrange(1000)}"
    loads = ast.ImportFrom(module, [ast.alias(name) for name in names], 0)
    after = next((i + 1 for i, node in enumerate(rest) if node in imports[-1:]), 0)
    rest.insert(after, loads)
    there, here = _written([*imports, *moved]), _written(rest)
    return {**sources, main: here, f"scripts/{module}.py": there}


def _written(body: list[ast.stmt]) -> str:
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, []))) + "\n"


def _each_tree(sources: Sources, change: Callable[[ast.Module], ast.AST]) -> Sources | None:
    changed = dict(sources)
    for path, text in sources.items():
        if (tree := _tree(text)) is not None:
            changed[path] = ast.unparse(ast.fix_missing_locations(change(tree))) + "\n"
    return changed if changed != sources else None


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    stores = (each for each in ast.walk(node) if isinstance(each, ast.Name))
    return {each.id for each in stores if isinstance(each.ctx, ast.Store)}


def _calls(node: ast.AST) -> bool:
    return any(isinstance(each, (ast.Call, ast.Attribute)) for each in ast.walk(node))


class _AsMain(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant("__main__") if node.id == "__name__" else node


def _used_elsewhere(tree: ast.Module) -> set[str]:
    """Return the names that other files, or callers with keywords, may know things by."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.keyword):
            names.add(node.arg or "")
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)  # what `getattr` and `__all__` name
    return names


class _Renamer(ast.NodeTransformer):
    def __init__(self, tree: ast.Module, chance: random.Random, known: set[str]) -> None:
        imported = {
            (alias.asname or alias.name).partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }
        names: list[str] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.append(node.id)
            elif isinstance(node, ast.arg):
                names.append(node.arg)
            elif isinstance(node, ast.FunctionDef):
                names.append(node.name)
        wanted = [each for each in dict.fromkeys(names) if each not in _KEPT | imported]
        self._new = {
            old: f"v{chance.randrange(10**6)}"
            for old in wanted
            if old not in known and not old.startswith("__")
        }

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._new.get(node.id, node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._new.get(node.arg, node.arg))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        # A method is reached through its object, by its name.
        if not node.args.args or node.args.args[0].arg != "self":
            node.name = self._new.get(node.name, node.name)
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        return ast.Global([self._new.get(name, name) for name in node.names])

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        return ast.Nonlocal([self._new.get(name, name) for name in node.names])


class _Aliases(ast.NodeTransformer):
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._new: dict[str, str] = {}

    def rewrite(self, tree: ast.Module) -> ast.AST:
        for node in ast.walk(tree):
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                continue
            for alias in node.names:
                if alias.name != "*" and ("." not in alias.name or alias.asname):
                    # What is imported twice keeps one name: it may be used before the second.
                    fresh = self._new.get(alias.asname or alias.name)
                    fresh = fresh or f"m{self._chance.randrange(10**6)}"
                    self._new[alias.asname or alias.name] = fresh
                    alias.asname = fresh
        return self.visit(tree)  # type: ignore[no-any-return]

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._new.get(node.id, node.id), node.ctx)


class _Encoder(ast.NodeTransformer):
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str) or len(node.value) < STRING_LEAST:
            return node
        forms = (_halves, _characters, _base64, _hexadecimal, _reversed)
        return ast.parse(self._chance.choice(forms)(node.value), mode="eval").body


def _halves(text: str) -> str:
    middle = len(text) // 2
    return f"{text[:middle]!r} + {text[middle:]!r}"


def _characters(text: str) -> str:
    return f"''.join(map(chr, {[ord(char) for char in text]}))"


def _base64(text: str) -> str:
    return f"__import__('base64').b64decode({base64.b64encode(text.encode())!r}).decode()"


def _hexadecimal(text: str) -> str:
    return f"bytes.fromhex({text.encode().hex()!r}).decode()"


def _reversed(text: str) -> str:
    return f"{text[::-1]!r}[::-1]"
