"""How far code is followed, and the kinds of it that say nothing."""

from __future__ import annotations

import ast

CALL_DEPTH_MAX = 12  # functions in functions; also how deep decoders are nested
CALLS_OF_ONE_MAX = 8  # with other arguments each time
CALLS_ON_CONSTANTS_MAX = 64  # a decoder of the skill's own is called for each of its texts
TWICE_DEPTH_MAX = 2  # loops in loops that are followed twice; inner ones once
TURNS_MAX = 20_000  # of all loops with a known condition together
LOOP_TURNS_MAX = 4096  # of a loop over known values: a payload of numbers
LOOP_TURNS_LEAST = 3  # what one turn leaves behind is seen by the next
LOOP_TURNS_DULL = 16  # followed in any case; longer loops only while they put a text together
EXPRESSION_DEPTH_MAX = 150  # operators in operators: far above what people write
BUILTINS = frozenset(dir(__import__("builtins")))
STEPS_OUT = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.Break, ast.Return, ast.Raise)
SKIPPED = (ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal)
