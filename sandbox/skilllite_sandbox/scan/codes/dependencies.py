"""SL6xx: what a skill has installed, and where it comes from."""

from __future__ import annotations

from skilllite_sandbox.scan.codes.code import Code, Risk
from skilllite_sandbox.scan.finding import Kind, Severity

_RISKS = (Risk.SUPPLY_CHAIN,)


def _dependency(
    code: str,
    severity: Severity,
    title: str,
    why: str,
    remedy: str,
    risks: tuple[Risk, ...] = _RISKS,
) -> Code:
    return Code(code, severity, Kind.DEPENDENCY, title, why, remedy, risks)


CODES = (
    _dependency(
        "SL601",
        Severity.CRITICAL,
        "asks for a malicious package",
        "installing or importing it does what it was reported for",
        "leave it out; when another package was meant, write that one's name",
    ),
    _dependency(
        "SL602",
        Severity.HIGH,
        "asks for a package whose name is nearly that of a popular one",
        "such names are registered to be installed by mistake",
        "write the name of the package that is meant, or say in the description why it is this one",
    ),
    _dependency(
        "SL603",
        Severity.HIGH,
        "takes code from elsewhere than the package index",
        "what lies at an address can change after it was looked at, and no index vouches for it",
        "use a released version of the package, or put the code into the skill",
    ),
    _dependency(
        "SL604",
        Severity.HIGH,
        "chooses a package index of its own",
        "whoever runs that index decides what is installed, under any name",
        "leave the index to the settings of the person who installs the skill",
    ),
    _dependency(
        "SL605",
        Severity.HIGH,
        "adds a package index",
        "a package of the same name on either index may win: dependency confusion",
        "leave the index to the settings of the person who installs the skill",
    ),
    _dependency(
        "SL606",
        Severity.HIGH,
        "switches off the check of who sends the packages",
        "without TLS anybody on the way can send others",
        "use https and leave out trusted hosts",
    ),
    _dependency(
        "SL607",
        Severity.HIGH,
        "runs a command when its packages are installed",
        "it runs before anybody started the skill",
        "leave out the install scripts; build what is needed before the skill is shipped",
    ),
    _dependency(
        "SL608",
        Severity.INFO,
        "asks for packages without a fixed version",
        "another version than the one that was tested may be installed",
        "pin the versions, or ship a lock with hashes",
        (Risk.SUPPLY_CHAIN, Risk.UPDATE_DRIFT),
    ),
    _dependency(
        "SL609",
        Severity.MEDIUM,
        "asks for a version with a known vulnerability",
        "what is publicly known can be exploited by whoever reaches it",
        "use a version in which it is mended",
    ),
    _dependency(
        "SL610",
        Severity.MEDIUM,
        "asks for a version that was withdrawn",
        "its authors say that it should not be used",
        "use another version",
    ),
    _dependency(
        "SL611",
        Severity.HIGH,
        "asks for a package that does not exist",
        "whoever registers the name next decides what is installed",
        "correct the name or leave it out",
    ),
    _dependency(
        "SL612",
        Severity.INFO,
        "installs packages that its SKILL.md does not name",
        "a person reads SKILL.md before deciding",
        "name the packages in `compatibility`",
        (Risk.SUPPLY_CHAIN, Risk.METADATA),
    ),
    _dependency(
        "SL613",
        Severity.HIGH,
        "declares packages in a way that can't be read",
        "what can't be read here may still be installed",
        "write the file as its installer documents it",
        (Risk.SUPPLY_CHAIN, Risk.POOR_SCANNING),
    ),
    _dependency(
        "SL614",
        Severity.INFO,
        "has packages about which nothing could be learned",
        "a source that did not answer has not said that they are harmless",
        "try again when the source can be reached",
    ),
    _dependency(
        "SL615",
        Severity.LOW,  # as a rule the index removed them within hours
        "lets in versions of a package that were malicious",
        "they were published under a name that is otherwise in good standing",
        "pin a version that is not one of them",
    ),
    _dependency(
        "SL616",
        Severity.CRITICAL,
        "takes its packages from a place of its own that nothing protects",
        "whoever runs that place, or sits on the way to it, decides what runs here",
        "name released packages, and leave the index to the person who installs the skill",
    ),
)
