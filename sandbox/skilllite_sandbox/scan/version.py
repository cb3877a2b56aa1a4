"""The version of the scanner, by itself: who has a verdict kept needs nothing else of it."""

from __future__ import annotations

SCANNER_VERSION = 5
"""Bump whenever the same files may get another verdict: kept verdicts of another are not used."""
