"""From the files of a skill to everything they declare. Pure, bounded, and never raises.

A file counts by its name, wherever it lies: nothing in a skill says which manifest is used. What is
named like one and can't be read is reported as unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.supply.dependency import Declared, Dependency, Unread
from skilllite_sandbox.supply.reading import (
    index_settings,
    npm_locks,
    npm_manifest,
    pip_options,
    prose,
    python_locks,
    python_manifests,
    vendored,
)

DEPENDENCIES_MAX = 4096  # of one skill, transitive ones too; large applications lock 1,500

Reader = Callable[[SourceFile], Declared]

_BY_NAME: dict[str, Reader] = {
    "pyproject.toml": python_manifests.read_pyproject,
    "setup.cfg": python_manifests.read_setup_cfg,
    "setup.py": python_manifests.read_setup_py,
    "pipfile": python_manifests.read_pipfile,
    "pipfile.lock": python_locks.read_pipfile_lock,
    "poetry.lock": python_locks.read_poetry_lock,
    "uv.lock": python_locks.read_uv_lock,
    "package.json": npm_manifest.read_package_json,
    "package-lock.json": npm_locks.read_package_lock,
    "npm-shrinkwrap.json": npm_locks.read_package_lock,
    ".package-lock.json": npm_locks.read_package_lock,
    "yarn.lock": npm_locks.read_yarn_lock,
    "pnpm-lock.yaml": npm_locks.read_pnpm_lock,
    ".npmrc": index_settings.read_npmrc,
    ".yarnrc": index_settings.read_npmrc,
    ".yarnrc.yml": index_settings.read_npmrc,
    "pip.conf": index_settings.read_pip_conf,
    "pip.ini": index_settings.read_pip_conf,
    "uv.toml": index_settings.read_uv_toml,
}
_BY_PATTERN: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (re.compile(r"pylock(?:\.[^/]*)?\.toml"), python_locks.read_pylock),
    (
        re.compile(r"(?:[\w.-]*[-_.])?(?:requirements?|constraints?)(?:[-_.][\w.-]*)?\.(?:txt|in)"),
        pip_options.read_requirements,
    ),
)
_REQUIREMENTS_FOLDER = re.compile(r"(?:^|/)requirements?/[^/]+\.(?:txt|in)")


def read_declared(sources: Sequence[SourceFile]) -> Declared:
    """Return everything that the files of a skill declare."""
    texts = {source.path: source for source in sources}
    included = pip_options.included_files(sources, is_requirements)
    declared = Declared()
    for source in sources:
        for reader in _readers(source, source.path in included):
            declared += _guarded(reader, source)
            if len(declared.dependencies) > DEPENDENCIES_MAX:
                return _cut(declared, source)
    return declared + pip_options.missing_includes(sources, texts.keys(), is_requirements)


def is_requirements(path: str) -> bool:
    """Whether a file is named like a list of requirements for pip."""
    name = path.rpartition("/")[2].lower()
    return _BY_PATTERN[1][0].fullmatch(name) is not None or bool(
        _REQUIREMENTS_FOLDER.search(path.lower())
    )


def _readers(source: SourceFile, is_included: bool) -> list[Reader]:
    name = source.path.rpartition("/")[2].lower()
    if (by_name := vendored.reader_of(source.path)) is not None:
        return [by_name]
    readers = [_BY_NAME[name]] if name in _BY_NAME else []
    readers += [reader for pattern, reader in _BY_PATTERN if pattern.fullmatch(name)]
    if not readers and (is_included or is_requirements(source.path)):
        readers.append(pip_options.read_requirements)
    if source.language is Language.PYTHON:
        readers.append(python_manifests.read_inline)
    if source.language in (Language.MARKDOWN, Language.SHELL):
        readers.append(prose.read_commands)
    if name == "skill.md":
        readers.append(prose.read_compatibility)
    return readers


def _guarded(reader: Reader, source: SourceFile) -> Declared:
    if source.cut:
        return Declared(unread=(Unread(source.path, 0, "it is too large"),))
    if source.language is Language.BINARY:
        return Declared(unread=(Unread(source.path, 0, "it is no text"),))
    from configparser import Error as BadIni

    try:
        return reader(source)
    except (ValueError, SyntaxError, BadIni, RecursionError, MemoryError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        return Declared(unread=(Unread(source.path, 0, why),))


def _cut(declared: Declared, source: SourceFile) -> Declared:
    kept: tuple[Dependency, ...] = declared.dependencies[:DEPENDENCIES_MAX]
    why = f"more than {DEPENDENCIES_MAX} packages are declared; the rest was not looked at"
    return Declared(kept, declared.settings, declared.hooks, declared.unread) + Declared(
        unread=(Unread(source.path, 0, why),)
    )
