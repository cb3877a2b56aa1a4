"""What a skill says that it does: our keys in the metadata, and the prose of `compatibility`.

For the verdict, prose that names a capability declares it; for grants it counts as nothing.
"""

from __future__ import annotations

import re

from skilllite_sandbox.scan.finding import Capability
from skilllite_sandbox.skill import Skill

_CLAUSES = re.compile(r"[,;\n]|\.(?:\s|$)|\b(?:but|and|yet)\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:no|not|non|none|never|without|neither|nor|offline)\b", re.IGNORECASE)
_PROGRAMS = (
    r"(?:git|docker|podman|ffmpeg|ffprobe|pandoc|cmake|npm|npx|pnpm|yarn|cargo|java|mvn"
    r"|gradle|kubectl|helm|terraform|aws|gcloud|az|gh|psql|mysql|sqlite3|redis-cli|jq|yq|rg|ripgrep"
    r"|imagemagick|graphviz|latex|pdflatex|xelatex|tesseract|poppler|pdftotext|qpdf"
    r"|libreoffice|soffice|chrome|chromium|pytest|ruff|mypy|eslint|prettier|shellcheck|bash|rsync"
    r"|ssh|openssl|gpg|exiftool|yt-dlp|adb|xcodebuild|swift|rustc|gcc|clang|Rscript|julia|perl|ruby)"
)
_WORDS: dict[Capability, re.Pattern[str]] = {
    Capability.EXEC: re.compile(
        r"\b(?:runs?|starts?|calls?|invokes?|executes?)\b.*\b(?:programs?|commands?|binar(?:y|ies)"
        r"|tools?|subprocess(?:es)?|cli|shell|git|make|docker|npm|pytest)\b"
        r"|\b(?:command[- ]line (?:tools?|programs?)|subprocess(?:es)?|external programs?)\b"
        r"|\b(?:on|in) (?:the |your )?PATH\b"
        rf"|\b(?:requires?|needs?|uses?|using|wraps?|drives?)\b.*\b{_PROGRAMS}\b"
        rf"|^\W*(?:the |a local |local )?{_PROGRAMS}"
        r"(?:\W*$|\s+(?:cli|command|binary|installed|v?\d)"
        r"|\W*[<>=~]=?\W*\d)",
        re.IGNORECASE,
    ),
    Capability.ENVIRONMENT: re.compile(
        r"\benvironment variables?\b|\benv(?:ironment)? vars?\b|\b[Aa][Pp][Ii] (?:keys?|tokens?)\b"
        r"|\baccess tokens?\b|\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b"
    ),
    Capability.FILES: re.compile(
        r"\b(?:file ?system|home (?:directory|folder)|outside (?:of )?the (?:skill|workspace)"
        r"|reads? files?|writes? files?|local files?|/[a-z]+/)",
        re.IGNORECASE,
    ),
    Capability.NATIVE: re.compile(
        r"\b(?:ctypes|cffi|libm|libc|native (?:code|library|libraries)"
        r"|(?:shared|c) librar(?:y|ies))\b",
        re.IGNORECASE,
    ),
    Capability.DYNAMIC_CODE: re.compile(
        r"\b(?:eval|exec|pickles?|unpickl\w+|dynamic code|code generation|torch|joblib|dill"
        r"|evaluates? (?:expressions?|code)|runs? (?:generated|user) code)\b",
        re.IGNORECASE,
    ),
    Capability.SYSTEM: re.compile(
        r"\b(?:system information|host ?name|process(?:es)? list|lists? process(?:es)?"
        r"|cpu|memory usage|disk usage|platform information|hardware|running processes"
        r"|network interfaces|user accounts?|psutil)\b",
        re.IGNORECASE,
    ),
}


def declared_capabilities(skill: Skill) -> frozenset[Capability]:
    """Return what the metadata and the compatibility text name."""
    requests = skill.requests
    declared = set()
    if requests.network or requests.network_mentioned:
        declared.add(Capability.NETWORK)
    if requests.exec or requests.bash_tools:
        declared.add(Capability.EXEC)
    if requests.env:
        declared.add(Capability.ENVIRONMENT)
    if requests.writable_code:
        declared.add(Capability.NATIVE)
    for clause in _CLAUSES.split(skill.manifest.compatibility):
        if _NEGATION.search(clause):
            continue
        declared |= {each for each, words in _WORDS.items() if words.search(clause)}
    return frozenset(declared)
