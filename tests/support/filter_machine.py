"""A machine of our own that runs a system call filter, so that a verdict is data."""

from __future__ import annotations

import struct


def judge(program: bytes, arch: int, number: int, *arguments: int) -> int:
    """Run a filter over one call and return its verdict; checks what the kernel would check."""
    instructions = list(struct.iter_unpack("<HBBI", program))
    padded = [value & 0xFFFF_FFFF_FFFF_FFFF for value in (*arguments, *[0] * 6)][:6]
    data = struct.pack("<iIQ6Q", number, arch, 0, *padded)
    accumulator = 0
    position = 0
    while True:
        code, if_true, if_false, operand = instructions[position]
        position += 1
        if code == 0x20:
            accumulator = int.from_bytes(data[operand : operand + 4], "little")
        elif code == 0x54:
            accumulator &= operand
        elif code == 0x05:
            position += operand
        elif code == 0x15:
            position += if_true if accumulator == operand else if_false
        elif code == 0x35:
            position += if_true if accumulator >= operand else if_false
        elif code == 0x06:
            return int(operand)
        else:
            raise AssertionError(f"instruction {code:#x}")
