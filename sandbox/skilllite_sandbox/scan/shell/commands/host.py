"""Programs that ask about the machine, change how it runs, or switch its protections."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.shell.commands.call import Call, Handler
from skilllite_sandbox.scan.taint import EMPTY, SOMETHING, Text, joined, unknown_from

_DETECTORS = re.compile(r"strace|ltrace|gdb|wireshark|tcpdump|sysdig|falco|auditd|frida|osquery")


def _environment(call: Call) -> Text:
    plain = call.plain()
    if call.name == "printenv" and plain:
        values = [call.shell.variable(path.text, call.node) for path in plain if path.known]
        return joined(values, "\n") if values else SOMETHING
    if call.name == "set" and call.args:
        return _set(call)
    if call.name == "compgen" and not call.has("-v", "-e"):
        return SOMETHING
    if call.name == "export" and plain:
        return EMPTY
    call.do(Act.READ_ENVIRONMENT, call.name)
    return call.made(Datum.ENVIRONMENT, call.name)


def _set(call: Call) -> Text:
    words = call.words
    if words[:2] == ["+o", "history"] or "+H" in words:
        call.do(Act.DISARM)
    elif words[0] == "--":
        frames = call.shell.frames
        if frames:
            frames[-1].arguments = call.args[1:]
        else:
            call.shell.own_arguments = call.args[1:]
    return EMPTY


def _facts(call: Call) -> Text:
    if call.name == "uname" and not call.has("-n", "-a"):
        return SOMETHING  # which system this is, asked by every portable script
    if call.name == "id" and call.has("-u", "-g"):
        return call.made(Datum.SYSTEM, "user id")
    if call.name == "date":
        return call.made(Datum.INPUT, "date")  # every log line has one
    if call.name != "uname":
        call.do(Act.READ_SYSTEM)
    if call.name in ("ps", "pgrep", "lsmod") and _DETECTORS.search(_around(call)):
        call.do(Act.DETECT, _around(call))
    return call.made(Datum.SYSTEM, call.line if call.name == "pgrep" else call.name)


def _around(call: Call) -> str:
    parent = call.node.parent
    return call.shell.source_of(
        parent if parent is not None and parent.type == "pipeline" else call.node
    )


def _detect(call: Call) -> Text:
    call.do(Act.DETECT)
    return call.made(Datum.SYSTEM, call.name)


def _crontab(call: Call) -> Text:
    if call.flag("l"):
        call.do(Act.READ_SYSTEM)
        return call.made(Datum.SYSTEM, "crontab")
    if call.flag("r"):
        call.do(Act.DESTROY)
        return EMPTY
    call.do(Act.PERSIST)
    return EMPTY


def _persist(call: Call) -> Text:
    call.do(Act.PERSIST)
    if call.name in ("at", "batch") and call.stdin.known:
        call.shell.run_text(call.stdin, call.node)
    return EMPTY


def _at(call: Call) -> Text:
    if call.has("-l", "-c") or (call.name == "at" and call.has("-r", "-d")):
        return SOMETHING
    return _persist(call)


_UNIT_CHANGES = ("enable", "link", "edit", "set-default", "add-wants", "reenable", "preset")
_UNIT_ENDS = ("stop", "disable", "mask", "kill")
_GUARDS = re.compile(
    r"auditd|firewalld|ufw|iptables|nftables|apparmor|selinux|falco|osquery|clam|crowdstrike|falcon"
    r"|sysmon|rsyslog|syslog|journald|fail2ban|wazuh|ossec|defender|mdatp|sentinel|littlesnitch",
    re.IGNORECASE,
)


def _service(call: Call) -> Text:
    words = call.words
    if any(word in _UNIT_CHANGES for word in words):
        call.do(Act.PERSIST)
    elif any(word in _UNIT_ENDS for word in words) and _GUARDS.search(call.line):
        call.do(Act.DISARM)
    else:
        call.do(Act.RUN_PROGRAM)
    return SOMETHING


def _launchctl(call: Call) -> Text:
    if call.has("load", "bootstrap", "submit", "enable", "setenv"):
        call.do(Act.PERSIST)
    elif call.has("unload", "bootout", "remove", "disable") and _GUARDS.search(call.line):
        call.do(Act.DISARM)
    else:
        call.do(Act.RUN_PROGRAM)
    return SOMETHING


def _timer(call: Call) -> Text:
    if any(word.startswith("--on-") or word.startswith("--timer-property") for word in call.words):
        call.do(Act.PERSIST)
    call.do(Act.RUN_PROGRAM)
    return SOMETHING


def _history(call: Call) -> Text:
    if call.flag("c") or call.flag("d") or call.flag("w"):
        call.do(Act.DISARM)
        return EMPTY
    call.do(Act.READ_SECRET)
    return call.made(Datum.SECRET, "history")


def _firewall(call: Call) -> Text:
    words = call.words
    off = call.has(
        "disable", "reset", "-F", "--flush", "-X", "flush", "-d", "--set-default-zone=trusted"
    )
    if off or words[-1:] == ["off"] or ("-P" in words and "ACCEPT" in words):
        call.do(Act.DISARM)
    else:
        call.do(Act.GAIN_RIGHTS)
    return SOMETHING


_SWITCHES: dict[str, re.Pattern[str]] = {
    "setenforce": re.compile(r"\b(?:0|[Pp]ermissive)\b"),
    "xattr": re.compile(r"com\.apple\.quarantine|(?:^|\s)-\w*c"),
    "spctl": re.compile(r"disable|--add|--master-disable"),
    "csrutil": re.compile(r"disable"),
    "tccutil": re.compile(r"reset"),
    "auditctl": re.compile(r"-e\s*0|-D"),
    "aa-teardown": re.compile(""),
    "aa-complain": re.compile(""),
    "aa-disable": re.compile(""),
    "mdatp": re.compile(r"disable|exclusion"),
    "esentutl": re.compile(r"/vss"),
    "sysctl": re.compile(r"randomize_va_space\s*=\s*0|ptrace_scope\s*=\s*0|core_pattern\s*="),
    "dmesg": re.compile(r"(?:^|\s)(?:-C|--clear|-c)\b"),
    "journalctl": re.compile(r"--vacuum|--rotate"),
    "wevtutil": re.compile(r"\bcl\b|clear-log"),
    "defaults": re.compile(r"LSQuarantine|GKAutoRearm|com\.apple\.(?:alf|security)"),
    "swapoff": re.compile(r"\Z\A"),
}


def _switch(call: Call) -> Text:
    if _SWITCHES[call.name].search(" ".join(call.words)):
        call.do(Act.DISARM)
    elif call.name == "defaults" and re.search(r"loginwindow|LoginHook|loginitems", call.line):
        call.do(Act.PERSIST)
    elif call.name == "sysctl" and ("-w" in call.words or "=" in call.line):
        call.do(Act.GAIN_RIGHTS)
    else:
        call.do(Act.READ_SYSTEM)
    return SOMETHING


def _read(call: Call) -> Text:
    names = call.plain("pdnNtuia")
    prompt = call.value("-p")
    silent = call.flag("s")
    asked = (prompt.text if prompt is not None else "").lower()
    value = call.stdin
    if not value.taints and not value.text:
        value = call.made(Datum.INPUT)
    if silent and re.search(r"sudo|password for|passphrase|root|login|keychain", asked):
        call.do(Act.WATCH_USER, f"asks for a password: {asked}")
        value = call.made(Datum.WATCHED, asked)
    descriptor = call.value("-u")
    if descriptor is not None and descriptor.text in call.shell.descriptors:
        value = call.shell.descriptors[descriptor.text]
    text = value.text.rstrip("\n")
    first = Text(UNKNOWN if "\n" in text else text, value.taints)
    if call.flag("a") and names:
        call.shell.arrays[names[0].text] = [unknown_from(value)]
        return EMPTY
    for name in names or [Text("REPLY")]:
        call.shell.variables[name.text] = first if len(names) < 2 else unknown_from(value)
    return EMPTY


def _mapfile(call: Call) -> Text:
    names = call.plain("dnOsuCc")
    name = names[0].text if names else "MAPFILE"
    call.shell.arrays[name] = [unknown_from(call.stdin)]
    return EMPTY


def _watch_user(call: Call) -> Text:
    """Follow what takes down a screen or microphone: it matters where it goes."""
    for path in call.plain("tgqdfi"):
        call.shell.files[path.text] = call.made(Datum.WATCHED)
    call.do(Act.RUN_PROGRAM)
    return call.made(Datum.WATCHED)


def _dump(call: Call) -> Text:
    call.do(Act.READ_SECRET)
    return call.made(Datum.SECRET, "the memory of a process")


def _clipboard(call: Call) -> Text:
    reads = call.name in ("pbpaste", "wl-paste") or call.has("-o", "-out", "--output")
    call.do(Act.RUN_PROGRAM)
    return call.made(Datum.WATCHED, "clipboard") if reads else EMPTY


def _keys(call: Call) -> Text:
    if call.name == "xinput" and not call.has("test", "test-xi2", "--test", "--test-xi2"):
        call.do(Act.READ_SYSTEM)
        return SOMETHING
    call.do(Act.WATCH_USER)
    return call.made(Datum.WATCHED)


def _osascript(call: Call) -> Text:
    text = joined([*call.args, call.stdin], " ").text
    if re.search(r"hidden answer|System Events.*key|keystroke", text):
        call.do(Act.WATCH_USER)
    if re.search(r"login item", text):
        call.do(Act.PERSIST)
    match = re.search(r'do shell script\s+"((?:[^"\\]|\\.)*)"', text)
    if match:
        call.shell.run_text(Text(re.sub(r"\\(.)", r"\1", match[1])), call.node)
    if "administrator privileges" in text:
        call.do(Act.GAIN_RIGHTS)
    call.do(Act.RUN_PROGRAM)
    return call.made(Datum.WATCHED, "a dialogue") if "dialog" in text else SOMETHING


def _dialogue(call: Call) -> Text:
    call.do(Act.RUN_PROGRAM)
    if call.has("--password", "--passwordbox", "--entry") and re.search(
        r"[Pp]assw|sudo", call.line
    ):
        call.do(Act.WATCH_USER)
        return call.made(Datum.WATCHED)
    return call.made(Datum.INPUT)


def _kill(call: Call) -> Text:
    if call.has("-1") and call.name == "kill" and call.has("-9", "-KILL"):
        call.do(Act.DESTROY)
    elif _GUARDS.search(call.line) or any(
        _GUARDS.search(taint.detail) for arg in call.args for taint in arg.taints
    ):
        call.do(Act.DISARM)
    elif call.name != "kill" or any(word.isdigit() and len(word) > 2 for word in call.words):
        call.do(Act.KILL)
    return EMPTY


def _secrets(call: Call) -> Text:
    """Follow programs that give out what a key store keeps."""
    if re.search(r"find-|dump-keychain|export|lookup|search|\bread\b|\bget\b|show", call.line):
        call.do(Act.READ_SECRET)
        return call.made(Datum.SECRET)
    call.do(Act.RUN_PROGRAM)
    return SOMETHING


def _users(call: Call) -> Text:
    call.do(Act.GAIN_RIGHTS)
    call.do(Act.PERSIST)
    return EMPTY


def _power(call: Call) -> Text:
    call.do(Act.EXHAUST)
    return EMPTY


def _backups(call: Call) -> Text:
    if re.search(r"delete|thin|disable", call.line):
        call.do(Act.DESTROY)
    return EMPTY


def _supervise(call: Call) -> Text:
    """Follow pm2, loginctl and supervisors: some of what they do outlives the session."""
    if call.has("startup", "save", "enable-linger", "resurrect"):
        call.do(Act.PERSIST)
    else:
        call.do(Act.RUN_PROGRAM)
    return SOMETHING


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("pm2", "loginctl", "supervisorctl"), _supervise),
    **dict.fromkeys(("env", "printenv", "set", "compgen"), _environment),
    **dict.fromkeys(
        (
            *("hostname", "whoami", "id", "who", "w", "users", "last", "uname", "ifconfig", "ip"),
            *("netstat", "ss", "ps", "pgrep", "lsof", "arp", "route", "lscpu", "lsblk", "lspci"),
            *("hostnamectl", "system_profiler", "sw_vers", "dscl", "lsmod", "free", "uptime"),
            *(
                "vmstat",
                "iostat",
                "top",
                "date",
                "groups",
                "logname",
                "finger",
                "lsusb",
                "dmidecode",
            ),
            *("ioreg", "networksetup", "scutil", "nmcli", "iwgetid", "mount", "findmnt"),
        ),
        _facts,
    ),
    **dict.fromkeys(("systemd-detect-virt", "virt-what", "imvirt", "facter"), _detect),
    "crontab": _crontab,
    **dict.fromkeys(("at", "batch"), _at),
    **dict.fromkeys(
        ("update-rc.d", "chkconfig", "rc-update", "ssh-copy-id", "schtasks", "anacron"), _persist
    ),
    **dict.fromkeys(("systemctl", "service", "initctl", "rc-service"), _service),
    "launchctl": _launchctl,
    "systemd-run": _timer,
    "history": _history,
    **dict.fromkeys(("ufw", "iptables", "ip6tables", "nft", "firewall-cmd", "pfctl"), _firewall),
    **dict.fromkeys(_SWITCHES, _switch),
    "read": _read,
    **dict.fromkeys(("mapfile", "readarray"), _mapfile),
    **dict.fromkeys(
        (
            "screencapture",
            "scrot",
            "gnome-screenshot",
            "grim",
            "maim",
            "arecord",
            "imagesnap",
            "fswebcam",
        ),
        _watch_user,
    ),
    **dict.fromkeys(("tcpdump", "tshark", "dumpcap"), _watch_user),
    "gcore": _dump,
    **dict.fromkeys(("pbpaste", "xclip", "xsel", "wl-paste", "pbcopy", "wl-copy"), _clipboard),
    **dict.fromkeys(("xinput", "showkey", "logkeys", "evtest", "xev", "xspy"), _keys),
    "osascript": _osascript,
    **dict.fromkeys(("zenity", "kdialog", "dialog", "whiptail", "yad"), _dialogue),
    **dict.fromkeys(("kill", "pkill", "killall", "skill"), _kill),
    **dict.fromkeys(
        ("security", "secret-tool", "keyctl", "pass", "kwallet-query", "lpass"), _secrets
    ),
    **dict.fromkeys(("useradd", "adduser", "usermod", "chpasswd", "passwd", "visudo"), _users),
    **dict.fromkeys(("shutdown", "reboot", "poweroff", "halt", "stress", "stress-ng"), _power),
    **dict.fromkeys(("vssadmin", "tmutil", "wbadmin", "bcdedit"), _backups),
}
