"""What a list of requirements for pip is called."""

from __future__ import annotations

import re

_REQUIREMENTS_NAME = re.compile(
    r"(?:[\w.-]*[-_.])?(?:requirements?|constraints?)(?:[-_.][\w.-]*)?\.(?:txt|in)"
)
_REQUIREMENTS_FOLDER = re.compile(r"(?:^|/)requirements?/[^/]+\.(?:txt|in)")


def is_requirements(path: str) -> bool:
    """Whether a file is named like a list of requirements for pip."""
    name = path.rpartition("/")[2].lower()
    return _REQUIREMENTS_NAME.fullmatch(name) is not None or bool(
        _REQUIREMENTS_FOLDER.search(path.lower())
    )
