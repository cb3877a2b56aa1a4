"""`skilllite doctor`: tries everything a node depends on, and says what to do about what fails."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from skilllite import errors
from skilllite.cli import output

if TYPE_CHECKING:
    from typing import Any

    from skilllite.doctor.checks import Check
    from skilllite.home import Home

AREAS = ("sandbox", "home", "clock", "network", "node")
MARKS = {"ok": "ok", "warning": "warn", "failed": "FAIL"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `doctor`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", choices=AREAS, help="try one area; everything else is left alone")


def run(args: argparse.Namespace) -> int:
    """Try, print, and exit 1 when anything failed."""
    from skilllite.home import Home

    home = Home.locate()
    checks: list[Check] = []
    facts: dict[str, Any] = {}
    for area in AREAS:
        if args.only in (None, area):
            found = _try_area(area, home, facts)
            checks += found
            if not args.json:
                _show(found)
    failed = [check for check in checks if check.status == "failed"]
    if args.json:
        output.print_json(
            {
                "schema": 1,
                "ok": not failed,
                **facts,
                "checks": [check.to_json() for check in checks],
            }
        )
    elif failed:
        output.note(f"{len(failed)} check(s) failed; what to do stands below each")
    return errors.FAILED if failed else errors.OK


def _try_area(area: str, home: Home, facts: dict[str, Any]) -> list[Check]:
    if area == "sandbox":
        return _sandbox(facts)
    if area == "network":
        return _network(home)
    from skilllite.doctor import host

    if area == "home":
        return host.check_home(home)
    if area == "clock":
        from datetime import UTC, datetime

        return host.check_clock(home, datetime.now(UTC))
    return [host.check_node(lambda: _status(home))]


def _sandbox(facts: dict[str, Any], platform: str = sys.platform) -> list[Check]:
    from skilllite.doctor.host import check_sandbox
    from skilllite_sandbox.other_systems import other_system_checks

    if elsewhere := other_system_checks(platform):
        refused = elsewhere[0]
        facts["sandbox"] = {
            **{"ok": False, "tier": "none", "detail": refused.detail, "remedy": refused.remedy}
        }
        return check_sandbox(elsewhere)
    from skilllite_sandbox.policy import Tier
    from skilllite_sandbox.probe import probe_host

    report = probe_host()
    checks = check_sandbox(report.checks)
    wrong = [check for check in checks if check.status == "failed"]
    bubblewrap = next((c.detail for c in checks if c.name == "bubblewrap"), "")
    carrier = {
        Tier.FULL: "zygote",
        Tier.ROOT_CHROOT: "own user and root directory",
    }.get(report.tier, bubblewrap.rpartition("/")[2])
    facts["sandbox"] = {
        "ok": report.ok,
        "tier": report.tier.value,
        "detail": (
            f"{wrong[0].name}: {wrong[0].detail}"
            if wrong
            else f"ok: {carrier}, seccomp, tier {report.tier.value}"
        ),
        "remedy": wrong[0].remedy if wrong else "",
    }
    return checks


def _network(home: Home) -> list[Check]:
    from skilllite.config import load_config
    from skilllite.doctor.checks import Check, Status
    from skilllite.doctor.network import check_multicast, check_port
    from skilllite_swarm.addresses import list_interfaces

    try:
        config = load_config(home)
    except errors.ConfigInvalid as error:
        detail = f"{error.message}: {error.cause}" if error.cause else error.message
        remedy = error.hint or "correct it"
        return [Check("network", "settings", Status.FAILED, detail, remedy)]
    interfaces = [
        (interface.name, interface.ip)
        for interface in list_interfaces()
        if not interface.is_loopback and ":" not in interface.ip
    ]
    checks = check_multicast(interfaces) if config.flag("node.discovery") else []
    running = _status_or_none(home)
    for label, key in _PORTS:
        if running is not None:
            port = running[key.removeprefix("node.")]
            detail = "in use by this home's running node"
            checks.append(Check("network", f"{label} {port}", Status.OK, detail))
        else:
            host = config.text("node.host") or "0.0.0.0"
            chosen = not config.is_default(key)
            checks.append(check_port(label, host, config.integer(key), chosen=chosen))
    return checks


_PORTS = (("team port", "node.port"), ("join port", "node.join_port"))


def _status(home: Home) -> dict[str, Any] | None:
    from skilllite.control.client import ControlClient

    try:
        with ControlClient(home) as client:
            status: dict[str, Any] = client.call("status")
            return status
    except errors.NodeNotRunning:
        return None


def _status_or_none(home: Home) -> dict[str, Any] | None:
    try:
        return _status(home)
    except errors.SkillLiteError:
        return None


def _show(checks: list[Check]) -> None:
    for check in checks:
        mark = MARKS[check.status]
        output.write_result(
            output.printable(f"{mark:<5} {check.area:<8} {check.name}: {check.detail}") + "\n"
        )
        if check.remedy:
            output.write_result(output.printable(f"{'':<15}-> {check.remedy}") + "\n")
