"""The digest: equal for equal trees, different for every difference."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import struct
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_files import make_skill
from skilllite_sandbox import tree
from skilllite_sandbox.digest import compute_digest, is_digest
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.tree import ByteBudget, read_inside, read_start_inside, walk_tree

NAME = st.sampled_from(["a", "b", "ab", "B", "é", "x.py", "__pycache__", ".git", "node_modules"])
TREES = st.dictionaries(
    st.lists(NAME, min_size=1, max_size=3).map("/".join),
    st.tuples(st.binary(max_size=20), st.booleans()),
    min_size=1,
    max_size=6,
).filter(
    lambda files: (
        not any(one != two and two.startswith(one + "/") for one in files for two in files)
    )
)


def write_tree(root: Path, files: dict[str, tuple[bytes, bool]]) -> Path:
    for path, (content, executable) in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o755 if executable else 0o644)
    return root


def test_the_canonical_form_is_what_the_module_says(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "t", {"b/x": (b"hello", True), "a": (b"", False)})
    entries = [(b"a", b"f", 0, b""), (b"b", b"d", 0, None), (b"b/x", b"f", 1, b"hello")]
    total = hashlib.sha256(b"skilllite skill tree 1\n" + struct.pack(">I", 3))
    for path, kind, executable, content in entries:
        total.update(struct.pack(">I", len(path)) + path + kind)
        total.update(struct.pack(">BQ", executable, len(content or b"")))
        total.update(hashlib.sha256(content).digest() if content is not None else bytes(32))

    assert compute_digest(root) == "sha256:" + total.hexdigest()


@settings(max_examples=40, deadline=None)
@given(TREES)
def test_a_copy_under_another_name_has_the_same_digest(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[bytes, bool]]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    original = write_tree(root / "one", files)
    reversed_order = write_tree(root / "two", dict(reversed(files.items())))

    assert compute_digest(original) == compute_digest(reversed_order)


@settings(max_examples=40, deadline=None)
@given(TREES, st.data())
def test_every_single_change_changes_the_digest(
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[str, tuple[bytes, bool]],
    data: st.DataObject,
) -> None:
    root = write_tree(tmp_path_factory.mktemp("tree") / "t", files)
    before = compute_digest(root)
    path = root / data.draw(st.sampled_from(sorted(files)))
    content = path.read_bytes()
    change = data.draw(
        st.sampled_from(["byte", "append", "mode", "rename", "add", "folder", "drop"])
    )
    if change == "byte" and content:
        position = data.draw(st.integers(0, len(content) - 1))
        bit = 1 << data.draw(st.integers(0, 7))
        path.write_bytes(
            content[:position] + bytes([content[position] ^ bit]) + content[position + 1 :]
        )
    elif change == "mode":
        path.chmod(path.stat().st_mode ^ 0o100)
    elif change == "rename":
        path.rename(path.with_name("renamed"))
    elif change == "add":
        (path.parent / "added").touch()
    elif change == "folder":
        (path.parent / "added").mkdir()
    elif change == "drop":
        path.unlink()
    else:
        path.write_bytes(content + b"\0")

    assert compute_digest(root) != before


def test_bytes_do_not_slide_between_name_and_content(tmp_path: Path) -> None:
    one = write_tree(tmp_path / "1", {"ab": (b"c", False)})
    two = write_tree(tmp_path / "2", {"a": (b"bc", False)})

    assert compute_digest(one) != compute_digest(two)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_only_the_owners_executable_bit_counts(tmp_path: Path, mode: int) -> None:
    root = write_tree(tmp_path / "t", {"a": (b"", False)})
    before = compute_digest(root)

    (root / "a").chmod(mode)

    assert compute_digest(root) == before


@pytest.mark.parametrize("target", ["SKILL.md", "/etc/passwd", "absent", "."])
def test_links_are_refused(tmp_path: Path, target: str) -> None:
    directory = make_skill(tmp_path)
    (directory / "link").symlink_to(target)

    with pytest.raises(InvalidSkill, match="link is a symbolic link") as caught:
        compute_digest(directory)

    assert caught.value.hint


def test_fifos_and_sockets_are_refused_without_waiting(tmp_path: Path) -> None:
    fifo = make_skill(tmp_path, "one")
    os.mkfifo(fifo / "pipe")
    bound = make_skill(tmp_path, "two")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(bound / "socket"))

    for directory in (fifo, bound):
        with pytest.raises(InvalidSkill, match="special file"):
            compute_digest(directory)


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    directory = make_skill(tmp_path)
    Path(os.fsdecode(os.fsencode(directory) + b"/\xff")).touch()

    with pytest.raises(InvalidSkill, match="UTF-8"):
        compute_digest(directory)


def test_no_directory_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for path in (tmp_path / "absent", tmp_path / "file"):
        with pytest.raises(NotFound):
            compute_digest(path)


def test_bounds_on_count_size_depth_and_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "TREE_ENTRIES_MAX", 4)
    many = make_skill(tmp_path, "many", files={f"f{n}": "" for n in range(4)})
    deep = make_skill(tmp_path, "deep", files={"/".join(["d"] * 3): ""})
    fits = make_skill(tmp_path, "fits", files={"a/b": "", "c": ""})

    compute_digest(fits)
    with pytest.raises(InvalidSkill, match="more than 4"):
        compute_digest(many)
    monkeypatch.setattr(tree, "TREE_DEPTH_MAX", 1)
    with pytest.raises(InvalidSkill, match="nested"):
        compute_digest(deep)
    monkeypatch.setattr(tree, "PATH_BYTES_MAX", 7)
    with pytest.raises(InvalidSkill, match="longer"):
        compute_digest(fits)


def test_bytes_are_counted_as_they_are_read() -> None:
    budget = ByteBudget(10)

    budget.charge(10, "a")
    with pytest.raises(InvalidSkill, match="larger"):
        budget.charge(1, "b")


def test_a_file_swapped_for_a_link_during_the_walk_is_not_followed(tmp_path: Path) -> None:
    directory = make_skill(tmp_path, files={"sub/data": "harmless"})
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    walk = walk_tree(directory)
    seen = []

    with pytest.raises(InvalidSkill):
        for found in walk:
            seen.append(found.path)
            if found.path == "sub":
                (directory / "sub" / "data").unlink()
                (directory / "sub" / "data").symlink_to(tmp_path / "secret")

    assert "sub/data" not in seen


def test_a_folder_swapped_for_a_link_after_it_was_listed_is_not_entered(tmp_path: Path) -> None:
    directory = make_skill(tmp_path, text=b"", files={"sub/data": ""})
    walk = walk_tree(directory)

    found = next(walk)
    while found.path != "sub":
        found = next(walk)
    shutil.rmtree(directory / "sub")
    (directory / "sub").symlink_to(tmp_path)

    with pytest.raises(InvalidSkill):
        list(walk)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    directory = make_skill(tmp_path, files={"a/b/c": "x"})
    (directory / "a" / "link").symlink_to("x")
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(20):
        with pytest.raises(InvalidSkill):
            compute_digest(directory)

    assert len(list(Path("/proc/self/fd").iterdir())) <= before


@pytest.mark.parametrize(
    "path",
    ["../secret", "a/../../secret", "/etc/passwd", "", ".", "a//b", "link/x", "a\\b", "a\0b"],
)
def test_reading_inside_stays_inside(tmp_path: Path, path: str) -> None:
    directory = make_skill(tmp_path)
    (directory / "link").symlink_to("/etc")

    with pytest.raises((InvalidSkill, NotFound)):
        read_inside(directory, path, limit_bytes=100)


def test_reading_inside_is_bounded(tmp_path: Path) -> None:
    directory = make_skill(tmp_path, files={"a/ten": "0123456789"})

    assert read_inside(directory, "a/ten", limit_bytes=10) == b"0123456789"
    assert read_start_inside(directory, "./a/ten", size_bytes=3) == b"012"
    with pytest.raises(InvalidSkill, match="larger"):
        read_inside(directory, "a/ten", limit_bytes=9)


def test_reading_a_fifo_does_not_wait(tmp_path: Path) -> None:
    directory = make_skill(tmp_path)
    os.mkfifo(directory / "pipe")
    outcome: list[Exception] = []

    def read() -> None:
        try:
            read_inside(directory, "pipe", limit_bytes=10)
        except InvalidSkill as error:
            outcome.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)

    assert outcome


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("sha256:" + "a" * 64, True),
        ("sha256:" + "A" * 64, False),
        ("sha256:../" + "a" * 61, False),
        ("sha256:" + "a" * 64 + "\n", False),
        ("", False),
    ],
)
def test_the_form_of_a_digest(text: str, good: bool) -> None:
    assert is_digest(text) is good
