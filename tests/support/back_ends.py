"""Which back ends the compatibility tests are about, and what is known to differ in them.

The promise: a skill behaves as under the bare interpreter, as far as isolation permits. A new back
end joins `BACK_ENDS` and has to pass everything; `KNOWN_DIFFERENCES` holds what one does otherwise,
as failures that are expected and are reported when they stop.
"""

from __future__ import annotations

from dataclasses import dataclass

from skilllite_sandbox import Level, Sandbox, Tier


@dataclass(frozen=True, slots=True)
class BackEnd:
    """One way of isolation that skills must not notice."""

    name: str
    tier: Tier

    def open(self) -> Sandbox:
        """Return a sandbox that runs skills this way, with the default profile and limits."""
        return Sandbox(Level.ISOLATED)


BACK_ENDS = (BackEnd("bubblewrap", Tier.BWRAP),)

_LIBRARY = "test_a_skill_finds_what_it_finds_outside"
_ENDING = "test_a_script_ends_as_outside"
_WORLD = "test_a_script_finds_the_world_it_finds_outside"
_INTERRUPT = "the guest ends with status 1 where Python kills itself by SIGINT"
_GUEST_FRAMES = "the guest's own frames can be seen"
_MAIN = "the guest's __main__ lacks __annotations__ and __cached__, and its __loader__ is None"
_SITE = "without site only exit and quit are there, as plain functions"

KNOWN_DIFFERENCES: dict[tuple[str, str], str] = {
    ("bubblewrap", test): reason
    for reason, tests in {
        "there is no /dev/shm, so no named semaphore": (
            f"{_LIBRARY}[thread_pool_of_multiprocessing.py]",
        ),
        _INTERRUPT: (
            f"{_ENDING}[by KeyboardInterrupt]",
            f"{_ENDING}[by interrupting itself]",
        ),
        _GUEST_FRAMES: (
            f"{_ENDING}[with a hook that fails]",
            f"{_WORLD}[the frames above it]",
            f"{_WORLD}[the frame above it]",
            f"{_WORLD}[the stack printed]",
            f"{_WORLD}[the stack dumped]",
        ),
        "the guest is compiled under its path on the host": (
            "test_frames_above_a_script_name_no_path_of_the_host",
        ),
        "Python skills have no /dev/stdin": (
            "test_a_script_reads_its_input_as_outside[as /dev/stdin]",
        ),
        _MAIN: (
            f"{_WORLD}[the names in it]",
            f"{_WORLD}[the kinds of its names]",
            f"{_WORLD}[annotations without any]",
            f"{_WORLD}[its loader]",
        ),
        _SITE: (
            f"{_WORLD}[its builtins]",
            f"{_WORLD}[its ways out]",
            f"{_WORLD}[help]",
        ),
        "the guest keeps its pipe to the host open": (f"{_WORLD}[its descriptors]",),
        "bubblewrap adds PWD": (
            f"{_WORLD}[its environment]",
            "test_the_environment_is_what_is_promised",
        ),
        "Landlock without the right to refer refuses every link and rename across directories": (
            f"{_LIBRARY}[files.js]",
            f"{_ENDING}[with a hard link across directories]",
        ),
        "what Python ignores, SIGPIPE and SIGXFSZ, stays ignored in the bash it becomes": (
            f"{_ENDING}[with a broken pipe]",
            f"{_ENDING}[with a broken pipe and pipefail]",
        ),
        "without /proc descriptors have no names": tuple(
            f"test_descriptors_have_names_as_outside[{name}]"
            for name in (
                *("process substitution", "an output substitution", "a descriptor by name"),
                *("stdout by name", "stderr by name", "mapfile from a substitution"),
            )
        ),
    }.items()
    for test in tests
}
"""(back end, test as it is called without the back end) -> why it fails."""
