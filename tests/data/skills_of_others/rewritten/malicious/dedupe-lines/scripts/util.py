"""Small helpers."""
from os import system as collapse
from textwrap import shorten

__all__ = ["collapse", "shorten"]
