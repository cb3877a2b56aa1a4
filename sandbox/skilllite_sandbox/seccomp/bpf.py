"""Assembles a table of system call rules into a classic BPF program for seccomp.

Decides nothing: which call gets which verdict is `filters.py`. What it guarantees is the frame
around the rules: a foreign architecture kills the process, the x32 numbers of x86_64 kill it, and a
number that no rule names gets the default.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ALLOW: Final = 0x7FFF_0000
KILL_PROCESS: Final = 0x8000_0000
NOTIFY: Final = 0x7FC0_0000
"""Ask whoever holds the listener; without one the call fails with ENOSYS."""
_ERRNO: Final = 0x0005_0000

# One instruction is (code, jump if true, jump if false, operand).
Instruction = tuple[int, int, int, int]

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND: Final = 0x54  # BPF_ALU | BPF_AND | BPF_K
_JUMP: Final = 0x05  # BPF_JMP | BPF_JA
_JUMP_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_GREATER_EQUAL: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K

_NUMBER_OFFSET: Final = 0  # offsets into struct seccomp_data
_ARCH_OFFSET: Final = 4
_ARGS_OFFSET: Final = 16

_X32_BIT: Final = 0x4000_0000
_MAX_SHORT_JUMP: Final = 255  # jt and jf are one byte
_MAX_INSTRUCTIONS: Final = 4096  # BPF_MAXINSNS: the kernel refuses a longer program
_WORD: Final = 0xFFFF_FFFF


def errno_action(number: int) -> int:
    """Return the verdict that makes a call fail with this errno."""
    return _ERRNO | number


@dataclass(frozen=True, slots=True)
class ArgumentTest:
    """True when `argument & mask == value`, on the low word, or on both words if `wide`.

    Arguments that the kernel takes as `int` must be tested on the low word alone: it ignores the
    upper half, so a test of both would let `fd | 1 << 32` slip past a rule that forbids `fd`.
    """

    argument: int
    mask: int
    value: int
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """The verdict when every test holds."""

    tests: tuple[ArgumentTest, ...]
    action: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Clauses in order; the first that holds decides, else `otherwise`."""

    clauses: tuple[Clause, ...]
    otherwise: int


Rule = int | Checked
"""A plain verdict, or one that depends on the arguments."""


def assemble(rules: Mapping[int, Rule], *, audit_arch: int, default: int, unknown: int) -> bytes:
    """Return the program as the array of `struct sock_filter` that the kernel takes.

    Args:
        rules: Verdict by system call number.
        audit_arch: The only architecture whose calls are judged at all.
        default: Verdict for a number that no rule names.
        unknown: Verdict for numbers above the highest one named: calls younger than our table.
    """
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH_OFFSET),
        (_JUMP_EQUAL, 1, 0, audit_arch),
        (_RETURN, 0, 0, KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, KILL_PROCESS),
    ]
    spans = _spans(rules, default, unknown)
    program += _search(spans, 0, len(spans))
    if len(program) > _MAX_INSTRUCTIONS:
        raise ValueError(f"filter of {len(program)} instructions exceeds {_MAX_INSTRUCTIONS}")
    words = [word for instruction in program for word in instruction]
    return struct.pack("<" + "HBBI" * len(program), *words)


def _spans(rules: Mapping[int, Rule], default: int, unknown: int) -> list[tuple[int, Rule]]:
    """Return (first number, rule) for every run of numbers with one verdict, from 0 up."""
    spans: list[tuple[int, Rule]] = [(0, default)]
    following = 0
    for number in sorted(rules):
        if number > following and spans[-1][1] != default:
            spans.append((following, default))
        rule = rules[number]
        if spans[-1][0] == number:
            spans[-1] = (number, rule)
        elif spans[-1][1] != rule:
            spans.append((number, rule))
        following = number + 1
    if spans[-1][1] != unknown:
        spans.append((following, unknown))
    return spans


def _search(spans: list[tuple[int, Rule]], low: int, high: int) -> list[Instruction]:
    """Return a binary search for the span that holds the accumulator."""
    if high - low == 1:
        return _leaf(spans[low][1])
    middle = (low + high) // 2
    below = _search(spans, low, middle)
    above = _search(spans, middle, high)
    if len(below) <= _MAX_SHORT_JUMP:
        return [(_JUMP_GREATER_EQUAL, len(below), 0, spans[middle][0]), *below, *above]
    return [
        (_JUMP_GREATER_EQUAL, 0, 1, spans[middle][0]),
        (_JUMP, 0, 0, len(below)),
        *below,
        *above,
    ]


def _leaf(rule: Rule) -> list[Instruction]:
    if isinstance(rule, int):
        return [(_RETURN, 0, 0, rule)]
    code: list[Instruction] = []
    for clause in rule.clauses:
        code += _clause(clause)
    code.append((_RETURN, 0, 0, rule.otherwise))
    return code


def _clause(clause: Clause) -> list[Instruction]:
    """Return code that returns the clause's verdict, or falls through to the next one."""
    blocks = [
        (offset, mask, value) for test in clause.tests for offset, mask, value in _word_tests(test)
    ]
    code: list[Instruction] = [(_RETURN, 0, 0, clause.action)]
    for offset, mask, value in reversed(blocks):
        to_end = len(code)
        head: list[Instruction] = [(_LOAD, 0, 0, offset)]
        if mask != _WORD:
            head.append((_AND, 0, 0, mask))
        head.append((_JUMP_EQUAL, 0, to_end, value))
        code = head + code
    return code


def _word_tests(test: ArgumentTest) -> list[tuple[int, int, int]]:
    offset = _ARGS_OFFSET + 8 * test.argument  # little-endian: the low word comes first
    words = [(offset, test.mask & _WORD, test.value & _WORD)]
    if test.wide:
        words.append((offset + 4, test.mask >> 32, test.value >> 32))
    return words
