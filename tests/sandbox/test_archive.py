"""Copying and unpacking: whole or not at all, and never outside the destination."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skill_files import make_skill, skill_md
from skilllite_sandbox import archive as archive_module
from skilllite_sandbox import unpacking
from skilllite_sandbox.archive import copy_skill, remove_tree, unpack_zip
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import InvalidInput, InvalidSkill, NotFound
from skilllite_sandbox.linux import exchange as exchange_module
from skilllite_sandbox.linux.exchange import exchange
from skilllite_sandbox.tree import TREE_ENTRIES_MAX


def zip_bytes(files: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def unpack(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "skill.zip").write_bytes(data)
    return unpack_zip(tmp_path / "skill.zip", tmp_path / "out" / "here")


def refuse(tmp_path: Path, data: bytes) -> InvalidSkill:
    with pytest.raises(InvalidSkill) as caught:
        unpack(tmp_path, data)
    leftovers = list((tmp_path / "out").rglob("*")) if (tmp_path / "out").exists() else []
    assert leftovers == []
    return caught.value


def member(name: str, mode: int = 0, *, system: int = 3) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = system
    info.external_attr = mode << 16
    return info


def zip_members(*members: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, data in members:
            archive.writestr(info, data)
    return buffer.getvalue()


GOOD = {"SKILL.md": skill_md(), "scripts/main.py": "print(1)\n"}


def test_a_skill_at_the_top_of_a_zip(tmp_path: Path) -> None:
    found = unpack(tmp_path, zip_bytes(GOOD))

    assert found == tmp_path / "out" / "here"
    assert (found / "scripts" / "main.py").read_bytes() == b"print(1)\n"


def test_a_skill_wrapped_in_one_folder(tmp_path: Path) -> None:
    wrapped = {f"repo-main/{name}": data for name, data in GOOD.items()}

    found = unpack(tmp_path, zip_bytes({**wrapped, "__MACOSX/._SKILL.md": ""}))

    assert found == tmp_path / "out" / "here" / "repo-main"


@pytest.mark.parametrize(
    "files", [{}, {"README.md": ""}, {"a/SKILL.md": "", "b/SKILL.md": ""}, {"a/b/SKILL.md": ""}]
)
def test_a_zip_without_one_skill_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    assert "SKILL.md" in refuse(tmp_path, zip_bytes(files)).message


def test_a_packed_folder_has_the_digest_of_the_original(tmp_path: Path) -> None:
    directory = make_skill(tmp_path, files={"scripts/main.sh": "echo {}\n", "a/b": "x"})
    (directory / "scripts" / "main.sh").chmod(0o755)
    with zipfile.ZipFile(tmp_path / "skill.zip", "w") as packed:
        for path in sorted(directory.rglob("*")):
            packed.write(path, path.relative_to(directory))

    found = unpack_zip(tmp_path / "skill.zip", tmp_path / "out")

    assert compute_digest(found) == compute_digest(directory)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../evil",
            "a/../../evil",
            "/etc/evil",
            "a/../evil",
            "..",
            "./../evil",
            "a//evil",
            "a/./b",
        ),
        *("..\\evil", "a\\b", "a\x1b[2Jb", "a\nb", "d/" * 40 + "x", "x" * 2000, "n" * 300),
    ],
)
def test_names_that_lead_out_or_astray_are_refused(tmp_path: Path, name: str) -> None:
    refuse(tmp_path, zip_bytes({**GOOD, name: "evil"}))

    assert not (tmp_path / "evil").exists()
    assert not Path("/etc/evil").exists()


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFDIR]
)
@pytest.mark.parametrize("system", [0, 3])
def test_links_and_special_files_are_refused(tmp_path: Path, kind: int, system: int) -> None:
    evil = member("evil", kind | 0o777, system=system)

    error = refuse(tmp_path, zip_members((member("SKILL.md"), b""), (evil, b"/etc/passwd")))

    assert "evil" in error.message


def test_a_file_written_through_a_link_of_the_same_zip_is_impossible(tmp_path: Path) -> None:
    link = member("d", stat.S_IFLNK | 0o777)

    refuse(tmp_path, zip_members((link, b"/tmp"), (member("d/skilllite-evil"), b"x")))

    assert not Path("/tmp/skilllite-evil").exists()


def test_two_entries_of_one_name_and_a_file_that_is_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zip_members((member("SKILL.md"), b"a"), (member("SKILL.md"), b"b"))

    refuse(tmp_path, twice)
    refuse(tmp_path, zip_bytes({**GOOD, "a": "", "a/b": ""}))


def test_special_mode_bits_do_not_arrive(tmp_path: Path) -> None:
    found = unpack(
        tmp_path,
        zip_members(
            (member("SKILL.md", stat.S_IFREG | 0o666), skill_md().encode()),
            (member("run", stat.S_IFREG | 0o6777), b""),
        ),
    )

    assert stat.S_IMODE((found / "run").stat().st_mode) == 0o755
    assert not (found / "SKILL.md").stat().st_mode & 0o111


def test_a_bomb_stops_at_the_bound_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "ByteBudget", lambda: archive_byte_budget(1 << 20))

    error = refuse(tmp_path, zip_bytes({**GOOD, "bomb": bytes(2 << 20)}))

    assert "larger than 1 MiB" in error.message


def archive_byte_budget(limit: int) -> object:
    from skilllite_sandbox.tree import ByteBudget

    return ByteBudget(limit)


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    data = bytearray(zip_bytes({**GOOD, "big": bytes(100_000)}))
    central = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, central + 24, 10)  # uncompressed size in the table of contents

    refuse(tmp_path, bytes(data))


def test_too_many_files_are_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    error = refuse(tmp_path, zip_bytes({f"{n}": "" for n in range(TREE_ENTRIES_MAX + 1)}, 0))

    assert str(TREE_ENTRIES_MAX) in error.message


def test_a_table_of_contents_nobody_needs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "ZIP_DIRECTORY_BYTES_MAX", 50)

    assert "lists more" in refuse(tmp_path, zip_bytes(GOOD)).message


def test_a_huge_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "ARCHIVE_BYTES_MAX", 100)

    assert "larger" in refuse(tmp_path, zip_bytes(GOOD)).message


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_can_ask_for_much_memory_are_refused(tmp_path: Path, compression: int) -> None:
    assert "method" in refuse(tmp_path, zip_bytes(GOOD, compression)).message


def test_an_encrypted_archive_is_refused_with_a_way_out(tmp_path: Path) -> None:
    data = bytearray(zip_bytes(GOOD))
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(signature) + offset] |= 1

    error = refuse(tmp_path, bytes(data))

    assert "encrypted" in error.message
    assert error.hint


def test_zip64_is_refused(tmp_path: Path) -> None:
    data = zip_bytes(GOOD)
    end = data.rindex(b"PK\x05\x06")
    locator = b"PK\x06\x07" + bytes(16)

    assert "zip64" in refuse(tmp_path, data[:end] + locator + data[end:]).message


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    refuse(tmp_path, data)


def test_no_archive_a_folder_and_a_full_destination(tmp_path: Path) -> None:
    (tmp_path / "out" / "here").mkdir(parents=True)
    (tmp_path / "out" / "here" / "mine").touch()

    with pytest.raises(NotFound):
        unpack_zip(tmp_path / "absent.zip", tmp_path / "new")
    with pytest.raises(InvalidSkill, match="folder"):
        unpack_zip(tmp_path / "out", tmp_path / "new")
    with pytest.raises(InvalidInput, match="not empty"):
        unpack(tmp_path, zip_bytes(GOOD))
    assert [path.name for path in (tmp_path / "out" / "here").iterdir()] == ["mine"]


WRAPPED = zip_bytes({**GOOD, "a/": "", "a/b": "x" * 300})


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(WRAPPED) - 1), st.integers(0, 255)), min_size=1, max_size=6
    ),
    st.sampled_from([b"", b"../", b"/tmp", b"..\\"]),
    st.integers(0, 60),
)
@example([(411, 0)], b"", 0)  # a name that begins with NUL: cut off, nothing is left of it
def test_a_damaged_zip_never_writes_outside(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[int, int]],
    splice: bytes,
    cut: int,
) -> None:
    place = tmp_path_factory.mktemp("fuzz")
    data = bytearray(WRAPPED.replace(b"a/b", splice[:3].ljust(3, b"x")) if splice else WRAPPED)
    for position, value in changes:
        data[position] = value
    (place / "x.zip").write_bytes(bytes(data[: len(data) - cut // 10]))

    try:
        unpack_zip(place / "x.zip", place / "box" / "out")
    except InvalidSkill:
        assert not list((place / "box").iterdir())

    assert sorted(path.name for path in place.iterdir()) == ["box", "x.zip"]
    assert {path.name for path in (place / "box").iterdir()} <= {"out"}
    for path in (place / "box").rglob("*"):
        assert stat.S_IFMT(path.lstat().st_mode) in (stat.S_IFREG, stat.S_IFDIR)


def test_copying_keeps_the_digest_and_leaves_by_products_behind(tmp_path: Path) -> None:
    directory = make_skill(tmp_path, files={"scripts/main.py": "", "scripts/x.sh": "", "e/f": ""})
    (directory / "scripts" / "x.sh").chmod(0o755)
    before = compute_digest(directory)
    (directory / "scripts" / "__pycache__").mkdir()
    (directory / "scripts" / "__pycache__" / "main.pyc").touch()
    (directory / ".git").mkdir()

    digest = copy_skill(directory, tmp_path / "installed" / "demo")

    assert digest == compute_digest(tmp_path / "installed" / "demo") == before
    assert [path.name for path in (tmp_path / "installed").iterdir()] == ["demo"]


def test_a_copy_can_be_changed_by_its_owner_alone(tmp_path: Path) -> None:
    directory = make_skill(tmp_path)
    (directory / "scripts" / "main.py").chmod(0o4666)

    copy_skill(directory, tmp_path / "copy")

    assert stat.S_IMODE((tmp_path / "copy" / "scripts" / "main.py").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "copy" / "scripts").stat().st_mode) == 0o755


def test_an_existing_destination_is_kept_unless_replacing_was_asked(tmp_path: Path) -> None:
    old = make_skill(tmp_path / "user", files={"old": ""})
    new = make_skill(tmp_path / "new", files={"new": ""})

    with pytest.raises(InvalidInput, match="exists"):
        copy_skill(new, old)
    assert (old / "old").exists()

    copy_skill(new, old, replace=True)

    assert (old / "new").exists()
    assert not (old / "old").exists()
    assert [path.name for path in (tmp_path / "user").iterdir()] == ["demo"]


def test_a_failed_replacement_keeps_the_old_one(tmp_path: Path) -> None:
    old = make_skill(tmp_path / "user", files={"old": ""})
    new = make_skill(tmp_path / "new")
    (new / "link").symlink_to("/etc/passwd")

    with pytest.raises(InvalidSkill):
        copy_skill(new, old, replace=True)

    assert (old / "old").exists()
    assert [path.name for path in (tmp_path / "user").iterdir()] == ["demo"]


def test_a_file_system_that_can_not_exchange_names_replaces_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_module, "exchange", lambda one, other: False)
    old = make_skill(tmp_path / "user", files={"old": ""})

    copy_skill(make_skill(tmp_path / "new", files={"new": ""}), old, replace=True)

    assert [path.name for path in (tmp_path / "user").iterdir()] == ["demo"]
    assert (old / "new").exists()


@pytest.mark.parametrize("exchanges", [True, False])
def test_replacing_a_link_leaves_alone_what_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: bool
) -> None:
    if not exchanges:
        monkeypatch.setattr(exchange_module, "exchange", lambda one, other: False)
    elsewhere = make_skill(tmp_path / "work", files={"mine": ""})
    (tmp_path / "user").mkdir()
    (tmp_path / "user/demo").symlink_to(elsewhere)
    before = elsewhere.stat().st_mode

    copy_skill(make_skill(tmp_path / "new"), tmp_path / "user/demo", replace=True)

    assert not (tmp_path / "user/demo").is_symlink()
    assert elsewhere.stat().st_mode == before
    assert (elsewhere / "mine").exists()
    assert [path.name for path in (tmp_path / "user").iterdir()] == ["demo"]


def test_an_exchange_happens_whole_or_not(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_text("b")

    assert exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_text() == "b"
    assert (tmp_path / "b").is_dir()
    assert not exchange(tmp_path / "a", tmp_path / "absent")
    assert (tmp_path / "a").read_text() == "b"


def test_a_replacement_that_cannot_move_in_puts_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_skill(tmp_path / "user", files={"old": ""})
    rename = Path.rename

    def fail_once(self: Path, target: Path) -> Path:
        if self.name.startswith(".incoming-") and (self / "scripts").exists():
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    monkeypatch.setattr(exchange_module, "exchange", lambda one, other: False)

    with pytest.raises(OSError, match="Input/output"):
        copy_skill(make_skill(tmp_path / "new"), old, replace=True)

    assert (old / "old").exists()


def test_a_skill_is_not_copied_into_itself(tmp_path: Path) -> None:
    directory = make_skill(tmp_path)

    with pytest.raises(InvalidInput, match="inside"):
        copy_skill(directory, directory / "copy")


def test_removing_what_is_read_only_or_gone(tmp_path: Path) -> None:
    directory = make_skill(tmp_path)
    (directory / "scripts").chmod(0o555)
    (tmp_path / "outside").mkdir(mode=0o711)
    (directory / "link").symlink_to(tmp_path / "outside")

    remove_tree(directory)
    remove_tree(directory)

    assert not directory.exists()
    assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o711
    assert os.path.lexists(tmp_path / "outside")


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")

    for path in (tmp_path / "pipe.zip", Path("/dev/zero")):
        with pytest.raises(InvalidSkill, match="not a regular file"):
            unpack_zip(path, tmp_path / "out")

    assert not (tmp_path / "out").exists()
