"""What an interpreter is given to run: makes modules of what it carries, and calls `main`.

`code.py` puts the modules of one program into `CARGO` and hands this to an interpreter as one file.
The packages are empty, and gone again before anything runs: a skill finds nothing of ours.
"""

import gc
import marshal
import sys

CARGO = b"what the loader carries"
_PACKAGES = ("skilllite_sandbox", "skilllite_sandbox.guest")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType


def load(cargo: "list[tuple[str, str | CodeType]]") -> "Callable[[], None]":
    """Return `main` of the last of these modules, each in byte code or in source."""
    kind = type(sys)
    for name in _PACKAGES:
        sys.modules[name] = kind(name)
    for name, content in cargo:
        module = sys.modules[f"{_PACKAGES[-1]}.{name}"] = kind(f"{_PACKAGES[-1]}.{name}")
        if isinstance(content, str):
            content = compile(content, f"<guest {name}>", "exec", dont_inherit=True)
        exec(content, module.__dict__)
    main: Callable[[], None] = module.main
    for name in [name for name in sys.modules if name.startswith(_PACKAGES[0])]:
        del sys.modules[name]
    return main


if __name__ == "__main__":
    gc.disable()  # next to nothing of what is imported now is garbage
    main = load(marshal.loads(CARGO))
    gc.enable()
    main()
