"""Rule packs of the user in YARA, compiled once. They can add findings and take none away.

The folder belongs to the user, never to a skill. A rule may say how much it weighs in its `meta`:
`severity` is info, low, medium, high or critical; `description` is what the finding says.
"""

from __future__ import annotations

from collections.abc import Sequence

from skilllite_sandbox.errors import InvalidInput
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.source import SourceFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

RULE_FILES_MAX = 500  # of a pack: the largest public ones have some hundred
RULES_BYTES_MAX = 16 * MIB  # of all files together; compiling takes about a second per MiB
TIMEOUT_S = 5  # for one file; a rule that is slower is the user's to mend
MATCHES_MAX = 50  # of one file that are told

_SEVERITIES = {each.word: each for each in Severity}

_MEND = "correct the file, or move it away"


class RulePack:
    """Compiled rules."""

    def __init__(self, rules: Any) -> None:
        import yara_x

        self._scanner = yara_x.Scanner(rules)
        self._scanner.set_timeout(TIMEOUT_S)

    def inspect(self, sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
        """Return which files match which rules; a file that takes too long asks for a look."""
        import yara_x

        found: list[Finding] = []
        for source in sources:
            try:
                matching = self._scanner.scan(source.data).matching_rules
            except (yara_x.ScanError, yara_x.TimeoutError) as error:
                found.append(make_finding("SL705", source.path, 0, f"YARA: {error}"))
                continue
            for rule in list(matching)[:MATCHES_MAX]:
                found.append(_finding(rule, source))
        return tuple(found)


def load_rule_pack(directory: str | Path) -> RulePack:
    """Compile every `.yar` and `.yara` file of a folder and of the folders in it.

    Raises:
        InvalidInput: there is no such folder, no rule in it, or one that doesn't compile.
    """
    from pathlib import Path

    from skilllite_sandbox.scan.choices_stamp import yara_files

    try:
        import yara_x
    except ImportError:
        raise InvalidInput(
            "YARA rules need the package yara-x", hint="pip install 'skilllite[yara]'"
        ) from None
    folder = Path(directory)
    files = sorted(Path(path) for path in yara_files(str(folder)))
    if not files:
        raise InvalidInput(f"no YARA rules in {folder}", hint="give a folder with .yar files")
    if len(files) > RULE_FILES_MAX:
        raise InvalidInput(f"more than {RULE_FILES_MAX} files of YARA rules in {folder}")
    compiler = yara_x.Compiler(includes_enabled=False)
    left = RULES_BYTES_MAX
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
            left -= len(text)
            if left < 0:
                raise InvalidInput(f"YARA rules in {folder} exceed {RULES_BYTES_MAX // MIB} MiB")
            # A namespace for each file: two files may use one name for a rule.
            compiler.new_namespace(str(path.relative_to(folder)))
            compiler.add_source(text, origin=str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(
                f"YARA rules {path} can't be read", cause=str(error), hint=_MEND
            ) from None
        except yara_x.CompileError as error:
            raise InvalidInput(
                f"YARA rules {path} don't compile", cause=str(error), hint=_MEND
            ) from None
    return RulePack(compiler.build())


def _finding(rule: Any, source: SourceFile) -> Finding:
    meta = {str(key): value for key, value in rule.metadata}
    severity = _SEVERITIES.get(str(meta.get("severity", "")).lower(), Severity.HIGH)
    description = str(meta.get("description", "")).strip()
    detail = f"{rule.identifier}: {description}" if description else str(rule.identifier)
    line = 0
    offsets = [match.offset for pattern in rule.patterns for match in pattern.matches]
    if offsets and source.text:
        line = source.data.count(b"\n", 0, min(offsets)) + 1
    return make_finding("SL901", source.path, line, detail, severity=severity)
