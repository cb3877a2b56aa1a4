"""Looks at every file of a skill before anything of it runs, and says what it does.

Engines (one for each language, and for structure, Unicode, text, pickles, dependencies) report what
the code *does* as acts and flows; rules.py turns those into findings; verdict.py turns findings
into PASS, REVIEW or BLOCK. No verdict grants anything.
"""
