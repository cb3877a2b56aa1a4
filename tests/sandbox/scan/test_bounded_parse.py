"""Parsing ends in time, and gives for ordinary text what the library gives."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import tree_sitter
import tree_sitter_javascript

from skilllite_sandbox.policy import MIB
from skilllite_sandbox.scan.bounded_parse import PARSE_S_MAX, PIECE_BYTES, parse_bounded
from skilllite_sandbox.scan.javascript import analyse_javascript_text
from skilllite_sandbox.scan.record import OutOfBounds
from skilllite_sandbox.scan.shell import syntax

HOSTILE = "${a:-" * 40_000
HERE_DOCUMENTS = "<<E\n" * 100_000  # each of them is looked for to the end of the script


@pytest.fixture
def language() -> tree_sitter.Language:
    return tree_sitter.Language(tree_sitter_javascript.language())


def test_text_that_no_parser_likes_is_given_up(language: tree_sitter.Language) -> None:
    began = time.thread_time()

    with pytest.raises(OutOfBounds):
        parse_bounded(language, HOSTILE.encode())

    assert time.thread_time() - began < 3 * PARSE_S_MAX


def test_small_text_that_no_parser_likes_is_given_up_too(language: tree_sitter.Language) -> None:
    with pytest.raises(OutOfBounds):
        parse_bounded(language, ("${a:-" * 3000).encode(), seconds=0.05)


def test_ordinary_text_gives_the_same_tree_in_pieces(language: tree_sitter.Language) -> None:
    text = "".join(f"function f{n}(a) {{ return [a, '{n} ä'].join('-'); }}\n" for n in range(400))
    data = text.encode()
    assert len(data) > 3 * PIECE_BYTES

    tree = parse_bounded(language, data)

    assert str(tree.root_node) == str(tree_sitter.Parser(language).parse(data).root_node)
    assert tree.root_node.end_byte == len(data)


def test_threads_parse_side_by_side(language: tree_sitter.Language) -> None:
    data = ("const a = [" + "1, " * 4000 + "2];\n").encode() * 3

    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(lambda _: parse_bounded(language, data, seconds=5), range(40)))

    assert {tree.root_node.end_byte for tree in trees} == {len(data)}


def test_a_script_that_is_given_up_is_said_to_be_unseen() -> None:
    assert analyse_javascript_text(HOSTILE, "scripts/main.js").opaque != ()


def test_text_of_a_script_is_there_when_the_time_to_parse_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = syntax.parse("".join(f"echo a{n}\n" for n in range(3000)))
    monkeypatch.setattr(time, "thread_time", lambda: float("inf"))

    texts = [node.text for node in root.named_children]

    assert texts == [f"echo a{n}" for n in range(3000)]


def test_parsing_hostile_text_again_keeps_no_memory() -> None:
    def give_up() -> int:
        with pytest.raises(OutOfBounds):
            syntax.parse(HERE_DOCUMENTS)
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096

    give_up()
    first = give_up()

    assert max(give_up() for _ in range(6)) - first < 8 * MIB
