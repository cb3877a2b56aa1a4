"""`skilllite add --force` killed at any moment: the old skill, the new one, or none that runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from skill_files import make_skill

KILLS = 6
WAIT_S = 60.0


def skilllite(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "skilllite", *words],
        env={**os.environ, "SKILLLITE_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def version(number: int) -> dict[str, str | bytes]:
    filler = {f"data/{each}.txt": f"{number}" * 50 for each in range(60)}
    return {"scripts/main.py": f"print({number})\n", **filler}


def test_a_kill_at_any_moment_leaves_nothing_half(tmp_path: Path) -> None:
    home = tmp_path / "home"
    sources = [
        make_skill(tmp_path / f"v{number}", "report", files=version(number)) for number in (0, 1)
    ]
    started = time.monotonic()
    assert skilllite(home, "add", str(sources[0])).returncode == 0
    whole_s = time.monotonic() - started
    outcomes: list[str] = []
    for kill in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-m", "skilllite", "add", "--force", str(sources[1])],
            env={**os.environ, "SKILLLITE_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(whole_s * (kill + 1) / KILLS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()

        ran = skilllite(home, "run", "report", "{}", "--sandbox-level", "1")
        refused = ran.returncode == 3 and ran.stdout == ""
        assert refused or (ran.returncode == 0 and ran.stdout in ("0\n", "1\n")), ran.stderr
        outcomes.append("refused" if refused else ran.stdout.strip())
        assert skilllite(home, "add", "--force", str(sources[0])).returncode == 0
        assert skilllite(home, "run", "report", "{}", "--sandbox-level", "1").stdout == "0\n"

    assert set(outcomes) <= {"0", "1", "refused"}
    assert skilllite(home, "verify").returncode == 0
