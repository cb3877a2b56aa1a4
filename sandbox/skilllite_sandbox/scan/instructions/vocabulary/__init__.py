"""The words that signs are made of, field by field. Only tables.

Written as in lexicon.py: `*` ends a beginning, blanks make a phrase. `@name` stands for the entries
of another field. English forms (-s, -ed, -ing) are found by their stems. A field alone says
nothing.
"""
