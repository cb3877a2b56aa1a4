"""Add, subtract, multiply or divide two numbers.

Integers stay exact at any size up to DIGITS_MAX. Fractions are taken at the decimal value they were
written with and rounded once at the end, so 0.1 + 0.2 is 0.3.
"""

from __future__ import annotations

import json
import math
import sys

OPERATIONS = ("add", "subtract", "multiply", "divide")
DIGITS_MAX = 1000  # digits: the product of two operands still prints below Python's limit of 4300
FRACTION_DIGITS = 60  # digits kept between the exact operands and the one final rounding
INPUT_BYTES_MAX = 64 * 1024  # bytes: two operands of DIGITS_MAX need about 2 KiB


class Refusal(Exception):
    """The request cannot be served; the message says which field is wrong and what is allowed."""


def read_request() -> dict[str, object]:
    """Return the JSON object on standard input."""
    raw = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
    if len(raw) > INPUT_BYTES_MAX:
        raise Refusal(f"the input is larger than {INPUT_BYTES_MAX} bytes")
    try:
        request = json.loads(raw)
    except (ValueError, RecursionError):  # UnicodeDecodeError and "too many digits" included
        raise Refusal("the input must be one JSON object in UTF-8") from None
    if not isinstance(request, dict):
        raise Refusal("the input must be a JSON object with the fields operation, a and b")
    return request


def operation_of(request: dict[str, object]) -> str:
    unknown = sorted(set(request) - {"operation", "a", "b"})
    if unknown:
        raise Refusal(f"field {unknown[0][:60]!a} is not known; allowed are operation, a and b")
    operation = request.get("operation")
    if not isinstance(operation, str) or operation not in OPERATIONS:
        raise Refusal(f"operation must be one of {', '.join(OPERATIONS)}")
    return operation


def operand(request: dict[str, object], name: str) -> int | float:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(f"{name} must be a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise Refusal(f"{name} must be a finite number, at most about 1.8e308")
    if isinstance(value, int) and abs(value) >= 10**DIGITS_MAX:
        raise Refusal(f"{name} must have at most {DIGITS_MAX} digits")
    return value


def calculate(operation: str, a: int | float, b: int | float) -> int | float:
    """Return the result: exact for integers, else the float nearest to the exact value."""
    if operation == "divide" and b == 0:
        raise Refusal("b must not be zero when the operation is divide")
    if isinstance(a, int) and isinstance(b, int):
        if operation == "add":
            return a + b
        if operation == "subtract":
            return a - b
        if operation == "multiply":
            return a * b
        if a % b == 0:
            return a // b
    result = calculate_fraction(operation, a, b)
    if not math.isfinite(result):
        raise Refusal("the result is too large: it must stay below about 1.8e308")
    return result


def calculate_fraction(operation: str, a: int | float, b: int | float) -> float:
    # Imported here because most requests are about integers and need not pay for it.
    import decimal

    # The context spans every operand that can arrive, so neither Overflow nor Underflow is raised.
    context = decimal.Context(prec=FRACTION_DIGITS, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
    left, right = decimal.Decimal(repr(a)), decimal.Decimal(repr(b))
    methods = {
        "add": context.add,
        "subtract": context.subtract,
        "multiply": context.multiply,
        "divide": context.divide,
    }
    return float(methods[operation](left, right))


def main() -> int:
    try:
        request = read_request()
        operation = operation_of(request)
        a, b = operand(request, "a"), operand(request, "b")
        result = calculate(operation, a, b)
    except Refusal as refusal:
        print(json.dumps({"error": str(refusal)}))
        return 1
    print(json.dumps({"operation": operation, "a": a, "b": b, "result": result}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
