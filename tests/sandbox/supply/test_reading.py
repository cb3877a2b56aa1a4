"""Every way in which a skill can ask for packages is read, with the line where it does."""

from __future__ import annotations

import hashlib
import json

import pytest

from skilllite_sandbox.scan.source import make_source
from skilllite_sandbox.supply import names
from skilllite_sandbox.supply.dependency import (
    DEPENDENCIES_MAX,
    Declared,
    Dependency,
    Leaves,
    Origin,
    Use,
)
from skilllite_sandbox.supply.reading import read_declared


def declared_in(**files: str) -> Declared:
    """Return what these files declare; `__` in a name stands for the dot, `___` for a slash."""
    sources = [
        make_source(name.replace("___", "/").replace("__", "."), text.encode())
        for name, text in files.items()
    ]
    return read_declared(sources)


def of_file(path: str, text: str) -> Declared:
    return read_declared([make_source(path, text.encode())])


def one(declared: Declared, name: str) -> Dependency:
    found = [each for each in declared.dependencies if each.name == name]
    assert found, [each.name for each in declared.dependencies]
    return found[0]


REQUIREMENTS = """\
# what it needs
Requests==2.31.0 \\
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
numpy >=1.20,<2 ; python_version < "3.12"
pandas
-i http://index.example.invalid/simple
--extra-index-url=https://other.example.invalid/simple
--trusted-host index.example.invalid
--find-links https://files.example.invalid/
-e git+https://code.example.invalid/a/b.git@main#egg=thing
tool @ https://files.example.invalid/tool-1.0.tar.gz
./local/part
../outside
"""


def test_requirements_are_read_with_their_lines() -> None:
    found = of_file("requirements.txt", REQUIREMENTS)

    assert one(found, "requests").version == "2.31.0"
    assert one(found, "requests").line == 2
    assert (one(found, "numpy").wanted, one(found, "numpy").pinning) == (">=1.20,<2", "ranged")
    assert (one(found, "pandas").line, one(found, "pandas").pinning) == (5, "unpinned")
    assert one(found, "thing").origin is Origin.GIT
    assert one(found, "tool").origin is Origin.URL
    assert [each.origin for each in found.dependencies if not each.name] == [
        Origin.INSIDE,
        Origin.PATH,
    ]
    assert not found.unread


def test_options_that_lead_away_from_the_index_are_read() -> None:
    found = of_file("requirements.txt", REQUIREMENTS).settings

    assert [(each.leaves, each.line) for each in found] == [
        (Leaves.OTHER_INDEX, 6),
        (Leaves.UNPROTECTED, 6),
        (Leaves.EXTRA_INDEX, 7),
        (Leaves.UNPROTECTED, 8),
        (Leaves.FILES, 9),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "-ihttps://i.example.invalid/s",
        "--index-url   https://i.example.invalid/s",
        '--index-url="https://i.example.invalid/s"',
        "-i \\\n  https://i.example.invalid/s",
    ],
)
def test_an_option_is_read_however_it_is_written(line: str) -> None:
    (setting,) = of_file("dev-requirements.txt", line).settings

    assert setting.leaves is Leaves.OTHER_INDEX
    assert setting.detail == "https://i.example.invalid/s"


def test_included_files_are_read_whatever_their_names() -> None:
    found = read_declared(
        [
            make_source("requirements.txt", b"-r deps/base.list\n-c limits\n"),
            make_source("deps/base.list", b"-r more\nflask\n"),
            make_source("deps/more", b"click==8.1.7\n"),
            make_source("limits", b"click<9\n"),
        ]
    )

    assert {each.name for each in found.dependencies} == {"flask", "click"}
    assert not found.unread


def test_an_include_that_leads_nowhere_or_out_is_unread() -> None:
    found = of_file("requirements.txt", "-r ../../etc/list\n-c https://x.example.invalid/c.txt\n")

    assert [each.line for each in found.unread] == [1, 2]


def test_files_that_include_each_other_end() -> None:
    sources = [
        make_source("requirements.txt", b"-r b.txt\n"),
        make_source("b.txt", b"-r requirements.txt\nflask\n"),
    ]

    assert one(read_declared(sources), "flask").file == "b.txt"


PYPROJECT = """\
[build-system]
requires = ["setuptools>=61"]
[project]
dependencies = ["httpx==0.27.0", "rich"]
[project.optional-dependencies]
extra = ["numpy>1"]
[dependency-groups]
dev = ["pytest", {include-group = "other"}]
[tool.uv.sources]
rich = { git = "https://code.example.invalid/rich" }
local = { path = "../local" }
own = { workspace = true }
[[tool.uv.index]]
url = "https://index.example.invalid/simple"
default = true
[[tool.uv.index]]
url = "http://more.example.invalid/simple"
[tool.poetry.dependencies]
python = "^3.11"
click = "8.1.7"
attrs = "^23"
lib = { git = "git@code.example.invalid:a/lib.git" }
[tool.poetry.group.dev.dependencies]
black = "*"
[[tool.poetry.source]]
url = "https://third.example.invalid/simple"
priority = "supplemental"
"""


def test_pyproject_is_read_in_all_its_dialects() -> None:
    found = of_file("pyproject.toml", PYPROJECT)

    assert one(found, "httpx").version == "0.27.0"
    assert one(found, "setuptools").use is Use.BUILD
    assert one(found, "numpy").use is Use.OPTIONAL
    assert one(found, "pytest").use is Use.DEVELOPMENT
    assert (one(found, "click").version, one(found, "attrs").wanted) == ("8.1.7", "^23")
    assert one(found, "black").use is Use.DEVELOPMENT
    origins = {each.name: each.origin for each in found.dependencies if each.address}
    assert origins == {"rich": Origin.GIT, "local": Origin.PATH, "lib": Origin.GIT}
    assert [each.leaves for each in found.settings] == [
        Leaves.OTHER_INDEX,
        Leaves.EXTRA_INDEX,
        Leaves.UNPROTECTED,
        Leaves.EXTRA_INDEX,
    ]


def test_setup_files_are_read_by_their_literals() -> None:
    found = declared_in(
        setup__py='deps = ["a==1"]\nsetup(install_requires=deps, extras_require={"x": ["b"]})\n',
        setup__cfg="[options]\ninstall_requires =\n  c>=2\n  d\n[options.extras_require]\ny = e\n",
    )

    assert [each.name for each in found.dependencies] == ["a", "b", "c", "d", "e"]


def test_pipfile_and_its_lock_are_read() -> None:
    lock = {
        "_meta": {"sources": [{"url": "https://i.example.invalid", "verify_ssl": False}]},
        "default": {"flask": {"version": "==3.0.0"}},
        "develop": {"thing": {"git": "https://code.example.invalid/thing.git"}},
    }
    found = read_declared(
        [
            make_source("Pipfile", b'[packages]\nflask = "*"\n[dev-packages]\npytest = "==8.0"\n'),
            make_source("Pipfile.lock", json.dumps(lock, indent=1).encode()),
        ]
    )

    locked = [each for each in found.dependencies if each.locked]
    assert [(each.name, each.version, each.origin) for each in locked] == [
        ("flask", "3.0.0", Origin.INDEX),
        ("thing", "", Origin.GIT),
    ]
    assert [each.pinning for each in found.dependencies if not each.locked] == [
        "unpinned",
        "pinned",
    ]
    assert [each.leaves for each in found.settings] == [Leaves.OTHER_INDEX, Leaves.UNPROTECTED]


UV_LOCK = """\
version = 1
[[package]]
name = "own"
source = { editable = "." }
[[package]]
name = "idna"
version = "3.7"
source = { registry = "https://index.example.invalid/simple" }
[[package]]
name = "odd"
version = "1.0"
source = { git = "https://code.example.invalid/odd?rev=abc" }
"""
POETRY_LOCK = """\
[[package]]
name = "idna"
version = "3.7"
[[package]]
name = "odd"
version = "1.0"
[package.source]
type = "git"
url = "https://code.example.invalid/odd"
"""
PYLOCK = """\
lock-version = "1.0"
[[packages]]
name = "idna"
version = "3.7"
[[packages]]
name = "odd"
version = "1.0"
vcs = { type = "git", url = "https://code.example.invalid/odd" }
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [("uv.lock", UV_LOCK), ("poetry.lock", POETRY_LOCK), ("pylock.toml", PYLOCK)],
)
def test_locks_of_python_give_every_package_its_version(path: str, text: str) -> None:
    found = of_file(path, text).dependencies

    assert [(each.name, each.version, each.origin, each.locked) for each in found] == [
        ("idna", "3.7", Origin.INDEX, True),
        ("odd", "1.0", Origin.GIT, True),
    ]


PACKAGE_JSON = """\
{
  "scripts": {"postinstall": "node x.js", "test": "jest"},
  "dependencies": {
    "left-pad": "1.3.0",
    "lodash": "^4.17.0",
    "any": "*",
    "repo": "github:a/b",
    "short": "a/b#main",
    "over-ssh": "git+ssh://git@code.example.invalid/a.git",
    "archive": "https://files.example.invalid/a.tgz",
    "beside": "file:../beside",
    "inside": "file:./inside",
    "react": "npm:not-react@1.0.0"
  },
  "devDependencies": {"jest": "29.0.0"},
  "overrides": {"foo@1": {"bar": "2.0.0"}, "baz": "git+https://code.example.invalid/baz.git"}
}
"""


def test_package_json_is_read() -> None:
    found = of_file("package.json", PACKAGE_JSON)

    assert (one(found, "left-pad").version, one(found, "left-pad").line) == ("1.3.0", 4)
    assert [one(found, name).pinning for name in ("lodash", "any")] == ["ranged", "unpinned"]
    origins = {each.name: each.origin.value for each in found.dependencies if each.address}
    assert origins == {
        **dict.fromkeys(("repo", "short", "over-ssh", "baz"), "git"),
        "archive": "url",
        "beside": "path",
        "inside": "inside",
    }
    assert one(found, "not-react").alias == "react"
    assert one(found, "jest").use is Use.DEVELOPMENT
    assert one(found, "bar").version == "2.0.0"
    assert [(each.name, each.command) for each in found.hooks] == [("postinstall", "node x.js")]


def test_package_locks_of_both_forms_are_read() -> None:
    new = {
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "skill"},
            "node_modules/a": {
                "version": "1.0.0",
                "resolved": "https://i.example.invalid/a/-/a-1.0.0.tgz",
            },
            "node_modules/a/node_modules/@s/b": {"version": "2.0.0"},
            "node_modules/c": {"version": "1.0.0", "resolved": "git+ssh://git@x.invalid/c.git#1"},
            "node_modules/d": {"version": "1.0.0", "resolved": "https://x.invalid/evil.tgz"},
        },
    }
    old = {"dependencies": {"a": {"version": "1.0.0", "dependencies": {"e": {"version": "3.0.0"}}}}}
    for document, expected in (
        (new, [("a", "index"), ("@s/b", "index"), ("c", "git"), ("d", "url")]),
        (old, [("a", "index"), ("e", "index")]),
    ):
        found = of_file("package-lock.json", json.dumps(document, indent=1))

        assert [(each.name, each.origin.value) for each in found.dependencies] == expected


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an index that counts as public."""
    host = "usual.example.invalid"
    digest = hashlib.sha256(host.encode()).hexdigest()[:32]
    monkeypatch.setattr(names, "_PUBLIC_HOSTS", frozenset({digest}))
    return f"https://{host}"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "-i {}/simple\n--extra-index-url {}/simple\n"),
        ("Pipfile", '[[source]]\nurl = "{}/simple"\nverify_ssl = true\n'),
        ("pyproject.toml", '[[tool.uv.index]]\nurl = "{}/simple"\n'),
        (".npmrc", "registry={}/\n"),
        ("uv.lock", '[[package]]\nname = "a"\nsource = {{ registry = "{}/simple" }}\n'),
        ("pylock.toml", '[[packages]]\nname = "a"\nindex = "{}/simple"\n'),
        ("poetry.lock", '[[package]]\nname = "a"\nsource = {{type = "legacy", url = "{}"}}\n'),
        ("Pipfile.lock", '{{"_meta": {{"sources": [{{"url": "{}/simple"}}]}}}}'),
    ],
)
def test_the_public_index_may_be_named_and_no_other(path: str, text: str, public: str) -> None:
    assert not of_file(path, text.replace("{}", public).format()).settings
    for other in ("https://other.example.invalid", public + ".evil.invalid", public + ":8443"):
        assert of_file(path, text.replace("{}", other).format()).settings, other


def test_the_public_index_without_protection_is_not_it(public: str) -> None:
    text = f"-i {public.replace('https', 'http')}/simple\n"

    assert [each.leaves for each in of_file("requirements.txt", text).settings] == [
        Leaves.OTHER_INDEX,
        Leaves.UNPROTECTED,
    ]


def test_a_host_that_only_one_package_comes_from_is_another_index(public: str) -> None:
    packages = {
        f"node_modules/p{number}": {
            "version": "1.0.0",
            "resolved": f"https://{'other' if number == 3 else 'usual'}.example.invalid"
            f"/p{number}/-/p{number}-1.0.0.tgz",
        }
        for number in range(5)
    }

    (setting,) = of_file("package-lock.json", json.dumps({"packages": packages})).settings

    assert setting.leaves is Leaves.EXTRA_INDEX
    assert setting.detail == "https://other.example.invalid for p3"


YARN_OLD = """\
# yarn lockfile v1


"@babel/core@^7.0.0", "@babel/core@^7.1.0":
  version "7.1.0"
  resolved "https://i.example.invalid/@babel/core/-/core-7.1.0.tgz#abc"
  dependencies:
    debug "^4.0.0"

debug@^4.0.0:
  version "4.3.4"
  resolved "https://codeload.example.invalid/x.git#1"
"""
YARN_NEW = """\
__metadata:
  version: 8

"@babel/core@npm:^7.0.0":
  version: 7.1.0
  resolution: "@babel/core@npm:7.1.0"
  dependencies:
    debug: "npm:^4.0.0"

"debug@https://code.example.invalid/debug.git":
  version: 4.3.4
  resolution: "debug@https://code.example.invalid/debug.git#commit=1"
"""
PNPM = """\
lockfileVersion: '9.0'

packages:

  '@babel/core@7.1.0':
    resolution: {integrity: sha512-x}

  debug@4.3.4(supports-color@8):
    resolution: {tarball: https://code.example.invalid/debug.git}

snapshots:

  other@1.0.0: {}
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [("yarn.lock", YARN_OLD), ("yarn.lock", YARN_NEW), ("pnpm-lock.yaml", PNPM)],
)
def test_locks_of_yarn_and_pnpm_are_read(path: str, text: str) -> None:
    found = of_file(path, text).dependencies

    assert (found[0].name, found[0].version, found[0].origin) == (
        "@babel/core",
        "7.1.0",
        Origin.INDEX,
    )
    assert [each.origin for each in found if each.name == "debug"][-1] is Origin.GIT
    assert {each.name for each in found} == {"@babel/core", "debug"}


def test_an_environment_of_conda_is_read_as_far_as_it_is_pips() -> None:
    text = (
        "channels:\n  - defaults\ndependencies:\n  - numpy=1.26\n  - pip:\n"
        "    - requests==2.31.0\n    - --extra-index-url https://i.example.invalid\n"
        "    - 'rich>=13'  # colours\n  - scipy\n"
    )

    found = of_file("environment.yml", text)

    assert [(each.name, each.line) for each in found.dependencies] == [("requests", 6), ("rich", 8)]
    assert [(each.leaves, each.line) for each in found.settings] == [(Leaves.EXTRA_INDEX, 7)]


def test_inline_metadata_of_a_script_is_read() -> None:
    script = (
        '#!/usr/bin/env python3\n# /// script\n# requires-python = ">=3.11"\n'
        '# dependencies = [\n#   "rich==13.0",\n# ]\n#\n# [[tool.uv.index]]\n'
        '# url = "https://i.example.invalid"\n# ///\nimport rich\n'
    )

    found = of_file("scripts/main.py", script)

    assert one(found, "rich").version == "13.0"
    assert [each.leaves for each in found.settings] == [Leaves.EXTRA_INDEX]


def test_lines_that_install_are_read_in_code_and_not_in_prose() -> None:
    page = """\
To pip install everything you need is easy; npm i nothing here.
Run `pip install "httpx[http2]>=0.27" rich` first.

```bash
python -m pip install --index-url https://i.example.invalid/simple thing==1.0 && echo done
npm install -g left-pad@1.3.0 @scope/tool
pip install git+https://code.example.invalid/a.git
pip install -r requirements.txt
npm ci
pip install <package>
```
"""
    found = of_file("README.md", page)

    assert [(each.name, each.line) for each in found.dependencies if each.name] == [
        ("httpx", 2),
        ("rich", 2),
        ("thing", 5),
        ("left-pad", 6),
        ("@scope/tool", 6),
    ]
    assert [each.origin for each in found.dependencies if not each.name] == [Origin.GIT]
    assert [each.leaves for each in found.settings] == [Leaves.OTHER_INDEX]


def test_compatibility_is_read() -> None:
    page = "---\nname: a\ndescription: b\ncompatibility: Python 3 with requests library\n---\n"

    assert one(of_file("SKILL.md", page), "requests").line == 4


@pytest.mark.parametrize(
    ("path", "text", "leaves"),
    [
        (".npmrc", "registry=https://i.example.invalid/\n", Leaves.OTHER_INDEX),
        (".npmrc", "@corp:registry=https://i.example.invalid/\n", Leaves.EXTRA_INDEX),
        (".npmrc", "strict-ssl=false\n", Leaves.UNPROTECTED),
        (".yarnrc.yml", 'npmRegistryServer: "https://i.example.invalid"\n', Leaves.OTHER_INDEX),
        ("pip.conf", "[global]\nindex-url = https://i.example.invalid\n", Leaves.OTHER_INDEX),
        ("pip.conf", "[global]\ntrusted-host =\n  i.example.invalid\n", Leaves.UNPROTECTED),
        ("uv.toml", '[[index]]\nurl = "https://i.example.invalid"\n', Leaves.EXTRA_INDEX),
    ],
)
def test_settings_of_installers_are_read(path: str, text: str, leaves: Leaves) -> None:
    (setting,) = of_file(f"scripts/{path}", text).settings

    assert setting.leaves is leaves


def test_a_package_that_is_brought_along_counts_as_itself_only() -> None:
    manifest = {"name": "a", "version": "1.0.0", "dependencies": {"b": "*"}}
    found = read_declared(
        [
            make_source("node_modules/a/package.json", json.dumps(manifest).encode()),
            make_source("lib/c-2.0.dist-info/METADATA", b"Name: C\nVersion: 2.0\n"),
        ]
    )

    assert [(each.name, each.version) for each in found.dependencies] == [
        ("a", "1.0.0"),
        ("c", "2.0"),
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", "{"),
        ("package.json", "[]"),
        ("package.json", '{"dependencies": []}'),
        ("package-lock.json", '{"a": ' + "[" * 5000 + "]" * 5000 + "}"),
        ("pyproject.toml", "[project"),
        ("pyproject.toml", '[project]\ndependencies = "requests"'),
        ("uv.lock", "a = " + "[" * 20_000),
        ("setup.py", "def"),
        ("setup.py", "(" * 3000),
        ("setup.cfg", "install_requires = a"),
        ("requirements.txt", "!!!"),
        ("requirements.txt", "a" * 30_000),
        ("requirements.txt", "\0binary"),
        ("pnpm-lock.yaml", "nothing"),
        ("main.py", "# /// script\n# dependencies = [\n"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_unread(path: str, text: str) -> None:
    assert of_file(path, text).unread


def test_a_file_larger_than_is_read_is_unread() -> None:
    cut = make_source("requirements.txt", b"flask\n", cut=True)

    assert read_declared([cut]).unread


def test_more_packages_than_a_skill_can_need_are_cut_off_and_said() -> None:
    text = "\n".join(f"package-{number}" for number in range(DEPENDENCIES_MAX + 10))

    found = of_file("requirements.txt", text)

    assert len(found.dependencies) == DEPENDENCIES_MAX
    assert found.unread


def test_a_line_of_pip_ends_where_pip_ends_it_even_inside_a_comment() -> None:
    for end in ("\x0b", "\x0c", "\x1c", "\x85", "\u2028"):
        found = of_file("requirements.txt", f"# harmless{end}evil-thing==1.0\npandas\n")

        assert [each.name for each in found.dependencies] == ["evil-thing", "pandas"]
        assert one(found, "pandas").line == 2


def test_every_option_of_a_line_of_pip_is_read_however_it_is_shortened() -> None:
    found = declared_in(
        requirements__txt="--pre -e git+https://code.example.invalid/a.git#egg=thing\n"
        "--no-index --extra-index https://other.example.invalid/\n"
        "--find=https://files.example.invalid/ --requirem more.lst\n"
        "--prefer-binary -c'lim its.lst'\n",
        more__lst="hidden-one\n",
    )

    assert one(found, "thing").origin is Origin.GIT
    assert one(found, "hidden-one").file == "more.lst"
    assert {each.leaves for each in found.settings} == {Leaves.EXTRA_INDEX, Leaves.FILES}
    assert [each.why for each in found.unread] == [
        "it includes lim its.lst, which is not in the skill"
    ]


def test_lists_that_a_manifest_keeps_elsewhere_are_read_or_said_to_be_unread() -> None:
    dynamic = "[tool.setuptools.dynamic]\nreadme = {file = ['README.md']}\ndependencies = {file = "
    for name, unread in (("requirements.txt", False), ("notes.txt", True)):
        for path, text in (
            ("setup.cfg", f"[options]\ninstall_requires = file: {name}\n"),
            ("pyproject.toml", f"{dynamic}['{name}']}}\n"),
            ("setup.py", f"setup(install_requires=open('{name}').read().split())\n"),
        ):
            found = of_file(path, text)

            assert not found.dependencies
            assert bool(found.unread) is unread, (path, name)


def test_dependencies_that_a_setup_script_computes_are_unread() -> None:
    for value in ("[chr(101)] + fetch()", "[chr(101)]", "[*fetch()]", "['a'] + more"):
        found = of_file("setup.py", f"setup(install_requires={value})\n")

        assert [each.why for each in found.unread] == [
            "its dependencies are computed, not written down"
        ]


def test_hatch_pdm_and_plugins_of_poetry_are_read() -> None:
    found = of_file(
        "pyproject.toml",
        "[tool.hatch.envs.a]\ndependencies = ['one']\nextra-dependencies = ['two']\n"
        "[tool.hatch.build.hooks.x]\ndependencies = ['three']\n"
        "[tool.pdm.dev-dependencies]\na = ['four']\n"
        "[tool.poetry.requires-plugins]\nfive = '*'\n",
    )

    assert {each.name for each in found.dependencies} == {"one", "two", "three", "four", "five"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[build-system]\nbuild-backend = 'b'\nbackend-path = ['.']\n"),
        ("pyproject.toml", "[tool.hatch.build.hooks.custom]\npath = 'b.py'\n"),
        ("binding.gyp", "{}"),
        (".pnpmfile.cjs", "x"),
        (".yarnrc.yml", "yarnPath: ./y.cjs\n"),
        ("package.json", '{"scripts": {"pnpm:devPreinstall": "x"}}'),
    ],
)
def test_code_of_the_skill_that_an_installer_runs_is_a_hook(path: str, text: str) -> None:
    assert len(of_file(path, text).hooks) == 1


def test_a_lock_that_fetches_files_from_elsewhere_than_its_index_is_told() -> None:
    away = 'url = "https://files.example.invalid/a-1.whl"'
    for path, text in (
        ("uv.lock", f'[[package]]\nname = "a"\nversion = "1"\nwheels = [{{{away}}}]\n'),
        ("uv.lock", f'[[package]]\nname = "a"\nversion = "1"\nsdist = {{{away}}}\n'),
        ("pdm.lock", f'[[package]]\nname = "a"\nversion = "1"\nfiles = [{{{away}}}]\n'),
        ("pylock.toml", f'[[packages]]\nname = "a"\nversion = "1"\n[[packages.wheels]]\n{away}\n'),
    ):
        found = of_file(path, text)

        assert one(found, "a").locked
        assert [each.detail for each in found.settings] == ["https://files.example.invalid for a"]


@pytest.mark.parametrize("path", ["bun.lock", "bun.lockb", "pixi.toml", "sub/deno.lock"])
def test_a_lock_in_a_format_that_nothing_here_reads_is_unread(path: str) -> None:
    assert [each.file for each in of_file(path, "x").unread] == [path]


def test_a_dot_among_overrides_is_the_package_around_it() -> None:
    found = of_file("package.json", '{"overrides": {"k": {".": "1.0.0"}}}')

    assert [(each.name, each.version) for each in found.dependencies] == [("k", "1.0.0")]
