"""All fields of words that signs are made of; broader than those of lexicon.py, alone nothing."""

from __future__ import annotations

from skilllite_sandbox.scan.instructions.vocabulary.orders import ORDERS
from skilllite_sandbox.scan.instructions.vocabulary.people import PEOPLE
from skilllite_sandbox.scan.instructions.vocabulary.things import THINGS
from skilllite_sandbox.scan.instructions.vocabulary.unspaced import UNSPACED

FIELDS = {**PEOPLE, **THINGS, **ORDERS}
UNSPACED_FIELDS = UNSPACED
