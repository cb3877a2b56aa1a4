"""What an attack is: a script, and the one effect on the host that it has without isolation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attack:
    """One bad thing to try."""

    language: str
    name: str
    script: str
    effect: str
    """What `Lab` sees on the host when it works: see `Result.effects`."""
    needs_root: bool = False
    """Whether only root can do it at all."""
    wait_s: float = 0.0
    """How long after the run the effect shows."""

    def __str__(self) -> str:
        return f"{self.language}-{self.effect.replace(' ', '-')}-{self.name}"
