"""Which back ends the compatibility tests are about, and what is known to differ in them.

The promise: a skill behaves as under the bare interpreter, as far as isolation permits. A new back
end joins `BACK_ENDS` and has to pass everything; `KNOWN_DIFFERENCES` holds what one does otherwise,
as failures that are expected and are reported when they stop.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from skilllite_sandbox import Level, Sandbox, Tier


@dataclass(frozen=True, slots=True)
class BackEnd:
    """One way of isolation that skills must not notice."""

    name: str
    tier: Tier

    def open(self) -> Sandbox:
        """Return a sandbox that runs skills this way, with the default profile and limits."""
        return Sandbox(Level.ISOLATED, tier=self.tier)


_FOR_ROOT = (BackEnd("root", Tier.ROOT_CHROOT),) if os.geteuid() == 0 else ()
BACK_ENDS = (BackEnd("zygote", Tier.FULL), BackEnd("bubblewrap", Tier.BWRAP), *_FOR_ROOT)

_LIBRARY = "test_a_skill_finds_what_it_finds_outside"
_ENDING = "test_a_script_ends_as_outside"
_WORLD = "test_a_script_finds_the_world_it_finds_outside"
_GUEST_FRAMES = "the guest's own frames can be seen"

_IN_ALL = {
    _GUEST_FRAMES: (
        f"{_ENDING}[with a hook that fails]",
        f"{_WORLD}[the frames above it]",
        f"{_WORLD}[the frame above it]",
        f"{_WORLD}[the stack printed]",
        f"{_WORLD}[the stack dumped]",
    ),
    "Python skills have no /dev/stdin": (
        "test_a_script_reads_its_input_as_outside[as /dev/stdin]",
    ),
    "the guest keeps its channel to the host open": (f"{_WORLD}[its descriptors]",),
    "without /proc descriptors have no names": tuple(
        f"test_descriptors_have_names_as_outside[{name}]"
        for name in (
            *("process substitution", "an output substitution", "a descriptor by name"),
            *("stdout by name", "stderr by name", "mapfile from a substitution"),
        )
    ),
}
_ONLY_IN: dict[str, dict[str, tuple[str, ...]]] = {
    "zygote": {
        "the skill's folder is behind a link": (f"{_LIBRARY}[parts]",),
    },
    "bubblewrap": {
        "bubblewrap adds PWD": (
            f"{_WORLD}[its environment]",
            "test_the_environment_is_what_is_promised",
        ),
        "bubblewrap reports a death by signal as an exit status": (
            f"{_ENDING}[with a broken pipe and pipefail]",
        ),
    },
    "root": {
        "a run has a user of its own, and the host's name can be seen": (
            "test_the_world_is_what_is_promised",
            "test_the_user_has_a_name_and_a_home",
            "test_platform_answers_without_asking_another_program",
        ),
        "Landlock refuses before a mount could": (
            "test_what_is_not_caught_is_a_plain_traceback[writing beside the programs]",
        ),
    },
}

KNOWN_DIFFERENCES: dict[tuple[str, str], str] = {
    (back_end, test): reason
    for back_end, own in _ONLY_IN.items()
    if back_end in {each.name for each in BACK_ENDS}
    for reason, tests in (_IN_ALL | own).items()
    for test in tests
}
"""(back end, test as it is called without the back end) -> why it fails."""
