"""Attacks that start something else."""

from __future__ import annotations

import pytest

from sandbox_lab import Lab, assert_only_unsandboxed, require

PYTHON = """
import ctypes, json, os, shutil, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)

def can(action):
    try:
        return bool(action())
    except (OSError, ValueError):
        return False

def child(action):
    pid = os.fork()
    if pid == 0:
        try:
            action()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

def own_copy():
    path = os.path.join(os.environ["TMPDIR"], "copy")
    shutil.copy(os.path.realpath(sys.executable), path)
    os.chmod(path, 0o755)
    return subprocess.run([path, "-I", "-S", "-c", ""]).returncode == 0

def in_memory():
    handle = libc.memfd_create(b"x", 0)
    if handle < 0:
        return False
    with open(sys.executable, "rb") as source:
        os.write(handle, source.read())
    environment = [b"PATH=/usr/bin"]
    return child(lambda: os.execve(handle, [sys.executable, "-I", "-S", "-c", ""], {}))

print(json.dumps({
    "system": os.system("true") == 0,
    "subprocess": can(lambda: subprocess.run([sys.executable, "-S", "-c", ""]).returncode == 0),
    "spawn": can(lambda: os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", ""], {})),
    "fork": can(lambda: child(lambda: os._exit(0))),
    "vfork": can(lambda: libc.syscall(57) >= 0) if os.uname().machine != "x86_64" else
        can(lambda: child(lambda: os._exit(0))),
    "a copy of its own": can(own_copy),
    "out of memory": can(in_memory),
}))
"""

NODE = """
const child = require('child_process');
const ran = child.spawnSync('/bin/true').status === 0;
const can = f => { try { f(); return true } catch (error) { return false } };
const shell = can(() => child.execSync('true'));
console.log(JSON.stringify({ran, shell}));
"""

BASH = """
cd "$TMPDIR"
can() { if "$@" > out 2>&1; then echo true; else echo false; fi; }
cp /usr/bin/cat ./cat && chmod 755 ./cat
printf '#!/usr/bin/bash\\necho hi\\n' > script && chmod 755 script
echo "{
  \\"own copy\\": $(can ./cat /dev/null),
  \\"own script\\": $(can ./script),
  \\"python\\": $(can /usr/bin/python3 -S -c ''),
  \\"perl\\": $(can /usr/bin/perl -e 1),
  \\"mount\\": $(can /usr/bin/mount --version),
  \\"bwrap\\": $(can /usr/bin/bwrap --version),
  \\"its own file\\": $(can /skill/scripts/helper)
}"
"""


def test_python_starts_nothing(lab: Lab) -> None:
    assert_only_unsandboxed(lab.attack("python", PYTHON))


def test_node_starts_nothing(lab: Lab) -> None:
    assert_only_unsandboxed(lab.attack("node", NODE))


def test_bash_starts_only_what_is_listed(lab: Lab) -> None:
    require("bash")
    skill = lab.skill("bash", BASH, **{"scripts/helper": "#!/usr/bin/bash\necho hi\n"})
    (skill / "scripts/helper").chmod(0o755)

    results = lab.run(skill, (2, 3), {})

    for level, result in results.items():
        assert not any(result.said.values()), f"level {level}: {result.said}"
        assert "landlock" in result.outcome["enforced"]


def test_what_bash_starts_by_the_loader_is_confined_and_not_claimed_to_be_stopped(
    lab: Lab,
) -> None:
    script = """
loader=$(echo /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 | tr ' ' '\\n' |
  while read -r path; do [ -e "$path" ] && echo "$path"; done | head -n 1)
by_loader() { "$loader" /usr/bin/python3 -I -S -c "$1" 2>"$TMPDIR/err" || echo false; }
ran=$(by_loader 'print("true")')
socket=$(by_loader 'import socket; socket.socket(); print("true")')
user=$(by_loader 'import ctypes; print("true" if ctypes.CDLL(None).unshare(1 << 28) == 0 else 0)')
jq -n --argjson ran "$ran" --argjson socket "$socket" --argjson user "$user" \\
  '{ran: $ran, socket: $socket, user: $user}'
"""
    require("bash")
    for result in lab.run(lab.skill("bash", script), (2, 3), {}).values():
        said = result.said
        assert said["ran"] is not True or "own-executables" in result.outcome["not_enforced"]
        assert said["socket"] is False
        assert said["user"] is False


@pytest.mark.parametrize("level", [2, 3])
def test_bash_starts_what_is_listed(lab: Lab, level: int) -> None:
    script = """
jq -n --arg sorted "$(printf 'b\\na\\n' | sort | tr -d '\\n')" \\
  --arg sum "$(awk 'BEGIN{print 2+2}')" \\
  --arg replaced "$(echo abc | sed s/b/-/)" --argjson found "$(echo abc | grep -c b)" \\
  '{sorted: $sorted, sum: $sum, replaced: $replaced, found: $found}'
"""
    require("bash")
    result = lab.run(lab.skill("bash", script), (level,), {})[level]

    assert result.said == {"sorted": "ab", "sum": "4", "replaced": "a-c", "found": 1}
