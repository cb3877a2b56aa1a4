"""Front matter: whatever the bytes, either plain text values or one clear error."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from skilllite_sandbox.errors import InvalidSkill
from skilllite_sandbox.frontmatter import parse_front_matter
from skilllite_sandbox.manifest import SKILL_FILE_BYTES_MAX


def parse(yaml_text: str) -> dict[str, object]:
    return dict(parse_front_matter(f"---\n{yaml_text}\n---\n".encode()).fields)


def refusal(data: bytes) -> InvalidSkill:
    with pytest.raises(InvalidSkill) as caught:
        parse_front_matter(data)
    return caught.value


def test_every_scalar_stays_the_text_that_was_written() -> None:
    fields = parse("a: 1.0\nb: yes\nc: 2026-99-99\nd: 0x1F\ne: '7'\nf: 12:30:45\ng: 1_000")

    assert fields == {
        **{"a": "1.0", "b": "yes", "c": "2026-99-99", "d": "0x1F"},
        **{"e": "7", "f": "12:30:45", "g": "1_000"},
    }


def test_nothing_written_is_empty_text_but_a_quoted_null_is_itself() -> None:
    assert parse("a:\nb: ~\nc: null\nd: 'null'") == {"a": "", "b": "", "c": "", "d": "null"}


def test_lists_and_maps_nest() -> None:
    assert parse("a:\n  b: [x, {c: d}]") == {"a": {"b": ["x", {"c": "d"}]}}


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("newline", [b"\r\n", b"\n", b"\r"])
def test_byte_order_mark_and_line_ends_make_no_difference(mark: bytes, newline: bytes) -> None:
    front = parse_front_matter(mark + newline.join([b"---", b"name: x", b"---", b"one", b"two"]))

    assert front.fields == {"name": "x"}
    assert front.body == "one\ntwo"


def test_a_file_that_ends_with_the_second_fence_is_whole() -> None:
    assert parse_front_matter(b"---\nname: x\n---").fields == {"name": "x"}


def test_only_the_first_two_fences_count() -> None:
    assert parse_front_matter(b"---\na: b\n---\ntext\n---\nmore").body == "text\n---\nmore"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("description: Use it: always", "Use it: always"),
        ("description: it's so: really", "it's so: really"),
        ("description: [beta] does things", "[beta] does things"),
        ("description: @home and away", "@home and away"),
        ("description: ends with:", "ends with:"),
        ("description: Use it: when\n  it goes on here", "Use it: when it goes on here"),
    ],
)
def test_a_value_that_needs_quotes_is_read_as_if_it_had_them(line: str, value: str) -> None:
    front = parse_front_matter(f"---\nname: x\n{line}\nlicense: MIT\n---\n".encode())

    assert front.fields == {"name": "x", "description": value, "license": "MIT"}
    assert "quotes" in front.oddities[0]


def test_quoting_leaves_good_values_and_nested_keys_alone() -> None:
    front = parse_front_matter(
        b"---\ndescription: a: b\nallowed-tools: [Read, Write]\nmetadata:\n  k: c: d\n---\n"
    )

    assert front.fields["allowed-tools"] == ["Read", "Write"]
    assert front.fields["metadata"] == {"k": "c: d"}


def test_a_key_given_twice_is_reported_and_the_last_one_counts() -> None:
    front = parse_front_matter(b"---\na: 1\na: 2\n---\n")

    assert front.fields == {"a": "2"}
    assert "twice" in front.oddities[0]


def test_a_tag_makes_no_object() -> None:
    front = parse_front_matter(b'---\na: !!python/object/apply:os.system ["true"]\n---\n')

    assert front.fields == {"a": ["true"]}


def test_a_foreign_tag_is_reported() -> None:
    assert "!boom" in parse_front_matter(b"---\na: !boom x\n---\n").oddities[0]


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    started = time.monotonic()

    error = refusal(("---\n" + "\n".join(lines) + "\n---\n").encode())

    assert "alias" in error.message
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no front matter"),
        (b"# Title\n", "no front matter"),
        (b"---\nname: x\n", "never ends"),
        (b"---\n- a\n- b\n---\n", "not valid YAML"),
        (b"---\njust words\n---\n", "not valid YAML"),
        (b"---\na: 'x\n---\n", "not valid YAML"),
        (b"---\n\ta: b\n---\n", "not valid YAML"),
        (b"---\na: \x00\n---\n", "not valid YAML"),
        (b"---\n? [a, b]\n: c\n---\n", "key"),
        (b"---\na: b\n...\nc: d\n---\n", "YAML"),
        (b"---\na: caf\xe9\n---\n", "not UTF-8"),
        (b"---\na: " + b"[" * 40 + b"]" * 40 + b"\n---\n", "deeper"),
        (b"---\na: [" + b"x, " * 5000 + b"x]\n---\n", "more than"),
        (b"---\na: " + b"x" * 70_000 + b"\n---\n", "larger than 64 KiB"),
        (b"---\na: b\n---\n" + b"x" * SKILL_FILE_BYTES_MAX, "larger than 1024 KiB"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(data: bytes, words: str) -> None:
    error = refusal(data)

    assert words in error.message


def test_an_escape_that_is_half_a_character_does_not_get_through() -> None:
    refusal(b'---\na: "\\ud800"\n---\n')


def test_a_file_at_the_bound_is_read() -> None:
    head = b"---\na: b\n---\n"
    body = b"x" * (SKILL_FILE_BYTES_MAX - len(head))

    assert len(parse_front_matter(head + body).body) == len(body)


YAML_PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "a",
                "b: ",
                "- ",
                "\n",
                "  ",
                ": ",
                "&x ",
                "*x",
                "!t ",
                "|\n",
                ">",
                "'",
                '"',
                "[",
                "]",
            ),
            *(
                "{",
                "}",
                ",",
                "#",
                "? ",
                "%",
                "\t",
                "---",
                "...",
                "\u2028",
                "\x85",
                "\\",
                "é",
                "<<: ",
            ),
        ]
    ),
    max_size=40,
).map("".join)


@pytest.fixture(params=["libyaml", "pure Python"])
def loader(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "pure Python":
            patch.delattr(yaml, "CSafeLoader", raising=False)
        yield str(request.param)


@pytest.mark.usefixtures("loader")
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200) | YAML_PIECES.map(lambda text: f"---\n{text}\n---\n".encode()))
@example(b"---\na: !!int x\n---\n")
@example(b"---\n--- x\n---\n")
@example(b'---\na: "\\UFFFFFFFF"\n---\n')
@example(b'---\na: "\\ud800"\n---\n')
def test_no_bytes_raise_anything_but_invalid_skill(data: bytes) -> None:
    try:
        front = parse_front_matter(data)
    except InvalidSkill:
        return

    assert all(isinstance(key, str) for key in front.fields)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip))
def test_any_text_in_single_quotes_comes_back(text: str) -> None:
    quoted = text.replace("'", "''")

    fields = parse(f"description: '{quoted}'")

    if "\u2028" not in text and "\u2029" not in text and "\ufeff" not in text:  # YAML line breaks
        assert fields == {"description": text}
