"""A `Skill` as JSON bytes and back: the record beside a staged copy spares a run the YAML.

The record is a cache. Whatever in it doesn't decode to exactly the expected shape makes it
worthless, and the skill is read from its files again.
"""

from __future__ import annotations

import json
import os

from skilllite_sandbox.capabilities import Package, Requests
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.manifest import Manifest, Problem
from skilllite_sandbox.skill import Skill
from skilllite_sandbox.values import asdict, replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

RECORD_VERSION = 3  # bump whenever reading a skill gives another result than before


class InvalidRecord(ValueError):
    """The bytes are no record of this version."""


def encode_skill(skill: Skill, digest: str) -> bytes:
    """Return the record of a skill with this digest; its directory is left out."""
    record = {
        "version": RECORD_VERSION,
        "digest": digest,
        "manifest": asdict(skill.manifest),
        "entry": asdict(skill.entry) if skill.entry else None,
        "tools": [asdict(tool) for tool in skill.tools],
        "parameters": skill.parameters,
        "examples": list(skill.examples),
        "requests": asdict(skill.requests),
        "problems": [asdict(problem) for problem in skill.problems],
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def decode_skill(data: bytes, *, digest: str, directory: str | Path) -> Skill:
    """Return the skill of a record.

    Raises:
        InvalidRecord: another version, another skill, or not a record at all.
    """
    try:
        record = json.loads(data)
        if record["version"] != RECORD_VERSION or record["digest"] != digest:
            raise InvalidRecord("record of another version or another skill")
        return _decode(record, directory)
    except InvalidRecord:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRecord(str(error)) from None


def with_name(skill: Skill, folder: str) -> Skill:
    """Return a skill that has no name of its own under the name of another folder."""
    assert not skill.manifest.named
    renamed = [replace(tool, tool=folder) if tool == skill.entry else tool for tool in skill.tools]
    return replace(
        skill,
        manifest=replace(skill.manifest, name=folder),
        entry=replace(skill.entry, tool=folder) if skill.entry else None,
        tools=tuple(renamed),
    )


def _decode(record: dict[str, Any], directory: str | Path) -> Skill:
    manifest = dict(record["manifest"])
    manifest["allowed_tools"] = tuple(manifest["allowed_tools"])
    requests = dict(record["requests"])
    packages = tuple(Package(**package) for package in requests.pop("packages"))
    lists = {key: tuple(value) for key, value in requests.items() if isinstance(value, list)}
    entry = record["entry"]
    if not isinstance(record["parameters"], dict):
        raise InvalidRecord("parameters are not an object")
    return Skill(
        place=os.fspath(directory),
        manifest=Manifest(**manifest),
        entry=_entry_point(entry) if entry is not None else None,
        tools=tuple(_entry_point(tool) for tool in record["tools"]),
        parameters=record["parameters"],
        examples=tuple(record["examples"]),
        requests=Requests(**{**requests, **lists}, packages=packages),
        problems=tuple(Problem(**problem) for problem in record["problems"]),
    )


def _entry_point(record: dict[str, Any]) -> EntryPoint:
    return EntryPoint(record["path"], Language(record["language"]), record["tool"])
