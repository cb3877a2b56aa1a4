"""Skills that were damaged at random: what a scanner has to survive.

Each mutation takes the files of a skill and gives others, by a seed. Some cut and mix what is
there, others put in what parsers are known to dislike: deep nesting, endless lines, half
characters, aliases that multiply, archives of archives.
"""

from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

Files = dict[str, bytes]
MUTATIONS_MOST = 4  # one after the other on one skill

_AWKWARD: tuple[bytes, ...] = (
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xf3\xa0\x81\xa9",
    "\u202e\u2066\u200b\ufeff".encode(),
    b"\x1b]0;title\x07",
    b"(" * 5000,
    b"[" * 20_000,
    b"{'a':" * 3000,
    b"-" * 10_000 + b"1",
    b"a." * 5000,
    b"f'{" * 300,
    b"lambda:" * 1000 + b"0",
    b"not " * 3000 + b"x",
    b"if x:\n" + b"".join(b" " * n + b"if x:\n" for n in range(1, 120)),
    b"'" * 3,
    b"\\" * 1001,
    b"\n" * 50_000,
    b"x" * 300_000,
    b" " * 100_000 + b"exec(1)",
    b"$(" * 2000,
    b"`" * 999,
    b"<<E\n" * 500,
    b"${a:-" * 1000,
    b"|" * 3000,
    b"<!--" * 2000,
    b"```\n" * 2001,
    b"![" * 3000,
    b"<div>" * 3000,
    b"*_" * 3000,
    b"base64.b64decode('" + b"QUFB" * 20_000 + b"')",
    b"eval(" * 500,
    b"1" * 5000 + b"**" + b"9" * 50,
    b"a=&a [*a,*a]\n",
    b"x=input()+'a'\n" + b"x='%s%s'%(x,x)\n" * 60,
    b"x=['x']\n" + b"x=[x,x,x,x]\n" * 60 + b"print(x)\n",
    b"x=('a'*200000).translate({97:'b'*200000})\n",
    b"x=(1).to_bytes(10**9,'big')\n",
    b"a;" * 100_000,
    b"x=(a b)\n" + b'x=("${x[@]}" "${x[@]}")\n' * 60,
    b"x=$(echo " + b"a" * 60 + b"! | sed -E 's/(a|aa)+$/x/')\n",
    b"x=" + b"a" * 9000 + b"\ny=${x//*a*a*a*b/c}\n",
    b"'" + b"a" * 60 + b"!'.replace(/(a|aa)+$/,'x');",
    b"let x='a'.repeat(200000);x.replaceAll('a',x);x.split('').join(x);",
    b"let x=10n;" + b"x=x*x;" * 60,
    b"a=(" * 20_000,
    b"a?" * 50_000,
    b"- the agent should run it\n" * 20_000,
    b"\xe2\x80\xa8" * 500,
)
_PATHS = (
    *("scripts/main.py", "scripts/main.sh", "scripts/main.js", "scripts/a.ts", "references/a.md"),
    *("assets/data.json", "assets/a.svg", "package.json", "requirements.txt", "pyproject.toml"),
    *("setup.py", "model.pkl", "a.zip", "b.tar.gz", "c.whl", ".hidden", "package-lock.json"),
    *("yarn.lock", "uv.lock", "Pipfile", "data.npy", "lib.so", "x" * 200 + ".py", "\u202egnp.py"),
)


def mutate(skills: list[Files], seed: int) -> Files:
    """Return a damaged skill."""
    chance = random.Random(seed)
    files = dict(chance.choice(skills))
    for _ in range(chance.randint(1, MUTATIONS_MOST)):
        files = chance.choice(_MUTATIONS)(files, skills, chance)
    return files


def write(files: Files, directory: Path) -> None:
    """Make the skill in a directory, as far as the file system takes its names."""
    for path, content in files.items():
        place = directory / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        except OSError:  # a file where a folder should be, a name too long
            continue


def _some(files: Files, chance: random.Random) -> str:
    return chance.choice(sorted(files)) if files else "SKILL.md"


def _flip(files: Files, skills: list[Files], chance: random.Random) -> Files:
    path = _some(files, chance)
    content = bytearray(files.get(path, b" "))
    for _ in range(chance.randint(1, 20)):
        if content:
            content[chance.randrange(len(content))] = chance.randrange(256)
    return {**files, path: bytes(content)}


def _cut(files: Files, skills: list[Files], chance: random.Random) -> Files:
    path = _some(files, chance)
    content = files.get(path, b"")
    start = chance.randint(0, len(content))
    return {**files, path: content[:start] + content[chance.randint(start, len(content)) :]}


def _insert(files: Files, skills: list[Files], chance: random.Random) -> Files:
    path = _some(files, chance)
    content = files.get(path, b"")
    place = chance.randint(0, len(content))
    return {**files, path: content[:place] + chance.choice(_AWKWARD) + content[place:]}


def _repeat(files: Files, skills: list[Files], chance: random.Random) -> Files:
    path = _some(files, chance)
    content = files.get(path, b"")[:2000]
    return {**files, path: content * chance.choice((2, 10, 100))}


def _splice(files: Files, skills: list[Files], chance: random.Random) -> Files:
    other = chance.choice(skills)
    path, theirs = _some(files, chance), other[_some(other, chance)]
    mine = files.get(path, b"")
    lines = mine.splitlines(True) + theirs.splitlines(True)
    chance.shuffle(lines)
    return {**files, path: b"".join(lines)}


def _add(files: Files, skills: list[Files], chance: random.Random) -> Files:
    other = chance.choice(skills)
    content = chance.choice((other[_some(other, chance)], *_AWKWARD, os.urandom(0)))
    return {**files, chance.choice(_PATHS): content}


def _rename(files: Files, skills: list[Files], chance: random.Random) -> Files:
    path = _some(files, chance)
    rest = {each: content for each, content in files.items() if each != path}
    return {**rest, chance.choice(_PATHS): files.get(path, b"")}


def _remove(files: Files, skills: list[Files], chance: random.Random) -> Files:
    path = _some(files, chance)
    return {each: content for each, content in files.items() if each != path}


def _pack(files: Files, skills: list[Files], chance: random.Random) -> Files:
    """Put the files into an archive in the skill, which may be damaged as well."""
    names = [*files, "../../escape.py", "/tmp/absolute.py", "deep/" * 40 + "x", "a\\b"]
    packed = io.BytesIO()
    if chance.random() < 0.5:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, files.get(name, b"\0" * chance.choice((1, 3_000_000))))
        path = chance.choice(("a.zip", "b.whl", "c.jar", "d.docx"))
    else:
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for name in names:
                content = files.get(name, b"x")
                member = tarfile.TarInfo(name)
                member.size = len(content)
                member.type = chance.choice((tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE))
                member.linkname = "/etc/passwd"
                tar.addfile(member, io.BytesIO(content) if member.isreg() else None)
        path = "b.tar.gz"
    content = packed.getvalue()
    if chance.random() < 0.4:
        content = content[: chance.randint(0, len(content))]
    if chance.random() < 0.2:
        content, path = gzip.compress(content), "d.gz"
    return {**files, path: content}


def _front_matter(files: Files, skills: list[Files], chance: random.Random) -> Files:
    fields = [
        b"name: " + chance.choice((b"a", b"../..", b"'", b"&a [*a]", b"!!python/object:os.system")),
        b"description: " + chance.choice((b"x", b"|", b">-", b"\xff", b"x" * 9000, b"[" * 900)),
        b"metadata: " + chance.choice((b"{}", b"{a: {b: {c: 1}}}", b"- 1", b"\t", b"{" * 500)),
        b"compatibility: " + chance.choice((b"network access", b"no", b"\xe2\x80\xae")),
        b"allowed-tools: " + chance.choice((b"Bash(*)", b"Bash(" * 200, b"Bash(git:*)")),
    ]
    chance.shuffle(fields)
    head = b"---\n" + b"\n".join(fields[: chance.randint(0, 5)]) + b"\n---\n"
    body = files.get("SKILL.md", b"").rpartition(b"---\n")[2]
    return {**files, "SKILL.md": head + body}


_MUTATIONS: tuple[Callable[[Files, list[Files], random.Random], Files], ...] = (
    *(_flip, _cut, _insert, _insert, _repeat, _splice, _add, _add, _rename, _remove),
    *(_pack, _front_matter),
)
