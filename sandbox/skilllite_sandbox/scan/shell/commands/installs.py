"""Package managers: what is installed while a skill runs, and from where."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.shell.call import decisive
from skilllite_sandbox.scan.shell.commands.call import Call, Handler
from skilllite_sandbox.scan.taint import SOMETHING, Text, unknown_from
from skilllite_sandbox.supply.names import is_public_index

_KNOWN_HOSTS = re.compile(
    r"^https://(?:[\w-]+\.)*(?:pytorch\.org|yarnpkg\.com|golang\.org|nvidia\.com|conda\.io|anaconda\.org"
    r"|debian\.org|ubuntu\.com)(?:[/:]|$)"
)
_REPOSITORIES = re.compile(
    r"^(?:git\+)?(?:https|ssh|git)://(?:git@)?(?:github\.com|gitlab\.com|bitbucket\.org)/"
)


def note_source(call: Call, address: Text, *, unsafe: bool) -> None:
    """Write down that packages come from somewhere else than everyone's."""
    text = address.text
    if _KNOWN_HOSTS.match(text) or text.startswith(UNKNOWN) or not text:
        return
    if is_public_index(text):
        return
    call.do(Act.INSTALL_ELSEWHERE, text)
    plain = re.match(r"(?:git\+)?(?:http|git)://", text) or re.match(r"\w+://[\d.]+[:/]", text)
    if unsafe or plain:
        call.flow(call.made(Datum.FETCHED, text), Sink.RUN_CODE, call.name)


def _pip(call: Call) -> Text:
    if not call.has("install", "download", "sync", "add", "i"):
        if "config" in call.words and re.search(r"index-url|trusted-host", call.line):
            call.do(Act.INSTALL_ELSEWHERE)
        call.do(Act.RUN_PROGRAM, call.line)
        return SOMETHING
    call.do(Act.INSTALL)
    unsafe = call.has("--trusted-host") or any(w.startswith("--trusted-host=") for w in call.words)
    plain = call.plain(
        "irctfe", ("--index-url", "--extra-index-url", "--find-links", "--trusted-host")
    )
    for option in (
        "-i",
        "--index-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "--default-index",
    ):
        address = call.value(option)
        if address is not None and (re.search(r"://", address.text) or UNKNOWN in address.text):
            note_source(call, address, unsafe=unsafe)
            call.flow(address, Sink.SEND)
    for word in plain[1:]:
        _note_package(call, word)
    return SOMETHING


def _note_package(call: Call, word: Text) -> None:
    match = re.search(
        r"(?:git\+)?(?:https?|ssh|git|file)://\S+|^github:\S+|^[\w-]+/[\w.-]+(?:#\S+)?$", word.text
    )
    call.flow(decisive(word), Sink.RUN_CODE)
    content = call.shell.files.get(word.text)
    if content is not None and content.has(Datum.FETCHED):
        call.flow(content, Sink.RUN_CODE, word.text)
    if match is None:
        return
    text = match[0]
    if "://" in text and not text.startswith(("git+", "file:")) and not _REPOSITORIES.match(text):
        unsafe = bool(re.search(r"\.(?:tar\.gz|tgz|zip|whl)(?:[?#]|$)", text))
        note_source(call, Text(text, word.taints), unsafe=unsafe and not _KNOWN_HOSTS.match(text))
    elif "://" in text or call.name in ("npm", "yarn", "pnpm", "npx", "bun"):
        call.do(Act.INSTALL_ELSEWHERE, text)


def _npm(call: Call) -> Text:
    verbs = ("install", "i", "add", "ci", "exec", "dlx", "x", "create", "update", "link")
    runs = call.name in ("npx", "pnpx", "bunx")
    registry = call.value("--registry")
    if registry is None and call.has("config", "set") and "registry" in call.line:
        registry = next((arg for arg in call.args if "://" in arg.text), None)
        if registry is not None:
            address = re.search(r"\w+://.*", registry.text)
            registry = Text(address[0] if address else registry.text, registry.taints)
    if registry is not None:
        note_source(call, registry, unsafe="strict-ssl" in call.line)
    if not runs and not call.has(*verbs):
        call.do(Act.RUN_PROGRAM, call.line)
        return SOMETHING
    call.do(Act.INSTALL)
    for word in call.plain("p", ("--registry", "--prefix")):
        if word.text not in verbs:
            _note_package(call, word)
    return SOMETHING


def _system_packages(call: Call) -> Text:
    if re.search(r"\b(?:install|add|upgrade|-S|-i|-U|get|tap|build)\b", call.line):
        call.do(Act.INSTALL)
        for word in call.plain():
            if re.match(r"https?://", word.text):
                note_source(call, word, unsafe=not word.text.startswith("https://"))
            content = call.shell.files.get(word.text)
            if content is not None:
                call.flow(content, Sink.RUN_PROGRAM, word.text)
        for option in call.words:
            if option in (
                "--allow-unauthenticated",
                "--nogpgcheck",
                "--no-gpg-check",
                "--force-yes",
            ):
                call.do(Act.TRUST_ANY, option)
    else:
        call.do(Act.RUN_PROGRAM, call.line)
    return unknown_from(call.stdin)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(
        ("pip", "pip3", "pipx", "uv", "uvx", "poetry", "conda", "mamba", "easy_install"), _pip
    ),
    **dict.fromkeys(("npm", "yarn", "pnpm", "npx", "pnpx", "bunx"), _npm),
    **dict.fromkeys(
        (
            *("apt", "apt-get", "yum", "dnf", "apk", "pacman", "zypper", "brew", "port", "snap"),
            *(
                "flatpak",
                "dpkg",
                "rpm",
                "gem",
                "cargo",
                "go",
                "cpan",
                "cpanm",
                "composer",
                "luarocks",
            ),
            *("installer", "add-apt-repository", "apt-key", "nix-env", "bundle"),
        ),
        _system_packages,
    ),
}
