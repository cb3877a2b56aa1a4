"""Parsing ends in time, and gives for ordinary text what the library gives."""

from __future__ import annotations

import time

import pytest
import tree_sitter
import tree_sitter_javascript

from skilllite_sandbox.scan.bounded_parse import PARSE_S_MAX, PIECE_BYTES, parse_bounded
from skilllite_sandbox.scan.javascript import analyse_javascript_text
from skilllite_sandbox.scan.record import OutOfBounds

HOSTILE = "${a:-" * 40_000


@pytest.fixture
def parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language()))


def test_text_that_no_parser_likes_is_given_up(parser: tree_sitter.Parser) -> None:
    began = time.thread_time()

    with pytest.raises(OutOfBounds):
        parse_bounded(parser, HOSTILE.encode())

    assert time.thread_time() - began < 5 * PARSE_S_MAX


def test_ordinary_text_gives_the_same_tree_in_pieces(parser: tree_sitter.Parser) -> None:
    text = "".join(f"function f{n}(a) {{ return [a, '{n} ä'].join('-'); }}\n" for n in range(400))
    data = text.encode()
    assert len(data) > 3 * PIECE_BYTES

    tree = parse_bounded(parser, data)

    assert str(tree.root_node) == str(parser.parse(data).root_node)
    assert tree.root_node.end_byte == len(data)


def test_a_script_that_is_given_up_is_said_to_be_unseen() -> None:
    assert analyse_javascript_text(HOSTILE, "scripts/main.js").opaque != ()
