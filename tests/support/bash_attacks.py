"""Attacks by bash and the programs it finds; see `python_attacks`."""

from __future__ import annotations

from attack import Attack

BEGIN = """
facts=$(cat)
field() { [[ $facts =~ \\"$1\\":\\ *\\"?([^\\",}]*) ]] && printf '%s' "${BASH_REMATCH[1]}"; }
secret=$(field secret) mark=$(field mark) victim=$(field victim) port=$(field port)
held=$(field held)
cd "$TMPDIR"
attack() {
"""
END = """
}
attack 2>errors
"""


def _attacks(effect: str, bodies: dict[str, str], *, root: bool = False) -> list[Attack]:
    return [
        Attack("bash", name, BEGIN + body.strip() + END, effect, needs_root=root)
        for name, body in bodies.items()
    ]


_READS = _attacks(
    "secret",
    {
        "cat": 'cat "$secret"',
        "redirect": 'echo "$(<"$secret")"',
        "descriptor": 'exec 5<"$secret"; cat <&5',
        "source": '. "$secret"; cat errors',
        "mapfile": 'mapfile -t lines <"$secret"; echo "${lines[0]}"',
        "dd": 'dd if="$secret"',
        "copy": 'cp "$secret" own; cat own',
        "symbolic-link": 'ln -s "$secret" link; cat link',
        "descriptor-of-a-process": 'cat "/proc/$victim/fd/$held"',
        "environment-of-a-process": 'tr "\\0" "\\n" <"/proc/$victim/environ"',
        "root-of-a-process": 'cat "/proc/$victim/root$secret"',
        "jq": 'jq -R . "$secret"',
        "awk": 'awk "{print}" "$secret"',
        "sed": 'sed "" "$secret"',
        "grep": 'grep "" "$secret"',
        "error-message": 'bash "$secret"; cat errors',
        "another-interpreter": "python3 -c \"print(open('$secret').read())\"",
        "loader": """
for loader in /lib*/ld-linux*.so.*; do "$loader" /usr/bin/python3 -S -c "
print(open('$secret').read())"; done""",
        "new-namespace": "unshare -rm sh -c \"cat '$secret'\"",
    },
)

_WRITES = _attacks(
    "mark",
    {
        "redirect": 'echo x >"$mark"',
        "touch": 'touch "$mark"',
        "tee": 'echo x | tee "$mark"',
        "copy": 'echo x >own; cp own "$mark"',
        "move": 'echo x >own; mv own "$mark"',
        "install": 'echo x >own; install own "$mark"',
        "dd": 'dd if=/dev/null of="$mark"',
        "link": 'ln -s x "$mark"',
        "pipe": 'mkfifo "$mark"',
        "split": 'echo x | split - "$mark"',
        "truncate": 'truncate -s 1 "$mark"',
        "awk": "awk 'BEGIN {print 1 > \"'\"$mark\"'\"}'",
        "sed": 'echo x | sed "w $mark"',
        "sort": 'echo x | sort -o "$mark"',
        "through-a-process": 'echo x >"/proc/$victim/root$mark"',
        "background": '{ echo x >"$mark"; } & wait',
        "own-copy-of-a-program": 'cp /usr/bin/touch own; chmod 755 own; ./own "$mark"',
        "own-script": 'printf "#!/bin/sh\\necho >%s\\n" "$mark" >own; chmod 755 own; ./own',
    },
)

_OUTLIVES = [
    Attack(
        "bash",
        "outlive-the-run",
        BEGIN
        + """
setsid sh -c "sleep 0.3; echo x >'$mark'" </dev/null >/dev/null 2>&1 &
( trap '' HUP TERM INT; exec >&- 2>&- <&-; sleep 0.3; echo x >"$mark" ) &
sleep 0.1
"""
        + END,
        "mark",
        wait_s=0.6,
    )
]

_HURTS = [
    *_attacks(
        "killed",
        {
            "kill": 'kill -9 "$victim"',
            "kill-its-group": 'kill -9 -- "-$victim"',
            "program-kill": 'env kill -9 "$victim"',
            "loader-kill": """
for loader in /lib*/ld-linux*.so.*; do "$loader" /bin/kill -9 "$victim"; done""",
        },
    ),
    *_attacks("stopped", {"stop": 'kill -STOP "$victim"; sleep 0.05'}),
    *_attacks(
        "changed",
        {
            "renice": 'renice -n 19 -p "$victim"',
            "prlimit": 'prlimit --pid "$victim" --nofile=5:5',
            "taskset": 'taskset -p 1 "$victim"',
        },
    ),
]

_TALKS = _attacks(
    "visit",
    {
        "tcp": 'exec 5<>"/dev/tcp/127.0.0.1/$port"; sleep 0.05',
        "tcp-by-name": 'exec 5<>"/dev/tcp/localhost/$port"; sleep 0.05',
        "udp": 'echo x >"/dev/udp/127.0.0.1/$port"',
        "another-interpreter": """
python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 5)" """,
        "loader": """
for loader in /lib*/ld-linux*.so.*; do "$loader" /usr/bin/python3 -S -c "
import socket; socket.create_connection(('127.0.0.1', $port), 5)"; done""",
    },
)

ATTACKS: list[Attack] = [*_READS, *_WRITES, *_OUTLIVES, *_HURTS, *_TALKS]
