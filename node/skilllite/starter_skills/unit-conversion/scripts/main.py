"""Convert a value between units of the same quantity, or list the units."""

from __future__ import annotations

import sys
from fractions import Fraction

import contract
from units import Unit, all_units

VALUE_MAX = 10**100  # magnitude: times the largest ratio of two units it still fits a float
INTEGER_MAX = 10**15  # results up to here are integers in every JSON reader
DECIMALS_MAX = 15  # what a double can hold
NAME_CHARACTERS_MAX = 60
OPERATIONS = ("convert", "list")


def answer(request: contract.Request) -> object:
    operation = contract.choice(request, "operation", OPERATIONS, default="convert")
    if operation == "list":
        contract.only_fields(request, ("operation", "quantity"))
        return listing(request)
    contract.only_fields(request, ("operation", "value", "from", "to", "decimals"))
    value = number(request, "value")
    source, target = unit(request, "from"), unit(request, "to")
    if source.quantity != target.quantity:
        raise contract.Refusal(
            f"from and to must measure the same quantity: {source.symbol} is a unit of "
            f"{source.quantity}, {target.symbol} of {target.quantity}"
        )
    exact = convert(value, source, target)
    if "decimals" in request:
        decimals = contract.integer(request, "decimals", low=0, high=DECIMALS_MAX)
        exact = half_away_from_zero(exact, decimals)
    return {
        "value": request["value"],
        "from": source.symbol,
        "to": target.symbol,
        "quantity": source.quantity,
        "result": plain(exact),
    }


def convert(value: Fraction, source: Unit, target: Unit) -> Fraction:
    in_base = (value + source.offset) * source.factor
    if source.quantity == "temperature" and in_base < 0:
        raise contract.Refusal("value is below absolute zero (0 K, -273.15 C, -459.67 F)")
    return in_base / target.factor - target.offset


def half_away_from_zero(value: Fraction, decimals: int) -> Fraction:
    """Return the value rounded as at school; `round` would turn 0.5 into 0."""
    scaled = abs(value) * 10**decimals
    rounded = Fraction(int(scaled + Fraction(1, 2)), 10**decimals)
    return rounded if value >= 0 else -rounded


def plain(value: Fraction) -> int | float:
    """Return an integer when the value is one and every JSON reader can hold it, else a float."""
    if value.denominator == 1 and abs(value) <= INTEGER_MAX:
        return int(value)
    return float(value)


def number(request: contract.Request, name: str) -> Fraction:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise contract.Refusal(f"{name} must be a number")
    if abs(value) > VALUE_MAX:
        raise contract.Refusal(f"{name} must be at most 1e100 in magnitude")
    # The decimal that was written, not the binary fraction nearest to it.
    return Fraction(repr(value))


def unit(request: contract.Request, name: str) -> Unit:
    """Return the unit with this symbol or name, in the plural too."""
    wanted = contract.text(request, name, characters_max=NAME_CHARACTERS_MAX)
    words = wanted.split()
    spellings = ("_".join(words), "_".join(word.removesuffix("s") for word in words))
    units = all_units()
    for spelling in spellings:
        for candidate in units:
            if spelling in spellings_of(candidate):
                return candidate
    folded = {spelling.lower() for spelling in spellings}
    close = [u for u in units if folded & {known.lower() for known in spellings_of(u)}]
    if len(close) == 1 and not milli_or_mega(wanted, folded, close[0]):
        return close[0]
    if close:
        symbols = " or ".join(u.symbol for u in close)
        raise contract.Refusal(
            f"{name} is not clear: {contract.shown(wanted)} may mean {symbols}; "
            "upper and lower case differ here"
        )
    raise contract.Refusal(
        f"{name} must be a unit, not {contract.shown(wanted)}; "
        'the operation "list" shows all of them'
    )


def spellings_of(known: Unit) -> tuple[str, ...]:
    return (known.symbol, *known.names)


def milli_or_mega(wanted: str, folded: set[str], found: Unit) -> bool:
    """Return whether ignoring the case took one prefix for another: mJ is not MJ."""
    if folded & {name.lower() for name in found.names if len(name) > 3}:
        return False
    return {wanted.strip()[0], found.symbol[0]} == {"m", "M"}


def listing(request: contract.Request) -> object:
    units = all_units()
    quantities = list(dict.fromkeys(u.quantity for u in units))
    if "quantity" in request:
        quantities = [contract.choice(request, "quantity", quantities)]
    return {
        "units": {
            quantity: [
                {"symbol": u.symbol, "names": list(u.names)}
                for u in units
                if u.quantity == quantity
            ]
            for quantity in quantities
        }
    }


if __name__ == "__main__":
    sys.exit(contract.serve(answer))
