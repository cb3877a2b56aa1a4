"""Programs that make, move, change and remove files."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN, Place, is_precious, place_of, place_written
from skilllite_sandbox.scan.known_sources import ARCHIVE
from skilllite_sandbox.scan.shell.commands.call import Call, Handler
from skilllite_sandbox.scan.shell.commands.filters import is_huge
from skilllite_sandbox.scan.shell.marks import ENDLESS, FOUND, FOUND_HERE
from skilllite_sandbox.scan.taint import EMPTY, SOMETHING, Text, unknown_from
from skilllite_sandbox.values import replace


def _remove(call: Call) -> Text:
    if call.has("--no-preserve-root"):
        call.do(Act.DESTROY)
        return EMPTY
    call.shell.changes += 1
    recursive = call.flag("r") or call.flag("R") or call.has("--recursive")
    for path in call.plain():
        note_removal(call, path, recursive=recursive)
    return EMPTY


def note_removal(call: Call, path: Text, *, recursive: bool) -> None:
    """Write down the removal of what isn't the skill's."""
    name = call.shell.absolute(path.text)
    if path.text in call.shell.encrypted:
        call.do(Act.DESTROY, f"encrypts and removes {path.text}")
        return
    found = UNKNOWN in name and any(taint.detail == FOUND for taint in path.taints)
    many = recursive or _is_many(name)
    outside = name[:1] in ("/", "~")
    if found or (is_precious(name) and many) or (outside and _VITAL.search(name)):
        call.do(Act.DISARM if "history" in name else Act.DESTROY)
    elif place_written(name) is Place.GUARD:
        call.do(Act.DISARM)
    elif outside and place_written(name) in (Place.START_UP, Place.AGENT, Place.RIGHTS):
        call.do(Act.DESTROY if name[:1] == "~" or many else Act.WRITE_HOST_FILE)
    elif place_of(name) is Place.SECRET and outside and many:
        call.do(Act.DESTROY)
    elif place_written(name) is Place.HOST:
        call.do(Act.WRITE_HOST_FILE)


_VITAL = re.compile(
    r"^~/(?:\.ssh|\.gnupg|\.aws|\.kube)(?:/|$)|^~/\.\w*_history$|wallet|^/boot/|^/(?:s?bin|lib\d*)/"
    r"|^/etc/(?:passwd|g?shadow|group|fstab|sudoers|hosts|ssh/|pam\.d|resolv\.conf)"
    r"|^~/(?:Documents|Desktop|Pictures)/[^\0]*\*"
)
"""Single files whose loss does harm."""


def _is_many(path: str) -> bool:
    return path.endswith("*") or path in ("/", "~")


def _copy(call: Call) -> Text:
    plain = call.plain("tgom", ("--target-directory",))
    target = call.value("-t", "--target-directory")
    if target is None and len(plain) > 1:
        target, plain = plain[-1], plain[:-1]
    if target is None:
        return EMPTY
    if call.name == "ln":
        for source in plain:
            content = call.shell.files.get(source.text) or Text(source.text, source.taints)
            call.shell.write(target, content, call.node)
        return EMPTY
    for source in plain:
        content = call.read(source)
        if call.name == "mv" and is_precious(call.shell.absolute(source.text)):
            _note_move(call, call.shell.absolute(source.text), target.text)
        folder = target.text.endswith("/") or len(plain) > 1 or target.text in (".", "..")
        name = source.text.rpartition("/")[2]
        where = Text(f"{target.text.rstrip('/')}/{name}", target.taints) if folder else target
        call.shell.write(where, content, call.node)
    return EMPTY


def _note_move(call: Call, source: str, target: str) -> None:
    """Write down that a folder as a whole is moved away; a file renamed beside itself is not."""
    steps = source.rstrip("/").count("/")
    beside = target.rpartition("/")[0] == source.rpartition("/")[0]
    if target == "/dev/null" or (steps <= 1 and not beside):
        call.do(Act.DESTROY)
    else:
        call.do(Act.WRITE_HOST_FILE)


def _tee(call: Call) -> Text:
    for path in call.plain():
        call.shell.write(path, call.stdin, call.node, more=call.flag("a"))
    return call.stdin


def _dd(call: Call) -> Text:
    given = {}
    for arg in call.args:
        key, _, value = arg.text.partition("=")
        given[key] = Text(value, arg.taints)
    source, target = given.get("if"), given.get("of")
    content = call.read(source) if source is not None else call.stdin
    endless = source is not None and re.match(r"/dev/(?:zero|u?random)", source.text)
    if endless and (target is not None and target.text != "/dev/null"):
        count, block = given.get("count"), given.get("bs")
        if count is None or _product(count.text, block.text if block else "512") >= 2**30:
            call.do(Act.EXHAUST)
    if target is not None and target.text != "/dev/null":
        if endless and place_written(target.text) is Place.HOST:
            call.do(Act.DESTROY)
        call.shell.write(target, SOMETHING if endless else content, call.node)
        return EMPTY
    return SOMETHING if endless and given.get("count") is not None else content


def _product(count: str, block: str) -> int:
    size = re.fullmatch(r"(\d+)([kKMGT]?)B?", block)
    if not count.isdigit() or size is None:
        return 0
    return (
        int(count) * int(size[1]) << {"": 0, "k": 10, "K": 10, "M": 20, "G": 30, "T": 40}[size[2]]
    )


def _fill(call: Call) -> Text:
    size = call.value("-l", "--length", "-s", "--size")
    if size is not None and is_huge(size.text.lstrip("+")):
        call.do(Act.EXHAUST)
    for path in call.plain("lso"):
        name = call.shell.absolute(path.text)
        if place_written(name) is not Place.OWN:
            call.shell.write(path, EMPTY, call.node)
            if is_precious(name) or name.startswith("/var/log"):
                call.do(Act.DISARM if name.startswith("/var/log") else Act.DESTROY)
    return EMPTY


def _yes(call: Call) -> Text:
    return call.made(Datum.INPUT, ENDLESS)


def _shred(call: Call) -> Text:
    for path in call.plain("ns"):
        name = call.shell.absolute(path.text)
        if place_written(name) is not Place.OWN or place_of(name) is not Place.OWN:
            call.do(Act.DESTROY)
            if "log" in name or "history" in name:
                call.do(Act.DISARM)
    return EMPTY


def _format(call: Call) -> Text:
    if any(path.text.startswith("/dev/") for path in call.plain("tLFUb")):
        call.do(Act.DESTROY)
    else:
        call.do(Act.RUN_PROGRAM)
    return EMPTY


def _mode(call: Call) -> Text:
    plain = call.plain()
    mode, paths = (plain[0].text, plain[1:]) if plain else ("", [])
    if re.search(r"[ug+]\+?[rwx]*s|^[2467]\d{3}$", mode) and mode[:1] != "0":
        call.do(Act.GAIN_RIGHTS)
    recursive = call.flag("R") or call.has("--recursive")
    if call.name == "chmod" and re.search(r"x|[1357]", mode):
        for path in paths:
            _note_fetched_program(call, path)
    for path in paths:
        name = call.shell.absolute(path.text)
        if recursive and is_precious(name):
            call.do(Act.DESTROY)
        elif place_written(name) is Place.RIGHTS:
            call.do(Act.GAIN_RIGHTS)
        elif place_written(name) is Place.HOST and call.name != "chmod":
            call.do(Act.WRITE_HOST_FILE)
    return EMPTY


def _note_fetched_program(call: Call, path: Text) -> None:
    content = call.shell.files.get(path.text)
    if content is not None and content.has(Datum.FETCHED):
        call.do(Act.INSTALL_ELSEWHERE, f"a program: {path.text}")


def _pack(call: Call) -> Text:
    """Follow tar, zip and 7z: what goes into an archive comes out of it."""
    for arg in call.args:
        match = re.match(
            r"--(?:checkpoint-action=exec|to-command|use-compress-program)=(.+)", arg.text
        )
        if match:
            call.shell.run_text(Text(match[1], arg.taints), call.node)
    if call.name == "tar":
        return _tar(call)
    plain = call.plain("x")
    if not plain:
        return call.stdin
    if call.name == "unzip":
        return _extracted(call, call.read(plain[0]), call.value("-d"))
    if call.name in ("unrar",) or (call.name.startswith("7z") and plain[0].text in ("x", "e")):
        return unknown_from(*(call.read(path) for path in plain[:2]))
    plain = plain[1:] if call.name.startswith("7z") else plain
    content = unknown_from(call.stdin, *(call.read(path) for path in plain[1:]))
    call.shell.write(plain[0], content, call.node)
    return content


def _extracted(call: Call, content: Text, folder: Text | None) -> Text:
    """Remember where an archive that came over the network was unpacked."""
    if content.has(Datum.FETCHED):
        name = folder.text if folder is not None else "."
        taints = frozenset(
            replace(taint, detail=ARCHIVE + taint.detail) for taint in content.taints
        )
        call.shell.fetched_folders[name] = Text(UNKNOWN, taints)
        call.shell.write(Text(f"{name}/{UNKNOWN}"), content, call.node)
    return unknown_from(content)


def _tar(call: Call) -> Text:
    first = call.args[0].text if call.args else ""
    letters = (
        first if first[:1] != "-" else "".join(w[1:] for w in call.words if re.match(r"-\w", w))
    )
    letters += "c" if call.has("--create") else "x" if call.has("--extract") else ""
    archive = call.value("-f", "--file")
    plain = call.plain("fCTXIb", ("--file", "--directory", "--exclude"))
    if first[:1] != "-" and plain:
        plain = plain[1:]
    if archive is None and "f" in letters:
        at = next((i for i, w in enumerate(call.words) if "f" in w and (i == 0 or w[:1] == "-")), 0)
        archive = call.args[at + 1] if at + 1 < len(call.args) else None
        plain = [path for path in plain if path is not archive]
    folder = call.value("-C", "--directory")
    if "c" not in letters:
        given = archive is not None and archive.text != "-"
        return _extracted(call, call.read(archive) if given and archive else call.stdin, folder)
    if folder is not None:
        plain = [Text(f"{folder.text.rstrip('/')}/{path.text}", path.taints) for path in plain]
    content = unknown_from(*(call.read(path) for path in plain), call.stdin)
    if archive is None or archive.text == "-":
        return content
    call.shell.write(archive, content, call.node)
    return content if archive.text == "/dev/stdout" else EMPTY


def _cd(call: Call) -> Text:
    plain = call.plain()
    where = plain[0].text if plain else "~"
    if where[:1] in ("/", "~"):
        call.shell.folder = where
    elif UNKNOWN in where:
        call.shell.folder = ""
    elif call.shell.folder:
        call.shell.folder = f"{call.shell.folder}/{where}"
    return EMPTY


def _mktemp(call: Call) -> Text:
    return Text(f"/tmp/made-{call.shell.line_of(call.node)}-{call.node.start_byte}")


def _mkfifo(call: Call) -> Text:
    for path in call.plain("m"):
        if path.text != "p":
            call.shell.fifos.add(path.text)
    return EMPTY


def _touch(call: Call) -> Text:
    for path in call.plain("drtm"):
        if place_written(call.shell.absolute(path.text)) is Place.HOST:
            call.do(Act.WRITE_HOST_FILE)
    return EMPTY


def _encrypt(call: Call) -> Text:
    """Follow gpg, age and their like: encrypting what isn't the skill's takes it hostage."""
    paths = [path for path in call.plain("oripkuc") if path.known]
    encrypts = call.has("-c", "-e", "--symmetric", "--encrypt", "-r")
    if encrypts:
        for path in call.plain("oripkuc"):
            note_encryption(call, path)
    if call.has("--export-secret-keys", "--export-secret-subkeys"):
        call.do(Act.READ_SECRET)
        return call.made(Datum.SECRET)
    call.do(Act.RUN_PROGRAM)
    content = unknown_from(call.stdin, *(call.read(path) for path in paths))
    if call.has("-d", "--decrypt"):
        return unknown_from(content, call.made(Datum.DECODED))
    return content


def note_encryption(call: Call, path: Text) -> None:
    """Write down that files are encrypted that nobody handed over; their removal tells the rest."""
    if is_precious(call.shell.absolute(path.text)):
        call.do(Act.DESTROY)
    found = any(taint.detail in (FOUND, FOUND_HERE) for taint in path.taints)
    if found or "*" in path.text:
        call.shell.encrypted.add(path.text)


def _chattr(call: Call) -> Text:
    outside = any(place_written(path.text) is not Place.OWN for path in call.plain())
    call.do(Act.DISARM if outside or call.has("+i", "-i") else Act.RUN_PROGRAM)
    return EMPTY


def _load(call: Call) -> Text:
    call.do(Act.LOAD_NATIVE)
    for path in call.plain():
        call.flow(call.shell.files.get(path.text, EMPTY), Sink.LOAD_NATIVE)
    return EMPTY


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("rm", "unlink", "rmdir", "srm", "trash"), _remove),
    **dict.fromkeys(("cp", "mv", "ln", "install", "ditto"), _copy),
    "tee": _tee,
    "dd": _dd,
    **dict.fromkeys(("fallocate", "truncate", "xfs_mkfile", "mkfile"), _fill),
    "yes": _yes,
    **dict.fromkeys(("shred", "wipe", "scrub"), _shred),
    **dict.fromkeys(
        (
            "mkfs",
            "mkfs.ext4",
            "mkfs.xfs",
            "mke2fs",
            "wipefs",
            "fdisk",
            "parted",
            "sgdisk",
            "diskutil",
        ),
        _format,
    ),
    **dict.fromkeys(("blkdiscard", "hdparm", "cryptsetup"), _format),
    **dict.fromkeys(("chmod", "chown", "chgrp", "setfacl"), _mode),
    **dict.fromkeys(("tar", "zip", "unzip", "7z", "7za", "rar", "unrar", "gtar", "bsdtar"), _pack),
    "cd": _cd,
    "mktemp": _mktemp,
    **dict.fromkeys(("mkfifo", "mknod"), _mkfifo),
    **dict.fromkeys(("touch", "mkdir"), _touch),
    **dict.fromkeys(("gpg", "gpg2", "age", "ccrypt", "mcrypt"), _encrypt),
    "chattr": _chattr,
    **dict.fromkeys(("insmod", "modprobe", "kextload"), _load),
}
