"""Unpacking tars: what `tar` and Python write, and nothing that a skill doesn't need."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import stat
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skill_files import make_skill
from skilllite_sandbox import unpacking
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.tar_archive import MEMBERS_MAX, kind_of_archive, unpack_tar_tree
from skilllite_sandbox.tree import ByteBudget

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


def tar_bytes(*members: tuple[tarfile.TarInfo, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = kind, mode
    return info


def unpack(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "x.tar").write_bytes(data)
    root = tmp_path / "out"
    root.mkdir()
    unpack_tar_tree(tmp_path / "x.tar", root)
    return root


def refuse(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(InvalidSkill) as caught:
        unpack(tmp_path, data)
    return f"{caught.value.message}: {caught.value.cause}"


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_skill_comes_out_as_it_went_in(tmp_path: Path, packer: str, form: int) -> None:
    deep = "folder-with-a-long-name/" * 8 + "file.txt"
    files: dict[str, str | bytes] = {"a/main.py": "print(1)\n" * 9_000, deep: b"\x00" * 513}
    skill = make_skill(tmp_path, "demo", files=files)
    (skill / "empty").mkdir()
    (skill / "a/main.py").chmod(0o755)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        archive.add(skill, "demo")
    data = PACKERS[packer](buffer.getvalue())

    root = unpack(tmp_path, data)

    assert kind_of_archive(tmp_path / "x.tar") == packer
    assert compute_digest(root / "demo") == compute_digest(skill)


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar here")
@pytest.mark.parametrize("option", ["--format=gnu", "--format=pax", "--format=ustar"])
def test_what_tar_writes_comes_out(tmp_path: Path, option: str) -> None:
    skill = make_skill(tmp_path, "demo", files={"ä/x.sh": "echo\n"})
    command = ["tar", option, "-C", str(skill), "-czf", str(tmp_path / "made"), "."]
    subprocess.run(command, check=True)

    root = unpack(tmp_path, (tmp_path / "made").read_bytes())

    assert compute_digest(root) == compute_digest(skill)


def test_modes_are_two(tmp_path: Path) -> None:
    root = unpack(tmp_path, tar_bytes((member("a", mode=0o6777), b""), (member("b", mode=0), b"")))

    assert stat.S_IMODE((root / "a").stat().st_mode) == 0o755
    assert stat.S_IMODE((root / "b").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
        (tarfile.FIFOTYPE, "pipe"),
        (b"Z", "no skill needs"),
    ],
)
def test_only_files_and_folders_come_out(tmp_path: Path, kind: bytes, says: str) -> None:
    info = member("x", kind)
    info.linkname = "/etc/passwd"

    assert says in refuse(tmp_path, tar_bytes((info, b""), kind=tarfile.USTAR_FORMAT))


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "a//b", "./../x", "a\\b", "a/./b", "x\x1b", "a" * 1100]
)
def test_no_name_leads_anywhere_else(tmp_path: Path, name: str) -> None:
    refuse(tmp_path, tar_bytes((member(name), b"x")))

    assert list((tmp_path / "out").rglob("*")) == []
    assert {each.name for each in tmp_path.iterdir()} == {"x.tar", "out"}


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("a", "a", "twice"),
        ("a", "A", "one for the other"),
        ("é", "e\u0301", "one for the other"),
        ("d/x", "D/y", "one for the other"),
        ("a", "a/b", "twice"),
    ],
)
def test_two_files_never_have_one_name(tmp_path: Path, one: str, other: str, says: str) -> None:
    assert says in refuse(tmp_path, tar_bytes((member(one), b"1"), (member(other), b"2")))


@pytest.mark.parametrize("packer", ["gzip", "bzip2", "xz"])
def test_a_bomb_stops_early(tmp_path: Path, packer: str) -> None:
    data = PACKERS[packer](tar_bytes((member("zeros"), bytes(40 << 20))))
    started = time.monotonic()

    assert "times its size" in refuse(tmp_path, data)
    assert time.monotonic() - started < 10
    assert (tmp_path / "out/zeros").stat().st_size < 20 << 20


def test_all_files_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "ByteBudget", lambda: ByteBudget(1 << 20))
    parts = [(member(str(number)), bytes(1 << 18)) for number in range(5)]

    assert "larger than 1 MiB" in refuse(tmp_path, tar_bytes(*parts))


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "TREE_ENTRIES_MAX", 3)

    assert "more than 3" in refuse(
        tmp_path, tar_bytes(*((member(f"d/{number}"), b"") for number in range(4)))
    )


def test_an_extended_header_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    info = member("x", b"x")
    data = bytearray(tar_bytes((info, b""), kind=tarfile.USTAR_FORMAT))
    data[124:136] = b"77777777777\0"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])

    assert "extended header" in refuse(tmp_path, bytes(data))


@pytest.mark.parametrize("key", ["size", "linkpath", "GNU.sparse.name"])
def test_extended_headers_name_paths_alone(tmp_path: Path, key: str) -> None:
    info = member("x")
    info.pax_headers = {key: "5"}

    assert "extended header" in refuse(tmp_path, tar_bytes((info, b"")))


@pytest.mark.parametrize("data", [b"", b"no tar", bytes(100), b"\x1f\x8b", b"BZh9", b"x" * 600])
def test_what_is_no_tar_is_refused(tmp_path: Path, data: bytes) -> None:
    refuse(tmp_path, data)


def test_zstd_is_named(tmp_path: Path) -> None:
    assert "zstd" in refuse(tmp_path, b"\x28\xb5\x2f\xfd" + bytes(20))


def test_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        unpack_tar_tree(tmp_path / "absent", tmp_path)
    with pytest.raises(InvalidSkill):
        unpack_tar_tree(tmp_path, tmp_path)


@settings(max_examples=300, deadline=2_000, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(PACKERS)),
    st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), max_size=6),
    st.integers(0, 5_000),
)
def test_mutated_archives_end_in_files_below_the_root_or_an_error(
    tmp_path_factory: pytest.TempPathFactory,
    packer: str,
    flips: list[tuple[int, int]],
    cut: int,
) -> None:
    base = tmp_path_factory.mktemp("fuzz")
    plain = tar_bytes((member("SKILL.md"), b"x" * 700), (member("d/y" * 40), b"y"))
    data = bytearray(PACKERS[packer](plain))
    for place, value in flips:
        data[place % len(data)] = value
    (base / "x.tar").write_bytes(bytes(data[: len(data) - cut % len(data)]))
    (base / "out").mkdir()
    try:
        unpack_tar_tree(base / "x.tar", base / "out")
    except InvalidSkill:
        pass
    finally:
        assert {each.name for each in base.iterdir()} == {"x.tar", "out"}
        assert not any(each.is_symlink() for each in base.rglob("*"))
        shutil.rmtree(base)


@pytest.mark.parametrize("packer", ["gzip", "bzip2", "xz"])
def test_an_archive_of_very_many_pieces_is_refused(tmp_path: Path, packer: str) -> None:
    pack = PACKERS[packer]
    data = pack(b"") * (MEMBERS_MAX + 1) + pack(tar_bytes((member("SKILL.md"), b"x")))

    assert "pieces" in refuse(tmp_path, data)
