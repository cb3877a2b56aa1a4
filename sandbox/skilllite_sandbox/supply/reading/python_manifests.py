"""What Python's manifests declare: pyproject, setup.cfg, setup.py, Pipfile, inline metadata."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.dependency import (
    DEPENDENCIES_MAX,
    Declared,
    Dependency,
    Ecosystem,
    Hook,
    IndexSetting,
    Leaves,
    Origin,
    Unread,
    Use,
)
from skilllite_sandbox.supply.names import (
    Place,
    leads_away,
    normal_name,
    origin_of,
    path_origin,
)
from skilllite_sandbox.supply.reading.file_names import is_requirements
from skilllite_sandbox.supply.reading.lines import (
    Lines,
    read_toml,
    table,
    tables,
    text_of,
    texts,
)
from skilllite_sandbox.supply.reading.pip_options import logical_lines, requirement_or_address

_INLINE_BLOCK = re.compile(
    r"^# /// script[ \t]*\n((?:#(?: [^\n]*)?\n)*?)# ///[ \t]*$", re.MULTILINE
)
_WRITTEN = (ast.List, ast.Tuple, ast.Dict, ast.Constant, ast.Load)
_SETUP_LISTS = {
    "install_requires": Use.RUN,
    "setup_requires": Use.BUILD,
    "tests_require": Use.DEVELOPMENT,
}


def read_pyproject(source: SourceFile) -> Declared:
    """Read pyproject.toml: PEP 621, dependency groups, build system, uv and poetry."""
    document = read_toml(source.text)
    reading = _Reading(source)
    project = table(document, "project")
    reading.requirements(project.get("dependencies"), Use.RUN)
    for group in table(project, "optional-dependencies").values():
        reading.requirements(group, Use.OPTIONAL)
    for group in table(document, "dependency-groups").values():
        reading.requirements(texts(group), Use.DEVELOPMENT)
    reading.build(table(document, "build-system"))
    dynamic = table(document, "tool", "setuptools", "dynamic")
    extras = table(dynamic, "optional-dependencies").values()
    for said in (dynamic.get("dependencies"), *extras):
        for file in _said_files(table(said).get("file")):
            reading.included(file)
    reading.hatch(table(document, "tool", "hatch"))
    for group in table(document, "tool", "pdm", "dev-dependencies").values():
        reading.requirements(group, Use.DEVELOPMENT)
    reading.uv(table(document, "tool", "uv"))
    reading.poetry(table(document, "tool", "poetry"))
    reading.pdm(tables(table(document, "tool", "pdm").get("source")))
    return reading.declared()


def read_inline(source: SourceFile) -> Declared:
    """Read the `# /// script` block of a Python file."""
    if "# /// script" not in source.text:
        return Declared()
    match = _INLINE_BLOCK.search(source.text)
    if match is None:
        why = "its `# /// script` block does not end"
        return Declared(unread=(Unread(source.path, 0, why),))
    document = read_toml("\n".join(line[2:] for line in match[1].splitlines()))
    reading = _Reading(source)
    reading.requirements(document.get("dependencies"), Use.RUN)
    reading.uv(table(document, "tool", "uv"))
    return reading.declared()


def read_setup_cfg(source: SourceFile) -> Declared:
    """Read setup.cfg."""
    import configparser

    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(source.text)
    reading = _Reading(source)
    if parser.has_section("options"):
        for key, use in _SETUP_LISTS.items():
            reading.setup_cfg(parser.get("options", key, fallback=""), use)
        for link in parser.get("options", "dependency_links", fallback="").split():
            reading.leads_to(Leaves.FILES, link)
    if parser.has_section("options.extras_require"):
        for _, value in parser.items("options.extras_require"):
            reading.setup_cfg(value, Use.OPTIONAL)
    if parser.has_section("easy_install"):
        for key in ("index_url", "index-url"):
            if address := parser.get("easy_install", key, fallback=""):
                reading.leads_to(Leaves.OTHER_INDEX, address)
    return reading.declared()


def read_setup_py(source: SourceFile) -> Declared:
    """Read the literal lists of setup.py; whatever else it does is another engine's to say."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the author's style
        tree = ast.parse(source.text)
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    reading = _Reading(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg is not None:
            value = node.value
            if isinstance(value, ast.Name):
                value = named.get(value.id, value)
            if node.arg in _SETUP_LISTS:
                reading.setup_py(value, _SETUP_LISTS[node.arg])
            elif node.arg == "extras_require":
                reading.setup_py(value, Use.OPTIONAL)
            elif node.arg == "dependency_links":
                for link in _literals(value):
                    reading.leads_to(Leaves.FILES, link)
    return reading.declared()


def read_pipfile(source: SourceFile) -> Declared:
    """Read a Pipfile."""
    document = read_toml(source.text)
    reading = _Reading(source)
    for each in tables(document.get("source")):
        reading.source(text_of(each, "url"), Leaves.OTHER_INDEX, each.get("verify_ssl"))
    for key, value in document.items():
        if key not in ("source", "requires", "scripts", "pipenv"):
            use = Use.DEVELOPMENT if key == "dev-packages" else Use.RUN
            reading.rows(value, use)
    return reading.declared()


class _Reading:
    """Collects what one manifest declares."""

    def __init__(self, source: SourceFile) -> None:
        self._file = source.path
        self._folder = source.path.rpartition("/")[0]
        self._lines = Lines(source.text)
        self._dependencies: list[Dependency] = []
        self._settings: list[IndexSetting] = []
        self._unread: list[Unread] = []
        self._hooks: list[Hook] = []

    def declared(self) -> Declared:
        return Declared(
            tuple(self._dependencies),
            tuple(self._settings),
            tuple(self._hooks),
            tuple(self._unread[:1]),
        )

    def build(self, system: dict[str, Any]) -> None:
        """Read `[build-system]`; a backend inside the project runs when it is installed."""
        self.requirements(system.get("requires"), Use.BUILD)
        if system.get("backend-path"):
            line = self._lines.of("backend-path")
            backend = text_of(system, "build-backend")
            self._hooks.append(Hook("build-backend", backend, self._file, line))

    def hatch(self, hatch: dict[str, Any]) -> None:
        """Read `[tool.hatch]`: environments, and hooks of the build."""
        for environment in table(hatch, "envs").values():
            for key in ("dependencies", "extra-dependencies"):
                self.requirements(table(environment).get(key), Use.DEVELOPMENT)
        hooks = table(hatch, "build", "hooks")
        for said in hooks.values():
            self.requirements(table(said).get("dependencies"), Use.BUILD)
        if "custom" in hooks:
            path = text_of(table(hooks, "custom"), "path") or "hatch_build.py"
            self._hooks.append(Hook("build hook", path, self._file, self._lines.of("path")))

    def included(self, file: str) -> None:
        """Note a file that holds requirements; one of the usual name is read anyway."""
        if not is_requirements(file):
            why = f"its dependencies are in {file}, which is not named like a list of requirements"
            self._unread.append(Unread(self._file, 0, why))

    def setup_cfg(self, value: str, use: Use) -> None:
        """Read a list of setup.cfg, or which file has it."""
        if value.strip().startswith("file:"):
            for file in value.strip()[len("file:") :].split(","):
                self.included(file.strip())
        else:
            self.requirements(value.splitlines(), use)

    def setup_py(self, value: ast.expr, use: Use) -> None:
        """Read a list of setup.py; one that is computed only when it is from a list of pip."""
        words = _literals(value)
        if all(isinstance(each, _WRITTEN) for each in ast.walk(value)):
            self.requirements(words, use)
        elif not any(is_requirements(word) for word in words):
            why = "its dependencies are computed, not written down"
            self._unread.append(Unread(self._file, value.lineno, why))

    def requirements(self, value: object, use: Use) -> None:
        """Read a list of requirements."""
        if value is not None and not isinstance(value, list):
            self._unread.append(Unread(self._file, 0, "its dependencies are no list"))
        for text in texts(value)[: DEPENDENCIES_MAX + 1]:
            line = self._lines.of(text)
            for bare in (bare for _, bare in logical_lines(text)):
                found = requirement_or_address(bare, Place(self._file, line, use))
                if found is None:
                    why = "this is no requirement"
                    self._unread.append(Unread(self._file, line, why))
                else:
                    self._dependencies.append(found)

    def rows(self, value: object, use: Use) -> None:
        """Read a table of names and versions, as poetry and pipenv write it."""
        if not isinstance(value, dict):
            return
        for name, said in value.items():
            if name == "python":
                continue
            for each in said if isinstance(said, list) else [said]:
                self._dependencies.append(self._row(name, each, use))

    def _row(self, name: str, said: object, use: Use) -> Dependency:
        line = self._lines.of(name)
        details = said if isinstance(said, dict) else {}
        wanted = said if isinstance(said, str) else text_of(details, "version")
        wanted = wanted.strip() if wanted.strip() != "*" else ""
        exact = re.fullmatch(r"=?=?\s*(\d[\w.+!-]*)", wanted)
        origin, address = self._address(details)
        if details.get("optional") is True:
            use = Use.OPTIONAL
        return Dependency(
            ecosystem=Ecosystem.PYPI,
            name=normal_name(Ecosystem.PYPI, name),
            wanted=wanted,
            version=exact[1] if exact and not origin_is_elsewhere(origin) else "",
            file=self._file,
            line=line,
            origin=origin,
            address=address,
            use=use,
            written=name,
        )

    def _address(self, details: dict[str, Any]) -> tuple[Origin, str]:
        for key in ("git", "hg", "svn", "bzr"):
            if address := text_of(details, key):
                return Origin.GIT, address
        for key in ("url", "file"):
            if address := text_of(details, key):
                is_remote = re.match(r"https?:", address) is not None
                return (Origin.URL if is_remote else origin_of(address)), address
        if path := text_of(details, "path"):
            return path_origin(path, self._folder), path
        if details.get("workspace") is True:
            return Origin.INSIDE, ""
        return Origin.INDEX, ""

    def source(self, url: str, leaves: Leaves, verified: object = True) -> None:
        """Read an index that the manifest names."""
        if url:
            self.leads_to(leaves, url)
        if verified is False:
            self.leads_to(Leaves.UNPROTECTED, url)

    def leads_to(self, leaves: Leaves, address: str) -> None:
        """Note a setting that leads away from the user's index."""
        line = self._lines.of(address)
        self._settings += leads_away(leaves, address, self._file, line)

    def uv(self, uv: dict[str, Any]) -> None:
        """Read `[tool.uv]`: sources, indexes, development dependencies."""
        for name, said in table(uv, "sources").items():
            for each in said if isinstance(said, list) else [said]:
                details = each if isinstance(each, dict) else {}
                origin, _ = self._address(details)
                if origin_is_elsewhere(origin):
                    self._dependencies.append(self._row(name, details, Use.RUN))
        for each in tables(uv.get("index")):
            is_default = each.get("default") is True
            leaves = Leaves.OTHER_INDEX if is_default else Leaves.EXTRA_INDEX
            self.source(text_of(each, "url"), leaves)
        for key, leaves in (
            ("index-url", Leaves.OTHER_INDEX),
            ("extra-index-url", Leaves.EXTRA_INDEX),
            ("find-links", Leaves.FILES),
            ("allow-insecure-host", Leaves.UNPROTECTED),
        ):
            said = uv.get(key)
            for address in [said] if isinstance(said, str) else texts(said):
                self.leads_to(leaves, address)
        self.uv_lists(uv)

    def uv_lists(self, uv: dict[str, Any]) -> None:
        """Read the lists of requirements below `[tool.uv]`."""
        for key in ("dev-dependencies", "constraint-dependencies", "override-dependencies"):
            self.requirements(uv.get(key), Use.DEVELOPMENT if key.startswith("dev") else Use.RUN)
        self.requirements(uv.get("build-constraint-dependencies"), Use.BUILD)

    def poetry(self, poetry: dict[str, Any]) -> None:
        """Read `[tool.poetry]`."""
        self.rows(poetry.get("dependencies"), Use.RUN)
        self.rows(poetry.get("dev-dependencies"), Use.DEVELOPMENT)
        self.rows(poetry.get("requires-plugins"), Use.BUILD)
        for name, group in table(poetry, "group").items():
            use = Use.RUN if name == "main" else Use.DEVELOPMENT
            self.rows(table(group, "dependencies"), use)
        for each in tables(poetry.get("source")):
            is_default = each.get("priority") in ("primary", "default", None)
            leaves = Leaves.OTHER_INDEX if is_default else Leaves.EXTRA_INDEX
            self.source(text_of(each, "url"), leaves)

    def pdm(self, sources: list[dict[str, Any]]) -> None:
        """Read `[[tool.pdm.source]]`."""
        for each in sources:
            self.source(text_of(each, "url"), Leaves.OTHER_INDEX, each.get("verify_ssl"))


def origin_is_elsewhere(origin: Origin) -> bool:
    """Whether the code comes from somewhere that is named, not from the index."""
    return origin is not Origin.INDEX


def _said_files(value: object) -> list[str]:
    return [value] if isinstance(value, str) else texts(value)


def _literals(node: ast.AST) -> list[str]:
    """Return every text that is written below a node, the keys of a dictionary left out."""
    below = node.values if isinstance(node, ast.Dict) else [node]
    return [
        each.value
        for one in below
        for each in ast.walk(one)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
