"""The stage: one read-only copy for each content, whoever asks and whatever breaks."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import skilllite_sandbox.stage
from skill_files import make_skill, skill_md
from skilllite_sandbox import stage as stage_module
from skilllite_sandbox.archive import UNFINISHED_PREFIX, copy_tree, remove_tree
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import InvalidSkill, NotFound, SandboxUnavailable
from skilllite_sandbox.stage import (
    RECORD_NAME,
    STORE_NAME,
    Stage,
    StagedSkill,
    open_temporary_stage,
)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "cache" / "stage"
    remove_tree(tmp_path / "cache")  # pytest's own clean-up stops at read-only folders


def entries(root: Path) -> list[str]:
    assert {path.name for path in root.iterdir()} <= {".lock", STORE_NAME}
    return sorted(path.name for path in (root / STORE_NAME).iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_the_copy_has_the_digest_of_its_source(tmp_path: Path, root: Path) -> None:
    directory = make_skill(tmp_path)

    staged = Stage(root).put(directory)

    assert staged.digest == compute_digest(directory) == compute_digest(staged.directory)
    assert entries(root) == [staged.digest.removeprefix("sha256:")]
    assert staged.skill.directory == staged.directory
    assert (staged.directory / "scripts" / "main.py").read_bytes() == (
        directory / "scripts" / "main.py"
    ).read_bytes()


def test_modes_let_a_sandbox_read_and_nobody_else_in(tmp_path: Path, root: Path) -> None:
    directory = make_skill(tmp_path, files={"scripts/main.sh": "", "secret.txt": ""})
    (directory / "scripts" / "main.sh").chmod(0o6750)
    (directory / "secret.txt").chmod(0o600)
    previous = os.umask(0o077)
    try:
        staged = Stage(root).put(directory)
    finally:
        os.umask(previous)

    assert mode_of(root) == 0o700
    assert mode_of(root / STORE_NAME) == 0o711
    assert mode_of(staged.directory.parent) == 0o755
    assert mode_of(staged.directory) == mode_of(staged.directory / "scripts") == 0o555
    assert mode_of(staged.directory / "scripts" / "main.sh") == 0o555
    assert mode_of(staged.directory / "secret.txt") == 0o444


def test_one_content_is_one_entry_wherever_it_comes_from(tmp_path: Path, root: Path) -> None:
    stage = Stage(root)
    one = stage.put(make_skill(tmp_path / "a", "same", text=skill_md("demo")))
    two = stage.put(make_skill(tmp_path / "b", "other", text=skill_md("demo")))

    assert one == two
    assert len(entries(root)) == 1


def test_folders_that_name_a_nameless_skill_keep_their_own(tmp_path: Path, root: Path) -> None:
    stage = Stage(root)
    one = stage.put(make_skill(tmp_path, "one", text=skill_md(None)))
    two = stage.put(make_skill(tmp_path, "two", text=skill_md(None)))

    assert (one.skill.name, two.skill.name) == ("one", "two")
    assert one.directory == two.directory


def test_another_process_finds_it_without_reading_yaml(tmp_path: Path, root: Path) -> None:
    directory = make_skill(tmp_path)
    first = Stage(root).put(directory)
    code = (
        "import sys\nfrom pathlib import Path\nfrom skilllite_sandbox.stage import Stage\n"
        "staged = Stage(Path(sys.argv[1])).put(Path(sys.argv[2]))\n"
        "print(staged.digest, 'yaml' in sys.modules)"
    )
    source_root = Path(skilllite_sandbox.stage.__file__).parent.parent

    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(root), str(directory)],
        env={"PYTHONPATH": os.fspath(source_root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.split() == [first.digest, "False"]


def test_get_finds_only_what_is_there(tmp_path: Path, root: Path) -> None:
    stage = Stage(root)
    staged = stage.put(make_skill(tmp_path))

    assert stage.get(staged.digest) == Stage(root).get(staged.digest) == staged
    assert stage.get("sha256:" + "0" * 64) is None
    assert stage.get("sha256:../" + "0" * 61) is None
    assert Stage(tmp_path / "absent").get(staged.digest) is None


def damage_content(copy: Path) -> None:
    main = copy / "scripts" / "main.py"
    main.chmod(0o644)
    main.write_bytes(main.read_bytes()[::-1])


def damage_by_adding(copy: Path) -> None:
    (copy / "scripts").chmod(0o755)
    (copy / "scripts" / "__pycache__").mkdir()


def damage_by_linking(copy: Path) -> None:
    (copy / "scripts").chmod(0o755)
    (copy / "scripts" / "main.py").unlink()
    (copy / "scripts" / "main.py").symlink_to("/etc/passwd")


def damage_by_truncating(copy: Path) -> None:
    (copy / "scripts" / "main.py").chmod(0o644)
    os.truncate(copy / "scripts" / "main.py", 0)


def damage_by_removing(copy: Path) -> None:
    remove_tree(copy)


DAMAGES = [
    damage_content,
    damage_by_adding,
    damage_by_linking,
    damage_by_truncating,
    damage_by_removing,
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("same_process", [True, False])
def test_a_damaged_copy_is_never_used_and_built_again(
    tmp_path: Path, root: Path, damage: object, same_process: bool
) -> None:
    directory = make_skill(tmp_path)
    stage = Stage(root)
    staged = stage.put(directory)
    assert callable(damage)
    damage(staged.directory)
    later = stage if same_process else Stage(root)

    found = later.get(staged.digest)
    again = later.put(directory)

    assert found is None
    assert again == staged
    assert compute_digest(again.directory) == staged.digest
    assert len(entries(root)) == 1


def test_damage_behind_an_unchanged_size_and_time_is_seen(tmp_path: Path, root: Path) -> None:
    stage = Stage(root)
    staged = stage.put(make_skill(tmp_path))
    main = staged.directory / "scripts" / "main.py"
    before = main.stat()
    damage_content(staged.directory)
    main.chmod(0o444)
    os.utime(main, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert stage.get(staged.digest) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100_000, None])
def test_a_damaged_record_costs_a_second_reading(
    tmp_path: Path, root: Path, content: bytes | None
) -> None:
    staged = Stage(root).put(make_skill(tmp_path))
    record = staged.directory.parent / RECORD_NAME
    record.unlink()
    if content is not None:
        record.write_bytes(content)

    assert Stage(root).get(staged.digest) == staged
    assert b'"name":"demo"' in record.read_bytes()


@pytest.mark.parametrize("text", ["no front matter", "---\nname: demo\n---\n"])
def test_an_invalid_skill_leaves_nothing(tmp_path: Path, root: Path, text: str) -> None:
    with pytest.raises(InvalidSkill):
        Stage(root).put(make_skill(tmp_path, text=text))

    assert entries(root) == []


def test_links_and_absent_folders_are_refused(tmp_path: Path, root: Path) -> None:
    directory = make_skill(tmp_path)
    (directory / "link").symlink_to("/etc/passwd")

    with pytest.raises(InvalidSkill):
        Stage(root).put(directory)
    with pytest.raises(NotFound):
        Stage(root).put(tmp_path / "absent")


def test_a_source_that_changes_while_it_is_copied_keeps_digest_and_content_together(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = make_skill(tmp_path)

    def change_then_copy(*args: object, **options: object) -> str:
        (directory / "scripts" / "main.py").write_text("print('changed')\n", encoding="utf-8")
        return copy_tree(*args, **options)  # type: ignore[arg-type]

    before = compute_digest(directory)
    monkeypatch.setattr(stage_module, "copy_tree", change_then_copy)

    staged = Stage(root).put(directory)

    assert staged.digest == compute_digest(staged.directory) != before


def test_threads_that_put_the_same_skill_share_one_copy(tmp_path: Path, root: Path) -> None:
    directory = make_skill(tmp_path, files={f"data/{n}": "x" * 100 for n in range(50)})
    stages = [Stage(root), Stage(root)]
    found: list[StagedSkill] = []
    start = threading.Barrier(8)

    def put(stage: Stage) -> None:
        start.wait(10)
        found.append(stage.put(directory))

    threads = [threading.Thread(target=put, args=(stages[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(found) == 8
    assert all(staged == found[0] for staged in found)
    assert len(entries(root)) == 1


def test_processes_that_put_the_same_skill_share_one_copy(tmp_path: Path, root: Path) -> None:
    directory = make_skill(tmp_path, files={f"data/{n}": "x" * 100 for n in range(50)})
    code = (
        "import sys\nfrom pathlib import Path\nfrom skilllite_sandbox.stage import Stage\n"
        "sys.stdin.read()\n"
        "print(Stage(Path(sys.argv[1])).put(Path(sys.argv[2])).digest)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(root), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for _ in range(4)
    ]

    outputs = [process.communicate(timeout=60)[0].strip().decode() for process in processes]

    assert outputs == [compute_digest(directory)] * 4
    assert len(entries(root)) == 1


def test_what_a_crash_left_is_swept_when_it_is_old(tmp_path: Path, root: Path) -> None:
    stage = Stage(root)
    stage.put(make_skill(tmp_path, "first"))
    old = root / f"{UNFINISHED_PREFIX}1-aa"
    young = root / f"{UNFINISHED_PREFIX}2-bb"
    for left in (old, young):
        make_skill(left, "skill")
        (left / "skill").chmod(0o555)
    long_ago = time.time() - 2 * stage_module.UNFINISHED_KEPT_S
    os.utime(old, (long_ago, long_ago))

    stage.put(make_skill(tmp_path, "second"))

    assert not old.exists()
    assert young.exists()


def test_entries_nobody_used_for_long_make_room(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_module, "ENTRIES_KEPT", 1)
    stage = Stage(root)
    unused, used = (stage.put(make_skill(tmp_path, name)) for name in ("unused", "used"))
    long_ago = time.time() - 2 * stage_module.KEPT_AT_LEAST_S
    for staged in (unused, used):
        os.utime(staged.directory.parent, (long_ago, long_ago))
    assert stage.get(used.digest) is not None

    stage.put(make_skill(tmp_path, "new"))

    assert not unused.directory.exists()
    assert used.directory.exists()


def test_a_root_that_others_may_enter_is_closed(tmp_path: Path, root: Path) -> None:
    root.mkdir(parents=True)
    root.chmod(0o755)

    Stage(root).put(make_skill(tmp_path))

    assert mode_of(root) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a folder away")
def test_a_root_of_another_user_is_refused(tmp_path: Path, root: Path) -> None:
    root.mkdir(parents=True)
    os.chown(root, 12345, 12345)

    with pytest.raises(SandboxUnavailable, match="another user"):
        Stage(root).put(make_skill(tmp_path))


def test_a_root_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SandboxUnavailable) as caught:
        Stage(tmp_path / "file" / "stage").put(make_skill(tmp_path))

    assert caught.value.hint


def test_a_lock_held_by_a_stopped_process_does_not_hang_us(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_module, "LOCK_WAIT_S", 0.05)
    stage = Stage(root)
    stage.put(make_skill(tmp_path, "first"))
    held = stage._exclusive()  # as another process would hold it
    with held, pytest.raises(SandboxUnavailable, match="locked"):
        Stage(root).put(make_skill(tmp_path, "second"))

    assert len(entries(root)) == 1


def test_a_temporary_stage_is_gone_afterwards(tmp_path: Path) -> None:
    with open_temporary_stage() as stage:
        staged = stage.put(make_skill(tmp_path))
        assert staged.directory.is_dir()

    assert not stage.root.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_an_unprivileged_owner_can_stage_repair_and_remove(tmp_path: Path) -> None:
    # Root ignores permission bits; this is the test that 0555 folders don't lock their owner out.
    with open_temporary_stage() as stage:  # what is imported late is imported now, as root
        stage.put(make_skill(tmp_path))
    place = Path(tempfile.mkdtemp(prefix="skilllite-test-"))
    directory = make_skill(place)
    os.chown(place, 12345, 12345)
    os.seteuid(12345)
    try:
        stage = Stage(place / "stage")
        staged = stage.put(directory)
        with pytest.raises(PermissionError):
            (staged.directory / "scripts" / "more").touch()
        remove_tree(staged.directory / "scripts")
        missing = stage.get(staged.digest)
        again = stage.put(directory)
        remove_tree(stage.root)
        gone = not stage.root.exists()
    finally:
        os.seteuid(0)
        remove_tree(place)

    assert missing is None
    assert again == staged
    assert gone
