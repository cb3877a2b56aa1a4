"""Packages that skills use most, from the index that this host is set to, in the default profile.

Each script below `data/compatibility/packages` checks itself and prints what it found.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from back_ends import BACK_ENDS, BackEnd
from egress_lab import HOST, Names
from package_index import open_real_environments
from side_by_side import DATA
from skill_files import make_skill
from skilllite_sandbox.egress import proxy
from skilllite_sandbox.environment.store import Environments
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.host import find_program
from skilllite_sandbox.policy import Level, Tier
from skilllite_sandbox.sandbox import Sandbox
from web_server import make_certificate, web_server

pytestmark = pytest.mark.skipif(find_program("bwrap") is None, reason="bubblewrap is not installed")

ADDRESS = "127.0.0.1"
RUNS = 3  # the first one on demand, the others by workers that are warm or about to be

ANSWERS: dict[str, dict[str, Any]] = {
    "numpy": {
        "peak": 5,
        "mean age": 40.5,
        "days": 23,
        "table": [[1.0, 3.0], [2.0, 4.0]],
        "polynomial": [1.0, 1.0, 1.0],
        "strings": ["A", "Ö"],
    },
    "pandas": {
        "total": 60.75,
        "unknown": 1,
        "months": {"2024-01": 10.5, "2024-02": 50.25, "2024-03": 0.0},
        "oslo": 40.75,
        "rolling": [0.5, 1.5, 2.5, 3.5],
        "lines": [1, 2],
        "local": "2024-03-31T04:30:00+02:00",
        "text": [4, 6, 4, 6],
        "query": 1,
    },
    "pillow": {
        "kept": {kind: [kind, [120, 80]] for kind in ("PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP")},
        "frames": 3,
        "pixel": [255, 0, 0],
        "turned": [80, 120],
        "gray": "L",
        "thumbnail": [60, 40],
        "darker": True,
        "bytes": 28_800,
    },
}


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    return open_real_environments(tmp_path_factory.mktemp("cache") / "env")


@pytest.fixture
def packed(environments: Environments, back_end: BackEnd) -> Iterator[Sandbox]:
    """A sandbox that has packages."""
    with Sandbox(Level.ISOLATED, tier=back_end.tier, environments=environments) as sandbox:
        if back_end.tier is Tier.FULL and sandbox.probe.tier is not Tier.FULL:
            pytest.skip("this host has no tier full")
        yield sandbox


def stored_skill(folder: Path, package: str, *, network: tuple[str, ...] = ()) -> Path:
    extra = f"compatibility: Requires Python 3.x with {package} library\n"
    if network:
        extra += f'metadata:\n  skilllite.network: "{" ".join(network)}"\n'
    script = (DATA / "packages" / f"{package}.py").read_text(encoding="utf-8")
    return make_skill(folder, package, extra=extra, files={"scripts/main.py": script})


def test_every_back_end_is_tried() -> None:
    assert {back_end.tier for back_end in BACK_ENDS} >= {Tier.FULL, Tier.BWRAP}


@pytest.mark.parametrize("package", ANSWERS)
def test_a_skill_works_with_a_package_again_and_again(
    packed: Sandbox, back_end: BackEnd, tmp_path: Path, package: str
) -> None:
    skill = stored_skill(tmp_path, package)

    for _ in range(RUNS):
        outcome = packed.run(skill, {"n": 3})

        assert outcome.output == ANSWERS[package], outcome.stderr
        assert outcome.stderr == ""
        assert outcome.tier is back_end.tier


def test_requests_reaches_the_host_that_was_granted_and_no_other(
    packed: Sandbox, back_end: BackEnd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if back_end.tier is Tier.ROOT_CHROOT:
        skill = stored_skill(tmp_path, "requests", network=(HOST,))
        with pytest.raises(SandboxUnavailable, match="can't give a skill what it was granted"):
            packed.run(skill, {}, network=(HOST,))
        return
    names = Names({HOST: [ADDRESS], "evil.example": [ADDRESS]})
    monkeypatch.setattr(proxy, "EgressProxy", partial(proxy.EgressProxy, resolve=names))
    certificate = make_certificate(tmp_path)
    authority = certificate.read_text(encoding="ascii").partition("-----BEGIN CERTIFICATE")
    with web_server() as plain, web_server(certificate) as secure:
        targets = tuple(f"{host}:{port}" for host in (HOST, ADDRESS) for port in (plain, secure))
        outcome = packed.run(
            stored_skill(tmp_path, "requests", network=targets),
            {
                "authority": "".join(authority[1:]),
                "plain": f"http://{HOST}:{plain}",
                "secure": f"https://{HOST}:{secure}",
                "other": f"http://evil.example:{plain}/",
            },
            network=targets,
        )

    assert outcome.output == {
        "page": [200, f"{HOST}:{secure} /a?q=%C3%A5+b"],
        "again": f"{HOST}:{secure} /b",
        "posted": {"N": 1},
        "large": [200, 300_000],
        "streamed": f"{HOST}:{secure} /e",
        "without the authority": "SSLError",
        "another host": "ProxyError",
        "another host, plain": 403,
        "around the proxy": "ConnectionError",
    }, outcome.stderr
    assert names.asked == [HOST]
    assert {attempt.host for attempt in outcome.network} == {HOST, "evil.example"}
