"""The log of a node: one line an event, bounded, and never in the way."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

import pytest

from skilllite import journal
from skilllite.home import Home
from skilllite.journal import LineFormatter, open_journal

LINE = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) +\S+  .+")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.prepare()
    return home


def lines(home: Home) -> list[str]:
    return home.log_file.read_text(encoding="utf-8").splitlines()


def test_every_event_is_one_line_whatever_is_in_it(home: Home) -> None:
    log = logging.getLogger("test")

    with open_journal(home, level="info", quiet=True):
        log.info("a name from elsewhere: %s", "evil\n2026 fake line\x1b[2J")
        try:
            raise ValueError("deep\ninside")
        except ValueError:
            log.exception("it failed")
        log.debug("not at this level")

    first, second = lines(home)
    assert LINE.fullmatch(first) and LINE.fullmatch(second)
    assert "\x1b" not in first
    assert "ValueError: deep" in second


def test_foreground_node_logs_to_stderr_too_and_a_quiet_one_does_not(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_journal(home, level="info", quiet=False):
        logging.getLogger("test").warning("both")
    with open_journal(home, level="info", quiet=True):
        logging.getLogger("test").warning("file alone")

    assert [line.rpartition("  ")[2] for line in lines(home)] == ["both", "file alone"]
    assert capsys.readouterr().err.count("\n") == 1


def test_closed_journal_writes_no_more(home: Home) -> None:
    with open_journal(home, level="info", quiet=True):
        pass
    logging.getLogger("test").warning("late")

    assert lines(home) == []


def test_log_does_not_fill_the_disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_BYTES_MAX", 10_000)

    with open_journal(home, level="info", quiet=True):
        for number in range(2_000):
            logging.getLogger("test").info("line %d", number)

    files = list(home.logs.iterdir())
    assert len(files) == 1 + journal.FILES_KEPT
    assert sum(file.stat().st_size for file in files) <= 10_000 * len(files)
    assert lines(home)[-1].endswith("line 1999")


def test_endless_message_is_cut() -> None:
    record = logging.LogRecord("test", logging.INFO, "", 0, "x" * 100_000, None, None)

    assert len(LineFormatter().format(record)) < journal.LINE_CHARACTERS_MAX + 10


def test_full_disk_costs_lines_and_nothing_else(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.log_file.symlink_to("/dev/full")

    with open_journal(home, level="info", quiet=True):
        logging.getLogger("test").info("lost")

    assert capsys.readouterr().err == ""
    assert sys.stderr is not None
