"""The bubblewrap carrier: namespaces, private root and first filter; the guest does the rest.

Started by root, a prefix of util-linux programs replaces root by the service user first: in a mount
namespace of its own it shows what that user could not reach, drops every privilege, and becomes
bwrap. All of it are execs of one process, so the pid that was started is bwrap's in the end, and
nothing is left on the host.

No `--new-session`: the launch has made a session already, and another one would take the first
process of the sandbox out of the group that `kill` reaches. The guest leaves that group before the
skill.
"""

from __future__ import annotations

from collections.abc import Mapping

from skilllite_sandbox.backend.base import Pipes, Started, spawn
from skilllite_sandbox.grants import PROXY_PORT
from skilllite_sandbox.guest.code import guest_code, guest_source
from skilllite_sandbox.host import Host
from skilllite_sandbox.plan import (
    COMMANDS_FILE,
    GUEST_FILE,
    GUEST_ID,
    PASSWD,
    SCRATCH,
    Landlock,
    Mount,
    Plan,
)
from skilllite_sandbox.seccomp.filters import carrier_filter, guest_filter

ISOLATION = (
    *("--unshare-all", "--unshare-user", "--disable-userns"),
    *("--uid", str(GUEST_ID), "--gid", str(GUEST_ID)),
    *("--hostname", "sandbox", "--die-with-parent", "--cap-drop", "ALL", "--clearenv"),
)

_EXIT_BEFORE_BWRAP = 125
# $0 is `mount`; then pairs of directories to bind, "--", and the program to become. No word of it
# comes from a skill.
_RELAY_SCRIPT = f"""
while [ "$1" != -- ]; do
  "$0" --bind "$1" "$2" || exit {_EXIT_BEFORE_BWRAP}
  shift 2
done
shift
exec "$@"
"""
_SERVICE_USER = ("--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all")


def root_prefix(plan: Plan, host: Host) -> list[str]:
    """Return the command that turns root into the service user and then becomes what follows."""
    tools = host.root_tools
    if plan.service_id is None or tools is None:
        return []
    relays = [path for relay in plan.relays for path in (relay.source, relay.via)]
    identity = str(plan.service_id)
    return [
        *(tools.unshare, "--mount", "--propagation", "private", "--"),
        *(tools.shell, "-c", _RELAY_SCRIPT, tools.mount, *relays, "--"),
        *(tools.setpriv, "--reuid", identity, "--regid", identity, *_SERVICE_USER, "--"),
    ]


def carrier_command(plan: Plan, host: Host, descriptors: Mapping[str, int]) -> list[str]:
    """Return the command line of bwrap and of the guest in it."""
    assert host.bwrap is not None and plan.profile is not None
    arguments = [host.bwrap, *ISOLATION]
    for name, value in plan.environment:
        arguments += ("--setenv", name, value)
    for mount in plan.mounts:
        arguments += _mount_arguments(mount, plan, descriptors)
    return [
        *arguments,
        *("--remount-ro", "/", "--chdir", SCRATCH, "--seccomp", str(descriptors["seccomp"]), "--"),
        *guest_command(plan, GUEST_FILE, descriptors["status"]),
    ]


def guest_command(plan: Plan, guest_file: str, status: int) -> list[str]:
    """Return the command line of the guest."""
    limits = ",".join(f"{name}={soft}:{hard}" for name, soft, hard in plan.resource_limits)
    program = ""
    if plan.profile:
        network = bool(plan.network)
        program = guest_filter(plan.profile, plan.machine, plan.executes, network).hex()
    executables = ""
    if plan.landlock is not Landlock.OFF:
        optional = "?" if plan.landlock is Landlock.WANTED else ""
        executables = optional + ":".join(plan.executables)
    return [
        *(plan.interpreter, "-I", "-S", "-B", "-X", "utf8", guest_file),
        *(str(status), limits, program, executables, str(PROXY_PORT) if plan.network else ""),
        *(":".join(plan.import_paths), plan.script, *plan.command),
    ]


def _mount_arguments(mount: Mount, plan: Plan, descriptors: Mapping[str, int]) -> tuple[str, ...]:
    option = f"--{mount.kind}"
    if mount.kind == "tmpfs":
        return ("--size", str(plan.limits.scratch_bytes), option, mount.target)
    if mount.kind == "file":
        return (option, str(descriptors[mount.source]), mount.target)
    return (option, mount.source, mount.target)


class Bubblewrap:
    """Starts guests in bubblewrap."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def launch(self, plan: Plan, input_bytes: bytes) -> Started:
        """Start the guest; see `Backend`."""
        assert plan.profile is not None
        with Pipes() as pipes:
            # With network the guest passes a socket out, which a pipe can't carry.
            status, our_status = pipes.packets() if plan.network else pipes.from_guest()
            descriptors = {
                "status": status,
                "seccomp": pipes.file_of(
                    carrier_filter(plan.profile, plan.machine, bool(plan.network), plan.executes)
                ),
                "guest": pipes.file_of(guest_code("bootstrap", plan.interpreter)),
                "passwd": pipes.file_of(PASSWD),
            }
            if any(mount.target == COMMANDS_FILE for mount in plan.mounts):
                source = guest_source("run_commands").encode()
                descriptors["run-commands"] = pipes.file_of(source)
            if any(mount.source == "input" for mount in plan.mounts):
                descriptors["input"] = pipes.file_of(input_bytes)
            return spawn(
                root_prefix(plan, self._host) + carrier_command(plan, self._host, descriptors),
                pipes=pipes,
                inherited=tuple(descriptors.values()),
                status=our_status,
                # bwrap clears it again; this is for the programs before it, and for /proc.
                environment=dict(plan.environment),
                directory="/",
            )
