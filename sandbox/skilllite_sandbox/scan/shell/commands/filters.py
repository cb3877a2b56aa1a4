"""Programs that turn text into text: what they print is followed, so that hidden code is read."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.foreign_patterns import substituted
from skilllite_sandbox.scan.host_places import UNKNOWN, names_one_variable
from skilllite_sandbox.scan.shell.commands.call import Call, Handler
from skilllite_sandbox.scan.shell.escapes import decoded, translated, unescape
from skilllite_sandbox.scan.shell.marks import ENDLESS
from skilllite_sandbox.scan.taint import EMPTY, SOMETHING, Taint, Text, joined, unknown_from


def _echo(call: Call) -> Text:
    args = call.args
    escapes = False
    while args and re.fullmatch(r"-[neE]+", args[0].text):
        escapes = "e" in args[0].text or escapes
        args = args[1:]
    text = joined(args, " ") if args else EMPTY
    if escapes or re.search(r"\\x[0-9a-fA-F]{2}|\\0?[0-7]{3}", text.text):
        text = unescape(call.shell, text, call.node, how="escapes")
    return text


def _printf(call: Call) -> Text:
    args = list(call.args)
    variable = None
    if args and args[0].text == "-v" and len(args) > 1:
        variable, args = args[1].text, args[2:]
    if args and args[0].text == "--":
        args = args[1:]
    if not args:
        return EMPTY
    out = _formatted(call, args[0], args[1:])
    if variable is not None:
        call.shell.set(variable, out, call.node)
        return EMPTY
    return out


def _formatted(call: Call, pattern: Text, values: list[Text]) -> Text:
    pattern = unescape(call.shell, pattern, call.node, how="printf")
    pieces = re.split(r"(%(?:-?\d*\.?\d*[sdixXocbqu]|%))", pattern.text)
    parts: list[Text] = []
    todo = list(values)
    while True:
        left = len(todo)
        for piece in pieces:
            if piece == "%%" or not piece.startswith("%") or len(piece) < 2:
                parts.append(Text(piece[:1] if piece == "%%" else piece, pattern.taints))
            else:
                value = todo.pop(0) if todo else EMPTY
                parts.append(_one_value(call, piece[-1], value))
        # A pattern that takes no argument is printed once, however many there are.
        if not todo or len(todo) == left:
            return joined(parts)


def _one_value(call: Call, letter: str, value: Text) -> Text:
    if letter == "b":
        return unescape(call.shell, value, call.node, how="printf")
    if letter in "xXo" and value.known:
        try:
            number = int(value.text or "0", 0)
        except ValueError:
            return unknown_from(value)
        return Text(format(number, letter), value.taints)
    return value


def _cat(call: Call) -> Text:
    return call.inputs(call.plain())


def _reverse(call: Call) -> Text:
    return decoded(call.shell, call.inputs(call.plain()), call.node, "reversed")


def _tac(call: Call) -> Text:
    text = call.inputs(call.plain())
    lines = text.text.rstrip("\n").split("\n")
    return Text("\n".join(reversed(lines)), text.taints) if text.known else text


def _tr(call: Call) -> Text:
    text = call.stdin
    sets = [arg.text for arg in call.plain()]
    if not text.known or not sets or call.flag("c") or call.flag("C"):
        return unknown_from(text)
    made = translated(text.text, sets[0], sets[1] if len(sets) > 1 else "", delete=call.flag("d"))
    if made is None:
        return unknown_from(text)
    if call.flag("d") or made == text.text or not _is_cipher(sets):
        return Text(made, text.taints)
    return Text(made, text.taints | {call.shell.taint(Datum.DECODED, call.node, "tr")})


def _is_cipher(sets: list[str]) -> bool:
    """Tell whether letters become other letters: case and separators are changed by everyone."""
    case = ("a-z", "A-Z", "[:lower:]", "[:upper:]", "[a-z]", "[A-Z]")
    if len(sets) < 2 or (sets[0] in case and sets[1] in case):
        return False
    return any(char.isalnum() for char in sets[0]) and any(char.isalnum() for char in sets[1])


def _base64(call: Call) -> Text:
    if call.flag("d") or call.flag("D") or call.has("--decode"):
        kind = "base32" if call.name == "base32" else "base64"
        return decoded(call.shell, call.inputs(call.plain("w")), call.node, kind)
    return unknown_from(call.inputs(call.plain("wio")))


def _xxd(call: Call) -> Text:
    text = call.inputs(call.plain("slc")[:1])
    if call.flag("r"):
        return decoded(call.shell, text, call.node, "hex")
    return unknown_from(text)


def _unpack(call: Call) -> Text:
    text = call.inputs(call.plain())
    if call.name in ("zcat", "gunzip", "bzcat", "bunzip2", "xzcat", "unxz", "zstdcat") or (
        call.flag("d") or call.has("--decompress", "--uncompress")
    ):
        return decoded(call.shell, text, call.node, "unpacked")
    return unknown_from(text)


def _uudecode(call: Call) -> Text:
    return decoded(call.shell, call.inputs(call.plain("o")), call.node, "uuencoded")


def _sed(call: Call) -> Text:
    scripts = [call.value("-e", "--expression")]
    plain = call.plain("efEl")
    if scripts[0] is None:
        scripts, plain = [plain[0] if plain else None], plain[1:]
    script = scripts[0] or EMPTY
    text = call.inputs(plain) if not call.flag("i") else SOMETHING
    if call.flag("i") or call.has("--in-place"):
        for path in plain:
            call.shell.write(path, unknown_from(script), call.node, more=True)
    _note_sed_runs(call, script, text)
    match = re.fullmatch(r"s([/|#,:@!])(.*?)\1(.*?)\1(g?)", script.text, re.DOTALL)
    if match and script.known and text.known:
        try:
            pattern = re.sub(r"\\([(){}|+?])", r"\1", match[2]) if "\\" in match[2] else match[2]
            new = match[3].replace("&", r"\g<0>")
            found = re.compile(pattern)
            made = substituted(found, lambda m: m.expand(new), text.text, 0 if match[4] else 1)
        except (re.error, IndexError, RecursionError, OverflowError):
            return unknown_from(text, script)
        return unknown_from(text, script) if made is None else Text(made, text.taints)
    return _picked(unknown_from(text, script), script)


def _note_sed_runs(call: Call, script: Text, text: Text) -> None:
    """Write down sed's `e`: it runs what it matched, or what is written after it."""
    if re.search(r"s([/|#,]).*\1.*\1[gip]*e[gip]*(?:;|$)", script.text):
        call.do(Act.RUN_SHELL, "sed's e command")
        call.flow(text, Sink.RUN_SHELL)
    elif (match := re.match(r"(?:\d+|\$)?e\s+(.+)", script.text)) is not None:
        call.shell.run_text(Text(match[1], script.taints), call.node)


def _cut(call: Call) -> Text:
    text = call.inputs(call.plain("dfcb"))
    chars = call.value("-c", "-b")
    if chars is not None and text.known and chars.known:
        match = re.fullmatch(r"(\d*)(-?)(\d*)", chars.text)
        if match:
            start = int(match[1] or 1) - 1
            end = int(match[3]) if match[3] else (None if match[2] else start + 1)
            cuts = [line[start:end] for line in text.text.split("\n")]
            return Text("\n".join(cuts), text.taints)
    mark, field = call.value("-d"), call.value("-f")
    if mark is not None and field is not None and text.known and field.text.isdigit():
        lines = [line.split(mark.text or "\t") for line in text.text.rstrip("\n").split("\n")]
        place = int(field.text) - 1
        return Text(
            "\n".join(parts[place] if place < len(parts) else "" for parts in lines), text.taints
        )
    return unknown_from(text)


def _head(call: Call) -> Text:
    paths = call.plain("nc")
    size = call.value("-c", "--bytes")
    if any(path.text == "/dev/zero" for path in paths) and size is not None:
        call.shell.files["/dev/zero"] = Text(UNKNOWN)
        if is_huge(size.text):
            call.do(Act.EXHAUST)
    given = call.inputs(paths)
    if call.name == "tail":
        call.shell.note_endless(given, call.node)
    text = _bounded(given)
    if size is not None and size.text.isdigit() and text.known and call.name == "head":
        return Text(text.text[: int(size.text)], text.taints)
    if size is not None and text.known and (match := re.fullmatch(r"\+?(\d+)", size.text)):
        count = int(match[1])
        kept = text.text[count - 1 :] if size.text[0] == "+" else text.text[-count:]
        return Text(kept, text.taints)
    return unknown_from(text) if text.text.count("\n") > 1 or not text.known else text


def _bounded(text: Text) -> Text:
    return Text(text.text, frozenset(taint for taint in text.taints if taint.detail != ENDLESS))


_SIZES = {"k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
HUGE_BYTES = 2**30  # written at once without a reason in sight: more than any scratch holds


def is_huge(text: str) -> bool:
    """Tell whether a size as tools spell it would fill a disk."""
    match = re.fullmatch(r"(\d+)([kmgtp]?)i?b?", text.lower())
    return match is not None and int(match[1]) << _SIZES.get(match[2], 0) >= HUGE_BYTES


def _awk(call: Call) -> Text:
    plain = call.plain("Fvf")
    script = plain[0] if plain else EMPTY
    text = call.inputs(plain[1:])
    source = script.text
    for match in re.finditer(r'system\s*\(\s*"((?:[^"\\]|\\.)*)"', source):
        call.do(Act.RUN_SHELL, "awk system()")
        call.shell.run_text(Text(re.sub(r'\\(["\\/])', r"\1", match[1])), call.node)
    if re.search(r'system\s*\(\s*[^")]|\|\s*"(?:ba|z|da)?sh"|\$\w+\s*\|\s*getline', source):
        call.do(Act.RUN_SHELL, "awk runs text that it reads")
        call.flow(text, Sink.RUN_SHELL)
    for match in re.finditer(r'"((?:[^"\\]|\\.)+)"\s*\|&?\s*getline', source):
        call.shell.run_text(Text(match[1]), call.node)
    if "/inet/" in source:
        call.do(Act.CONNECT, "awk /inet")
        received = call.made(Datum.FETCHED, "awk /inet")
        if re.search(r"system\s*\(|\|&?\s*getline", source.replace("|& getline", "", 1)):
            call.flow(received, Sink.RUN_SHELL)
    return _picked(unknown_from(text, script), script)


def _grep(call: Call) -> Text:
    paths = call.plain("efmABC")
    pattern = call.value("-e", "--regexp")
    if pattern is None and paths:
        paths = paths[1:]
    if (call.flag("r") or call.flag("R")) and not paths:
        return SOMETHING
    given = unknown_from(call.inputs(paths))
    return _picked(given, pattern if pattern is not None else _first(call))


def _first(call: Call) -> Text:
    return next(iter(call.plain("efmABC")), EMPTY)


def _picked(given: Text, pattern: Text) -> Text:
    """Return what a pattern picks: one variable by its name is no longer the environment."""
    if not names_one_variable(pattern.text):
        return given
    return Text(
        given.text,
        frozenset(
            Taint(Datum.VARIABLE, each.file, each.line, pattern.text)
            if each.datum is Datum.ENVIRONMENT
            else each
            for each in given.taints
        ),
    )


def _filter(call: Call) -> Text:
    """Follow a program that prints something of what it reads."""
    paths = [arg for arg in call.plain("nkctwsdFfo") if _may_be_path(arg.text)]
    given = call.inputs(paths) if paths else call.stdin
    if call.name in _READ_ALL:
        call.shell.note_endless(given, call.node)
    return unknown_from(given, *call.args)


_READ_ALL = frozenset(
    ("sort", "wc", "shuf", "md5sum", "sha1sum", "sha256sum", "sha512sum", "cksum")
)
"""They print nothing before they have read everything."""


def _jq(call: Call) -> Text:
    return unknown_from(call.stdin, *call.args)


def _may_be_path(text: str) -> bool:
    return bool(re.match(r"[~/.]|[^\s]*/", text)) and len(text) < 4096


def _quiet(call: Call) -> Text:
    """Follow a program that only tells something harmless."""
    return (
        unknown_from(*call.args) if call.name in ("basename", "dirname", "realpath") else SOMETHING
    )


def _dirname(call: Call) -> Text:
    plain = call.plain("s")
    if not plain or not plain[0].known:
        return unknown_from(*plain)
    head, slash, tail = plain[0].text.rstrip("/").rpartition("/")
    return Text(tail if call.name == "basename" else (head or slash or "."), plain[0].taints)


HANDLERS: dict[str, Handler] = {
    "echo": _echo,
    "print": _echo,
    "printf": _printf,
    "rev": _reverse,
    "tac": _tac,
    "tr": _tr,
    "xxd": _xxd,
    "sed": _sed,
    "gsed": _sed,
    "cut": _cut,
    "uudecode": _uudecode,
    "jq": _jq,
    **dict.fromkeys(("cat", "tee_in", "bat"), _cat),
    **dict.fromkeys(("base64", "base32", "gbase64"), _base64),
    **dict.fromkeys(("head", "tail"), _head),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), _awk),
    **dict.fromkeys(("grep", "egrep", "fgrep", "zgrep", "rg", "ag"), _grep),
    **dict.fromkeys(
        (
            *("gzip", "gunzip", "zcat", "bzip2", "bunzip2", "bzcat", "xz", "unxz", "xzcat", "lzma"),
            *("zstd", "zstdcat", "unzstd", "pigz", "unlzma", "lz4"),
        ),
        _unpack,
    ),
    **dict.fromkeys(
        (
            *("sort", "uniq", "wc", "nl", "fold", "fmt", "paste", "join", "comm", "column", "od"),
            *("expand", "unexpand", "pr", "split", "csplit", "shuf", "diff", "cmp", "strings"),
            *("hexdump", "md5sum", "sha1sum", "sha256sum", "sha512sum", "shasum", "cksum", "b2sum"),
            *("md5", "yq", "less", "more", "iconv", "look", "tsort", "factor", "file", "stat"),
            *("dos2unix", "unix2dos", "envsubst", "numfmt", "colordiff", "xmllint", "pandoc"),
        ),
        _filter,
    ),
    **dict.fromkeys(("basename", "dirname"), _dirname),
    **dict.fromkeys(
        (
            *("true", "false", ":", "test", "[", "[[", "seq", "expr", "bc", "dc", "sleep", "wait"),
            *("exit", "shift", "break", "continue", "getopts", "realpath", "readlink", "pwd"),
            *("du", "df", "ls", "dir", "tree", "shopt", "type", "hash", "which", "whereis", "let"),
            *("tput", "stty", "clear", "cal", "umask", "ulimit", "times", "mktemp", "pushd"),
            *("popd", "dirs", "jobs", "fg", "bg", "disown", "caller", "sync", "tty"),
            *("local", "declare", "typeset", "nproc", "arch", "getconf", "locale", "help"),
        ),
        _quiet,
    ),
}
