"""What SOURCE means, and what is refused because it could mean two things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite.errors import NotFound, UsageError
from skilllite.found_skills import choose_skill, skill_folders
from skilllite.sources import GitSource, LocalSource, Source, WebSource, parse_source
from skilllite_sandbox.errors import InvalidSkill

HUB = "https://github.com"


def parse(text: str, *here: str, host: str = HUB) -> Source:
    return parse_source(text, exists=lambda path: path in here, host=host)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("./report", LocalSource("./report")),
        ("/srv/report", LocalSource("/srv/report")),
        ("report", LocalSource("report")),
        (".skills/report", LocalSource(".skills/report")),
        ("report.zip", LocalSource("report.zip")),
        ("owner/repo", GitSource(f"{HUB}/owner/repo.git")),
        ("owner/repo.git", GitSource(f"{HUB}/owner/repo.git")),
        ("owner/repo/", GitSource(f"{HUB}/owner/repo.git")),
        ("owner/repo@report", GitSource(f"{HUB}/owner/repo.git", skill="report")),
        ("owner/repo/a/b", GitSource(f"{HUB}/owner/repo.git", subfolder="a/b")),
        ("owner/repo/a@b", GitSource(f"{HUB}/owner/repo.git", subfolder="a", skill="b")),
        ("owner/repo#v1.2", GitSource(f"{HUB}/owner/repo.git", ref="v1.2")),
        ("owner/repo@b#v1", GitSource(f"{HUB}/owner/repo.git", ref="v1", skill="b")),
        ("https://h/o/r", GitSource("https://h/o/r")),
        ("https://h/o/r.git#main:a/b", GitSource("https://h/o/r.git", "main", "a/b")),
        ("https://h/o/r.git@x#main", GitSource("https://h/o/r.git", "main", skill="x")),
        (
            "https://github.com/o/r/tree/main/skills/x",
            GitSource("https://github.com/o/r", "main", "skills/x"),
        ),
        ("ssh://git@h/o/r.git", GitSource("ssh://git@h/o/r.git")),
        ("git@h:o/r.git#v1", GitSource("git@h:o/r.git", "v1")),
        ("git@h:o/r.git@x", GitSource("git@h:o/r.git", skill="x")),
        ("file:///srv/r.git#:a", GitSource("file:///srv/r.git", subfolder="a")),
        ("git+https://h/x.zip", GitSource("https://h/x.zip")),
        ("https://h/a/x.zip", WebSource("https://h/a/x.zip")),
        ("https://h/x.tar.gz?token=1", WebSource("https://h/x.tar.gz?token=1")),
        ("https://h/x.tgz@b#:a", WebSource("https://h/x.tgz", "a", "b")),
        ("http://127.0.0.1:80/x.zip", WebSource("http://127.0.0.1:80/x.zip")),
    ],
)
def test_a_source_means_one_thing(text: str, meaning: Source) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("git://h/o/r.git", "not a way to add"),
        ("ftp://h/x.git", "not a way to add"),
        ("ext::sh -c id", "there is no"),
        ("http://h/o/r.git", "not encrypted"),
        ("http://h/x.zip", "not encrypted"),
        ("https://user:secret@h/o/r.git", "a user name or a password"),
        ("https://token@h/x.zip", "a user name or a password"),
        ("ssh://git:secret@h/o/r.git", "a password"),
        ("ssh://-oProxyCommand=id/o/r.git", "can't be a host"),
        ("ssh://-oProxyCommand=id@h/o/r.git", "can't be a host"),
        ("ssh:///o/r.git", "can't be a host"),
        ("https://h/o/r.git#--upload-pack=x", "branch, tag or commit"),
        ("owner/repo#-x", "branch, tag or commit"),
        ("owner/repo#a..b", "branch, tag or commit"),
        ("owner/repo@../x", "name of a skill"),
        ("https:///x.zip", "names no host"),
        ("git+-oProxyCommand=x", "not the address"),
        ("a\nb", "control characters"),
        ("x" * 5000, "too long"),
    ],
)
def test_what_can_not_be_meant_is_refused(text: str, says: str) -> None:
    if text == "ext::sh -c id":
        assert parse(text) == LocalSource(text)  # and there is no such folder
        return
    with pytest.raises(UsageError, match=says):
        parse(text)


def test_what_is_here_and_could_be_a_repository_is_not_guessed() -> None:
    with pytest.raises(UsageError) as caught:
        parse("skills/report", "skills/report")

    assert caught.value.hint == f"write ./skills/report, or {HUB}/skills/report.git"
    assert parse("./skills/report", "./skills/report") == LocalSource("./skills/report")


def test_a_skill_that_is_here_is_what_is_meant() -> None:
    here = parse_source("src/mine", exists=lambda path: True, holds_skill=lambda path: True)

    assert here == LocalSource("src/mine")


def test_the_host_of_short_names_is_a_setting() -> None:
    assert parse("a/b", host="file:///srv/git/") == GitSource("file:///srv/git/a/b.git")


@pytest.mark.parametrize("host", ["http://example.com", "ext::sh -c id", "git://h", "https://u@h"])
def test_the_host_has_to_keep_the_rules_too(host: str) -> None:
    with pytest.raises(UsageError):
        parse("a/b", host=host)


def test_one_skill_of_a_folder_is_named_behind_it() -> None:
    assert parse("repo.zip@x", "repo.zip") == LocalSource("repo.zip", "x")
    assert parse("odd@name", "odd@name") == LocalSource("odd@name")


@given(st.text(max_size=60))
def test_no_text_ends_in_anything_but_a_meaning_or_an_error(text: str) -> None:
    try:
        source = parse(text)
    except (UsageError, NotFound):
        return

    if isinstance(source, GitSource):
        assert not source.url.startswith("-")
        assert not source.ref.startswith("-")


PATHS = [
    "README.md",
    "skills/a/SKILL.md",
    "skills/a/scripts/main.py",
    "skills/a/inner/SKILL.md",
    "skills/b/SKILL.md",
    ".claude/skills/c/SKILL.md",
    "node_modules/d/SKILL.md",
    "1/2/3/4/5/6/7/SKILL.md",
]


def choose(subfolder: str = "", skill: str = "", paths: list[str] = PATHS) -> str:
    names = {"skills/b": "bee"}
    return choose_skill(
        paths,
        subfolder=subfolder,
        skill=skill,
        where="o/r",
        name_of=lambda folder: names.get(folder, ""),
    )


def test_skills_are_found_where_people_keep_them() -> None:
    assert skill_folders(PATHS) == [".claude/skills/c", "skills/a", "skills/b"]
    assert skill_folders(["SKILL.md", "a/SKILL.md"]) == [""]
    assert skill_folders(["a/SKILL.md", "a-b/SKILL.md", "a/x/SKILL.md"]) == ["a", "a-b"]
    assert len(skill_folders(f"{number}/SKILL.md" for number in range(50_000))) == 50_000


def test_one_of_several_is_chosen_by_folder_or_name() -> None:
    assert choose(skill="a") == "skills/a"
    assert choose(skill="bee") == "skills/b"
    assert choose(subfolder="skills/b") == "skills/b"
    assert choose(subfolder="skills", skill="b") == "skills/b"
    assert choose(paths=["x/SKILL.md"]) == "x"


def test_several_are_listed() -> None:
    with pytest.raises(UsageError) as caught:
        choose()

    assert caught.value.cause == ".claude/skills/c, skills/a, skills/b"


def test_none_is_said() -> None:
    with pytest.raises(NotFound, match="no skill z"):
        choose(skill="z")
    with pytest.raises(NotFound, match="no folder"):
        choose(subfolder="skill")
    with pytest.raises(InvalidSkill):
        choose(paths=["README.md"])
