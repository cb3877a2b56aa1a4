"""From the files of a skill to everything they declare. Pure, bounded, and never raises.

A file counts by its name, wherever it lies: nothing in a skill says which manifest is used. What is
named like one and can't be read is reported as unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module

from skilllite_sandbox.policy import KIB, MIB
from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.supply.dependency import DEPENDENCIES_MAX, Declared, Unread
from skilllite_sandbox.supply.reading.file_names import is_requirements
from skilllite_sandbox.values import dataclass

MANIFEST_BYTES_MAX = 512 * KIB  # of one manifest; with hashes of a hundred packages it has 250
READ_BYTES_MAX = 8 * MIB  # of all files that are read for what they declare: a second's work
LOCK_BYTES_MAX = 2 * MIB  # of one lock
SAID_MAX = 256  # settings, hooks and unread files of one skill; findings are fewer anyway

UNFORESEEN = "unforeseen:"
_INSTALLERS = ("pip", "npm", "uv ", "yarn", "bun ", "poetry", "pdm")
_INLINE = "# /// script"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who reads a kind of file: imported when there is such a file, for most skills have none."""

    module: str
    function: str
    limit_bytes: int = MANIFEST_BYTES_MAX
    """Beyond it a file is not read; 0 for text that is read as far as it goes."""

    def __call__(self, source: SourceFile) -> Declared:
        read: Callable[[SourceFile], Declared] = getattr(
            import_module(f"{__name__}.{self.module}"), self.function
        )
        return read(source)


_NPM_LOCK = _Reader("npm_locks", "read_package_lock", LOCK_BYTES_MAX)
_NPMRC = _Reader("index_settings", "read_npmrc")
_PIP_CONF = _Reader("index_settings", "read_pip_conf")
_REQUIREMENTS = _Reader("pip_options", "read_requirements")
_VENDORED = _Reader("vendored", "read_vendored")
_CONDA = _Reader("pip_options", "read_conda")
_BY_NAME: dict[str, _Reader] = {
    "pyproject.toml": _Reader("python_manifests", "read_pyproject"),
    "setup.cfg": _Reader("python_manifests", "read_setup_cfg"),
    "setup.py": _Reader("python_manifests", "read_setup_py"),
    "pipfile": _Reader("python_manifests", "read_pipfile"),
    "pipfile.lock": _Reader("python_locks", "read_pipfile_lock", LOCK_BYTES_MAX),
    "poetry.lock": _Reader("python_locks", "read_poetry_lock", LOCK_BYTES_MAX),
    "pdm.lock": _Reader("python_locks", "read_pdm_lock", LOCK_BYTES_MAX),
    "uv.lock": _Reader("python_locks", "read_uv_lock", LOCK_BYTES_MAX),
    "package.json": _Reader("npm_manifest", "read_package_json"),
    "package-lock.json": _NPM_LOCK,
    "npm-shrinkwrap.json": _NPM_LOCK,
    ".package-lock.json": _NPM_LOCK,
    "binding.gyp": _Reader("npm_manifest", "read_binding"),
    ".pnpmfile.cjs": _Reader("npm_manifest", "read_install_code"),
    ".pnpmfile.mjs": _Reader("npm_manifest", "read_install_code"),
    "pnpmfile.js": _Reader("npm_manifest", "read_install_code"),
    "yarn.lock": _Reader("npm_locks", "read_yarn_lock", LOCK_BYTES_MAX),
    "pnpm-lock.yaml": _Reader("npm_locks", "read_pnpm_lock", LOCK_BYTES_MAX),
    ".npmrc": _NPMRC,
    ".yarnrc": _NPMRC,
    ".yarnrc.yml": _NPMRC,
    "pip.conf": _PIP_CONF,
    "pip.ini": _PIP_CONF,
    "uv.toml": _Reader("index_settings", "read_uv_toml"),
    "environment.yml": _CONDA,
    "environment.yaml": _CONDA,
}
_UNKNOWN_FORMATS = frozenset(
    {"bun.lock", "bun.lockb", "deno.lock", "pixi.toml", "pixi.lock", "conda-lock.yml"}
)
_PYLOCK = re.compile(r"pylock(?:\.[^/]*)?\.toml")


def read_declared(sources: Sequence[SourceFile]) -> Declared:
    """Return everything that the files of a skill declare."""
    declared, included = _includes(sources)
    left = READ_BYTES_MAX
    for source in sources:
        if source.path.rpartition("/")[2].lower() in _UNKNOWN_FORMATS:
            said = Unread(source.path, 0, "nothing here reads this format")
            declared = _bounded(declared + Declared(unread=(said,)))
        for reader in _readers(source, source.path in included):
            left -= len(source.data)
            if left < 0:
                why = (
                    f"more than {READ_BYTES_MAX // MIB} MiB declare packages; the rest is not read"
                )
                return _bounded(declared + Declared(unread=(Unread(source.path, 0, why),)))
            declared = _bounded(declared + _guarded(reader, source))
            if len(declared.dependencies) > DEPENDENCIES_MAX:
                return _cut(declared, source)
    return declared


def _includes(sources: Sequence[SourceFile]) -> tuple[Declared, frozenset[str]]:
    """Return what includes lead nowhere, and which files are included."""
    if not any(is_requirements(source.path) for source in sources):
        return Declared(), frozenset()
    from skilllite_sandbox.supply.reading import pip_options

    paths = {source.path for source in sources}
    missing = pip_options.missing_includes(sources, paths, is_requirements)
    return missing, frozenset(pip_options.included_files(sources, is_requirements))


def _readers(source: SourceFile, is_included: bool) -> list[_Reader]:
    name = source.path.rpartition("/")[2].lower()
    if "node_modules/" in source.path or "-info/" in source.path:
        from skilllite_sandbox.supply.reading.vendored import is_vendored

        if is_vendored(source.path):
            return [_VENDORED]
    readers = [_BY_NAME[name]] if name in _BY_NAME else []
    if _PYLOCK.fullmatch(name):
        readers.append(_Reader("python_locks", "read_pylock", LOCK_BYTES_MAX))
    if not readers and (is_included or is_requirements(source.path)):
        readers.append(_REQUIREMENTS)
    if source.language is Language.PYTHON and _INLINE in source.text:
        readers.append(_Reader("python_manifests", "read_inline", 0))
    is_page = source.language in (Language.MARKDOWN, Language.SHELL)
    if is_page and any(word in source.text for word in _INSTALLERS):
        readers.append(_Reader("prose", "read_commands", 0))
    if name == "skill.md":
        readers.append(_Reader("prose", "read_compatibility", 0))
    return readers


def _guarded(reader: _Reader, source: SourceFile) -> Declared:
    if reader.limit_bytes:
        if source.language is Language.BINARY:
            return Declared(unread=(Unread(source.path, 0, "it is no text"),))
        if source.cut or len(source.text) > reader.limit_bytes:
            why = f"it is larger than {reader.limit_bytes // KIB} KiB"
            return Declared(unread=(Unread(source.path, 0, why),))
    from configparser import Error as BadIni

    try:
        return reader(source)
    except (ValueError, SyntaxError, BadIni, RecursionError, MemoryError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        return Declared(unread=(Unread(source.path, 0, why),))
    except Exception as error:  # a mistake of ours must not leave a skill without a verdict
        return Declared(unread=(Unread(source.path, 0, f"{UNFORESEEN} {type(error).__name__}"),))


def _bounded(declared: Declared) -> Declared:
    return Declared(
        declared.dependencies,
        declared.settings[:SAID_MAX],
        declared.hooks[:SAID_MAX],
        declared.unread[:SAID_MAX],
    )


def _cut(declared: Declared, source: SourceFile) -> Declared:
    kept = declared.dependencies[:DEPENDENCIES_MAX]
    why = f"more than {DEPENDENCIES_MAX} packages are declared; the rest was not looked at"
    first = Unread(source.path, 0, why)
    return Declared(kept, declared.settings, declared.hooks, (first, *declared.unread))
