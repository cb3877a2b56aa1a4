"""Fetching a commit of a git repository and writing out one folder of it, with the system's git.

Git never checks anything out: no filter, hook, attribute, submodule or link of the repository comes
to bear. It fetches one commit into an empty bare repository, lists its tree, and gives the content
of files, which are written like those of any archive (unpacking.py). What the user has configured
is left out, as it can name programs: no system or global configuration, no templates, no helpers
for passwords. ssh alone works as the user has set it up.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from skilllite.errors import NotFound, Refused
from skilllite_sandbox.archive import remove_tree
from skilllite_sandbox.errors import InvalidSkill
from skilllite_sandbox.frontmatter import parse_front_matter
from skilllite_sandbox.manifest import SKILL_FILE, SKILL_FILE_BYTES_MAX
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.unpacking import Unpacker
from skilllite_sandbox.values import dataclass

FETCH_S_MAX = 300.0  # a large repository over a slow line
QUICK_S_MAX = 60.0  # what only reads what was fetched
REPOSITORY_BYTES_MAX = 512 * MIB  # one commit, packed; a skill has 256 MiB at most
FILE_BYTES_MAX = REPOSITORY_BYTES_MAX  # the kernel's bound, for what grows between two looks
LISTING_BYTES_MAX = 16 * MIB  # more than a hundred thousand paths
SAID_BYTES_MAX = 8 * 1024  # of what git has to say
MEMORY_BYTES_MAX = 4096 * MIB  # addresses of one process of git: a pack is mapped
PROCESSOR_S_MAX = 120  # of one process; unpacking 512 MiB takes some 20
_WATCH_FIRST_S = 0.001
_WATCH_EVERY_S = 0.05
_READ_BYTES = 256 * 1024

_FILE, _PROGRAM, _LINK, _SUBMODULE = "100644", "100755", "120000", "160000"
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_PASSED_ON = (
    *("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"),
    *("NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"),
)
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "core.attributesFile=/dev/null",
    "credential.helper=",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "transfer.fsckObjects=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "protocol.version=2",
)


@dataclass(frozen=True, slots=True)
class _Item:
    mode: str
    name: str
    """The object's."""
    path: str


class GitRepository:
    """One commit of one repository, in a folder that goes with it."""

    def __init__(self, url: str, folder: Path, *, say: Callable[[str], None]) -> None:
        """Take the address, and an existing folder that nobody else uses."""
        self._url = url
        self._say = say
        self._place = folder / "repository"
        self._empty = folder / "empty"
        self._output = folder / "output"
        self._commit = ""
        self._items: tuple[_Item, ...] = ()
        found = shutil.which("git", path="/usr/local/bin:/usr/bin:/bin")
        if found is None:
            raise Refused("git is not installed", hint="install git, or give a folder or a zip")
        self._git = found

    def __enter__(self) -> GitRepository:
        self._empty.mkdir(mode=0o700)
        self._output.mkdir(mode=0o700)
        self._run("init", "--quiet", "--bare", "--template=", os.fspath(self._place), here=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        remove_tree(self._place)
        remove_tree(self._empty)
        remove_tree(self._output)

    def fetch(self, ref: str) -> str:
        """Fetch one commit and return its name.

        Raises:
            NotFound: there is no such repository, or nothing of that name in it.
            Refused: it can't be had, takes too long, or is too large.
        """
        self._say(f"fetching {self._url}")
        said = self._watched(
            *("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"),
            *("--no-write-commit-graph", "--end-of-options", self._url, ref or "HEAD"),
        )
        if said is not None:
            raise self._not_fetched(ref, said)
        commit = (
            self._run("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}").decode().strip()
        )
        if not _COMMIT.fullmatch(commit):
            raise InvalidSkill(f"{ref or 'HEAD'} of {self._url} is not a commit")
        self._commit = commit
        self._items = tuple(self._listed())
        return commit

    def files(self) -> list[str]:
        """Return the paths of all files of the commit."""
        return [item.path for item in self._items]

    def skill_name(self, folder: str) -> str:
        """Return the name that the skill in a folder gives itself; empty when it gives none."""
        path = f"{folder}/{SKILL_FILE}" if folder else SKILL_FILE
        item = next((each for each in self._items if each.path == path), None)
        if item is None or item.mode not in (_FILE, _PROGRAM):
            return ""
        with _Objects(self._command("cat-file", "--batch"), self._environment()) as objects:
            content = b"".join(objects.content(item.name, SKILL_FILE_BYTES_MAX))
        try:
            name = parse_front_matter(content).fields.get("name", "")
        except InvalidSkill:
            return ""
        return name if isinstance(name, str) else ""

    def extract(self, folder: str, root: Path) -> None:
        """Write the files of one folder into an empty one.

        Raises:
            InvalidSkill: it holds a link, a submodule or what Git LFS keeps, or exceeds a bound.
        """
        prefix = f"{folder}/" if folder else ""
        wanted = [item for item in self._items if item.path.startswith(prefix)]
        for item in wanted:
            if item.mode not in (_FILE, _PROGRAM):
                what = {_LINK: "a symbolic link", _SUBMODULE: "a submodule"}.get(item.mode, "odd")
                raise InvalidSkill(
                    f"{item.path} is {what}",
                    cause="a skill holds regular files and folders only",
                    hint="the author can put the files themselves in its place",
                )
        unpacker = Unpacker(root)
        with _Objects(self._command("cat-file", "--batch"), self._environment()) as objects:
            for item in wanted:
                unpacker.add_file(
                    item.path[len(prefix) :],
                    _no_pointer(objects.content(item.name, REPOSITORY_BYTES_MAX), item.path),
                    executable=item.mode == _PROGRAM,
                )

    def _listed(self) -> Iterator[_Item]:
        listing = self._run("ls-tree", "-r", "-z", "--full-tree", self._commit)
        for line in listing.split(b"\0")[:-1]:
            facts, _, path = line.partition(b"\t")
            mode, _, name = facts.decode("ascii").split(" ")
            try:
                yield _Item(mode, name, path.decode("utf-8"))
            except UnicodeDecodeError:
                raise InvalidSkill(f"{self._url} holds a name that isn't UTF-8") from None

    def _run(self, *words: str, here: bool = True) -> bytes:
        """Return what a command gives that reads what was fetched."""
        ended, given, said = self._started(
            self._command(*words) if here else [self._git, *words],
            deadline_s=QUICK_S_MAX,
            size_bytes_max=LISTING_BYTES_MAX,
            watched=self._output,
        )
        if ended:
            raise Refused(f"git {words[0]} failed for {self._url}", cause=said or None)
        return given.read_bytes()

    def _watched(self, *words: str) -> str | None:
        """Run a command that writes; return what it said when it failed, None when it didn't."""
        ended, _, said = self._started(
            self._command(*words),
            deadline_s=FETCH_S_MAX,
            size_bytes_max=REPOSITORY_BYTES_MAX,
            watched=self._place,
        )
        return said if ended else None

    def _started(
        self, command: list[str], *, deadline_s: float, size_bytes_max: int, watched: Path
    ) -> tuple[int, Path, str]:
        """Run a command within bounds; return its status, where its output is, and what it said."""
        given, said = self._output / "given", self._output / "said"
        with given.open("wb") as results, said.open("wb") as errors:
            process = subprocess.Popen(
                command,
                env=self._environment(),
                cwd=self._empty,
                stdin=subprocess.DEVNULL,
                stdout=results,
                stderr=errors,
                start_new_session=True,
            )
            try:
                _bound(process)
                self._watch(process, deadline_s, size_bytes_max, watched)
            finally:
                _kill_group(process)
        words = said.read_bytes()[-SAID_BYTES_MAX:].decode("utf-8", "replace").strip()
        return process.returncode, given, words

    def _watch(
        self,
        process: subprocess.Popen[bytes],
        deadline_s: float,
        size_bytes_max: int,
        watched: Path,
    ) -> None:
        deadline = time.monotonic() + deadline_s
        pause_s = _WATCH_FIRST_S
        while not _has_ended(process):
            if time.monotonic() > deadline:
                raise Refused(f"{self._url} took longer than {deadline_s:.0f} s")
            self._check_size(watched, size_bytes_max)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _WATCH_EVERY_S)
        self._check_size(watched, size_bytes_max)

    def _check_size(self, watched: Path, size_bytes_max: int) -> None:
        if _size_bytes(watched) > size_bytes_max:
            raise Refused(
                f"{self._url} is larger than {size_bytes_max // MIB} MiB"
                if watched == self._place
                else f"{self._url} holds more files than {size_bytes_max // MIB} MiB can list",
                hint="clone it yourself, and add the folder of the skill",
            )

    def _command(self, *words: str) -> list[str]:
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        return [self._git, *settings, f"--git-dir={self._place}", *words]

    def _environment(self) -> dict[str, str]:
        protocol = "ssh" if "://" not in self._url else urlsplit(self._url).scheme
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": os.fspath(self._empty),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": protocol,
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "SSH_ASKPASS": "/bin/false",
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=20",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }
        passed_on = (*_PASSED_ON, "SSH_AUTH_SOCK") if protocol == "ssh" else _PASSED_ON
        environment |= {name: os.environ[name] for name in passed_on if name in os.environ}
        return environment

    def _not_fetched(self, ref: str, said: str) -> Exception:
        last = "\n".join(said.splitlines()[-3:])
        if "find remote ref" in said:
            return NotFound(f"there is no {ref or 'HEAD'} in {self._url}")
        if re.search(r"not found|does not exist|not appear to be a git repository", said):
            return NotFound(f"there is no repository at {self._url}", cause=last)
        if re.search(r"could not read Username|terminal prompts disabled", said):
            return NotFound(
                f"there is no public repository at {self._url}",
                hint="a private one can be had over ssh, or clone it and add the folder",
            )
        return Refused(
            f"{self._url} can't be fetched",
            cause=last or "git doesn't say why",
            hint="check the address and the connection; a folder or an archive needs neither",
        )


class _Objects:
    """The contents of objects, from one process of git."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command = command
        self._environment = environment

    def __enter__(self) -> _Objects:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _kill_group(self._process)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def content(self, name: str, limit_bytes: int) -> Iterator[bytes]:
        """Yield the content of an object; has to be read to its end before the next one."""
        sink, source = self._process.stdin, self._process.stdout
        assert sink is not None and source is not None
        sink.write(name.encode("ascii") + b"\n")
        sink.flush()
        words = source.readline(200).decode("ascii").split()
        if len(words) != 3 or words[1] != "blob" or int(words[2]) > limit_bytes:
            raise InvalidSkill(f"the repository lacks the object {name}, or it is too large")
        left = int(words[2])
        while left:
            chunk = source.read(min(left, _READ_BYTES))
            if not chunk:
                raise InvalidSkill(f"the repository lacks the object {name}")
            left -= len(chunk)
            yield chunk
        source.read(1)  # the newline behind it


def _no_pointer(chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    """Pass a content on, unless it only says where Git LFS would have the real one."""
    for number, chunk in enumerate(chunks):
        if number == 0 and chunk.startswith(_LFS_POINTER):
            raise InvalidSkill(
                f"{path} is kept by Git LFS, which isn't asked",
                hint="clone the repository with git lfs, and add the folder of the skill",
            )
        yield chunk


def _bound(process: subprocess.Popen[bytes]) -> None:
    """Bound a process and what it starts from now on: a pack can be made to burst as well."""
    bounds = (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_FSIZE, FILE_BYTES_MAX),
        (resource.RLIMIT_CPU, PROCESSOR_S_MAX),
        (resource.RLIMIT_CORE, 0),
    )
    for which, most in bounds:
        with suppress(OSError):  # it has ended already
            _, hard = resource.prlimit(process.pid, which)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(process.pid, which, (most, most))


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, options) is not None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started; git's helpers would go on without it."""
    with suppress(ProcessLookupError):
        # Before it is waited for: until then nobody else can have its number.
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _size_bytes(folder: Path) -> int:
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += Path(place, name).lstat().st_size
            except OSError:
                continue  # a temporary file that is gone
    return size
