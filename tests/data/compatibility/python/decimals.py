"""Exact arithmetic: decimal, fractions, big integers."""
import json
import math
import sys
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, getcontext, localcontext
from fractions import Fraction

facts = {"sum": str(Decimal("0.1") + Decimal("0.2")), "default": getcontext().prec}
with localcontext() as context:
    context.prec = 60
    facts["root"] = str(Decimal(2).sqrt())
facts["rounded"] = str(Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_EVEN))
facts["context"] = str(Context(prec=5).divide(1, 3))
try:
    Decimal(1) / 0
except DivisionByZero:
    facts["divided"] = True
facts["fraction"] = str(sum(Fraction(1, n) for n in range(1, 20)))
facts["big"] = str(math.factorial(200))
facts["pow"] = pow(3, 10_000, 1_000_007)
facts["isqrt"] = str(math.isqrt(10**100))
facts["digits"] = sys.get_int_max_str_digits()
facts["float"] = [0.1 + 0.2, 1e308 * 10 == math.inf, (-7) // 2, round(2.5), 1.1.hex()]
assert facts["sum"] == "0.3"
print(json.dumps(facts))
