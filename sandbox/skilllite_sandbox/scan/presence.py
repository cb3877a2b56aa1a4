"""Files that do something by lying there: tools read them by their names, unasked.

Names decide here; what such a file says is for the engine of its language.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence

from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.scan.words import words

_ORDINARY_HIDDEN = words(
    """
    .gitignore .gitattributes .gitkeep .keep .editorconfig .nojekyll .prettierrc
    .prettierignore .prettierrc.json .eslintrc .eslintrc.json .eslintignore .npmignore
    .dockerignore .flake8 .pylintrc .markdownlint.json .markdownlint.yaml .yamllint .nvmrc
    .node-version .python-version .tool-versions .ruby-version .env.example .env.sample
    .env.template .clang-format .browserslistrc .stylelintrc .mailmap .ds_store .skillignore
    """
)
_ORDINARY_FOLDERS = frozenset((".github", ".gitlab", ".circleci"))

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
_NAMES: dict[str, tuple[Severity, str]] = {
    "sitecustomize.py": (_HIGH, "Python runs it at every start"),
    "usercustomize.py": (_HIGH, "Python runs it at every start"),
    "conftest.py": (_LOW, "pytest runs it"),
    ".npmrc": (_HIGH, "npm takes its registry and scripts from it"),
    ".yarnrc": (_HIGH, "yarn takes its registry from it"),
    ".yarnrc.yml": (_HIGH, "yarn takes its registry and plugins from it"),
    ".pnpmfile.cjs": (_HIGH, "pnpm runs it at every install"),
    ".pypirc": (_HIGH, "uploads take their address from it"),
    "pip.conf": (_HIGH, "pip takes its index from it"),
    "pip.ini": (_HIGH, "pip takes its index from it"),
    "uv.toml": (_MEDIUM, "uv takes its index from it"),
    ".condarc": (_HIGH, "conda takes its channels from it"),
    ".curlrc": (_HIGH, "curl takes options from it"),
    ".wgetrc": (_HIGH, "wget takes options from it"),
    ".netrc": (_HIGH, "clients take passwords from it"),
    ".gitconfig": (_HIGH, "git takes programs to run from it"),
    ".gitmodules": (_MEDIUM, "git fetches other repositories for it"),
    ".bashrc": (_HIGH, "shells run it"),
    ".bash_profile": (_HIGH, "shells run it"),
    ".bash_login": (_HIGH, "shells run it"),
    ".bash_logout": (_HIGH, "shells run it"),
    ".profile": (_HIGH, "shells run it"),
    ".zshrc": (_HIGH, "shells run it"),
    ".zshenv": (_HIGH, "shells run it"),
    ".zprofile": (_HIGH, "shells run it"),
    ".inputrc": (_HIGH, "shells bind keys from it"),
    ".vimrc": (_HIGH, "editors run it"),
    ".exrc": (_HIGH, "editors run it"),
    ".nvimrc": (_HIGH, "editors run it"),
    ".lvimrc": (_HIGH, "editors run it"),
    ".dir-locals.el": (_HIGH, "editors run it"),
    ".gdbinit": (_HIGH, "debuggers run it"),
    ".lldbinit": (_HIGH, "debuggers run it"),
    ".pythonrc": (_HIGH, "Python runs it"),
    ".pythonstartup": (_HIGH, "Python runs it"),
    ".envrc": (_HIGH, "direnv runs it"),
    ".autoenv": (_HIGH, "shells run it"),
    ".env": (_MEDIUM, "programs take variables from it"),
    ".cursorrules": (_HIGH, "agents take it for instructions"),
    ".clinerules": (_HIGH, "agents take it for instructions"),
    ".windsurfrules": (_HIGH, "agents take it for instructions"),
    ".goosehints": (_HIGH, "agents take it for instructions"),
    ".roorules": (_HIGH, "agents take it for instructions"),
    "claude.md": (_HIGH, "agents take it for instructions"),
    "claude.local.md": (_HIGH, "agents take it for instructions"),
    "agents.md": (_MEDIUM, "agents take it for instructions"),
    "gemini.md": (_HIGH, "agents take it for instructions"),
    "copilot-instructions.md": (_HIGH, "agents take it for instructions"),
    ".mcp.json": (_HIGH, "agents start the servers it names"),
    "mcp.json": (_MEDIUM, "agents may start the servers it names"),
    "autorun.inf": (_HIGH, "Windows runs what it names"),
    "desktop.ini": (_MEDIUM, "Windows shows the folder as it says"),
    ".htaccess": (_MEDIUM, "web servers take settings from it"),
    "makefile": (_LOW, "make runs it"),
    ".pre-commit-config.yaml": (_LOW, "pre-commit fetches and runs what it names"),
    ".ld.so.preload": (_HIGH, "the loader takes libraries from it"),
    ".xprofile": (_HIGH, "the desktop runs it"),
    ".xinitrc": (_HIGH, "the desktop runs it"),
}
_FOLDERS: dict[str, tuple[Severity, str]] = {
    ".claude": (_HIGH, "an agent's settings, hooks and commands"),
    ".cursor": (_HIGH, "an agent's rules and servers"),
    ".codex": (_HIGH, "an agent's settings"),
    ".gemini": (_HIGH, "an agent's settings"),
    ".windsurf": (_HIGH, "an agent's settings"),
    ".continue": (_HIGH, "an agent's settings"),
    ".openclaw": (_HIGH, "an agent's settings"),
    ".opencode": (_HIGH, "an agent's settings"),
    ".skilllite": (_HIGH, "settings of SkillLite"),
    ".agents": (_HIGH, "an agent's settings"),
    ".vscode": (_MEDIUM, "an editor's settings and tasks"),
    ".idea": (_MEDIUM, "an editor's settings"),
    ".devcontainer": (_HIGH, "an editor builds and starts it"),
    ".husky": (_HIGH, "hooks that git runs"),
    ".githooks": (_HIGH, "hooks that git runs"),
    ".config": (_HIGH, "programs' settings"),
    ".ssh": (_HIGH, "keys and settings of ssh"),
    ".gnupg": (_HIGH, "keys and settings of GnuPG"),
    ".aws": (_HIGH, "credentials and settings"),
    ".local": (_HIGH, "programs and libraries of a home"),
}
_RUNS_ON_OPENING = re.compile(r'"runOn"\s*:\s*"folderOpen"')
_PTH_CODE = re.compile(r"^import[ \t]", re.MULTILINE)
_FINDINGS_MAX = 200  # of this inspector; a folder of dot-files says nothing new after that
_COMMON_SHADOWS = words(
    """
    requests numpy pandas yaml six setuptools pip pkg_resources certifi urllib3
    """
)


def inspect_presence(sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    """Return the files that act or hide by their names."""
    found: list[Finding] = []
    packages = {_folder(each.path) for each in sources if each.path.endswith("/__init__.py")}
    told: set[str] = set()
    for source in sources:
        if len(found) >= _FINDINGS_MAX:
            break
        found.extend(_one(source, packages, told))
    return tuple(found)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _one(source: SourceFile, packages: set[str], told: set[str]) -> Iterator[Finding]:
    *folders, name = source.path.rpartition("!/")[2].lower().split("/")
    known = _NAMES.get(name)
    if name.startswith("makefile.") or name in ("gnumakefile", "justfile"):
        known = _NAMES["makefile"]
    for folder in folders:
        if folder in _FOLDERS and folder not in told:
            told.add(folder)
            severity, why = _FOLDERS[folder]
            yield make_finding("SL116", source.path, 0, why, severity=severity)
    if known is not None:
        yield make_finding("SL116", source.path, 0, known[1], severity=known[0])
    elif name.endswith(".pth") and source.language is not Language.BINARY:
        heavy = Severity.CRITICAL if _PTH_CODE.search(source.text) else _HIGH
        yield make_finding("SL116", source.path, 0, "Python reads it at start", severity=heavy)
    elif _hidden(name, folders) and ".git" not in folders:
        code = source.language not in (Language.OTHER_TEXT, Language.MARKDOWN)
        heavy = _HIGH if code or source.executable else _MEDIUM
        yield make_finding("SL107", source.path, 0, severity=heavy)
    if name == "tasks.json" and _RUNS_ON_OPENING.search(source.text):
        yield make_finding("SL116", source.path, 0, "it runs when the folder is opened")
    yield from _shadows(source, name, packages)


def _hidden(name: str, folders: list[str]) -> bool:
    if any(each.startswith(".") and each not in _ORDINARY_FOLDERS for each in folders):
        return True
    return name.startswith(".") and name not in _ORDINARY_HIDDEN


def _shadows(source: SourceFile, name: str, packages: set[str]) -> Iterator[Finding]:
    """Report modules that a script beside them would import instead of the real ones."""
    if source.language is not Language.PYTHON or name.startswith("__"):
        return
    module, _, suffix = name.partition(".")
    if suffix != "py" or _folder(source.path) in packages:
        return  # of a package, it is imported by another name
    if module in _SAFE_SHADOWS:
        return
    if module in sys.stdlib_module_names or module in _COMMON_SHADOWS:
        yield make_finding("SL117", source.path, 0, module)


# Names that programs of one file have, and that nothing imports in passing.
_SAFE_SHADOWS = frozenset(("calendar", "this", "test", "main", "statistics", "timeit", "trace"))
