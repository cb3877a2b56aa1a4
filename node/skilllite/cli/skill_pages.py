"""`skilllite show|info|validate`: one skill in full, and where everything lies."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from skilllite import errors
from skilllite.catalog import CatalogEntry, SkillCatalog
from skilllite.catalog_index import stamp_of
from skilllite.cli import output
from skilllite.home import Home
from skilllite.shadowing import shadow_note
from skilllite.trust import open_guard, record_of, tier_of
from skilllite.version import VERSION
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.entry import EntryPoint
from skilllite_sandbox.errors import InvalidSkill
from skilllite_sandbox.integrity.guard import Guard
from skilllite_sandbox.parameters import script_parameters
from skilllite_sandbox.skill import Problem, Skill, load_skill, validate_skill

LABEL_WIDTH = 15


def show(entry: CatalogEntry, home: Home, *, as_json: bool) -> int:
    """Print one skill: as a page for a person, or all of it as JSON."""
    skill = load_skill(entry.directory)
    guard = open_guard(home)
    record = _record(entry, skill, guard)
    if as_json:
        output.print_json(record)
    else:
        _print_page(entry, skill, record)
    if note := shadow_note(entry):
        output.note(f"note: {output.printable(note)}")
    return errors.OK


def info(catalog: SkillCatalog, home: Home, *, as_json: bool) -> int:
    """Print every path that is in use, existing or not, and the version."""
    paths = {
        "home": home.root or home.data_dir,
        "config": home.config_file,
        "keys": home.keys,
        "team": home.team,
        "ledger": home.ledger,
        "skills": home.skills,
        "integrity": home.integrity,
        "denylist": Path(home.denylist_name),
        "stage": home.stage,
        "environments": home.env,
        "index": catalog.index_file,
        "log": home.log_file,
        "socket": home.control_socket,
    }
    counts = _skills_by_root(catalog)
    if as_json:
        output.print_json(
            {
                "schema": 1,
                "version": VERSION,
                "python": platform.python_version(),
                "paths": {name: str(path) for name, path in paths.items()},
                "roots": [
                    {"path": str(path), "origin": origin, "skills": count}
                    for path, origin, count in counts
                ],
            }
        )
        return errors.OK
    _line("version", f"{VERSION} (Python {platform.python_version()})")
    for name, path in paths.items():
        _line(name, f"{path}{'' if path and path.exists() else '  (not there yet)'}")
    for path, origin, count in counts:
        state = f"{count} skills" if path.is_dir() else "not there"
        _line("skill root", f"{path}  ({origin}, {state})")
    return errors.OK


def validate(catalog: SkillCatalog, skills: list[str], *, as_json: bool) -> int:
    """Check skills strictly; status 1 when one has an error."""
    results: list[dict[str, Any]] = []
    for given in skills:
        directory = _directory_to_check(catalog, given)
        problems = validate_skill(directory)
        ok = not any(problem.severity == "error" for problem in problems)
        results.append({"path": str(directory), "ok": ok, "problems": _problems(problems)})
    good = all(result["ok"] for result in results)
    if as_json:
        output.print_json({"schema": 1, "ok": good, "skills": results})
    else:
        for result in results:
            _print_verdict(result)
    return errors.OK if good else errors.FAILED


def _directory_to_check(catalog: SkillCatalog, given: str) -> Path:
    # A folder that doesn't even load is what this command is for, so it isn't looked up by loading.
    directory = Path(given)
    if "/" in given or directory.is_dir():
        return directory
    try:
        return catalog.find(given).directory
    except InvalidSkill:
        for root in catalog.roots:
            if stamp_of(root.path / given) is not None:
                return root.path / given
        raise


def _print_verdict(result: dict[str, Any]) -> None:
    problems = result["problems"]
    lines = [f"{result['path']}: {'ok' if result['ok'] else 'not valid'}"]
    for problem in problems:
        lines.append(f"  {problem['severity']}: {problem['field']}: {problem['message']}")
        if problem["hint"]:
            lines.append(f"    hint: {problem['hint']}")
    output.write_result("\n".join(output.printable(line) for line in lines) + "\n")


def _record(entry: CatalogEntry, skill: Skill, guard: Guard) -> dict[str, Any]:
    requests = skill.requests
    return {
        "schema": 1,
        "name": skill.name,
        "description": skill.description,
        "path": str(entry.directory),
        "origin": entry.origin,
        "tier": tier_of(entry, guard),
        "installed": record_of(str(entry.directory), guard),
        "digest": compute_digest(entry.directory),
        "license": skill.manifest.license,
        "compatibility": skill.manifest.compatibility,
        "metadata": skill.manifest.metadata,
        "allowed_tools": list(skill.manifest.allowed_tools),
        "entry": _entry_point(skill.entry) if skill.entry else None,
        "tools": [
            {**_entry_point(tool), "parameters": _tool_parameters(skill, tool)}
            for tool in skill.tools
        ],
        "parameters": skill.parameters,
        "examples": list(skill.examples),
        "idempotent": skill.idempotent,
        "requests": {
            "network": list(requests.network),
            "network_mentioned": requests.network_mentioned,
            "packages": [
                {"ecosystem": each.ecosystem, "requirement": each.requirement, "from": each.source}
                for each in requests.packages
            ],
            "exec": list(requests.exec),
            "env": list(requests.env),
            "bash_tools": list(requests.bash_tools),
        },
        "lacks": list(entry.lacks),
        "problems": _problems(skill.problems),
        "shadows": [str(each.directory) for each in entry.shadows],
    }


def _entry_point(tool: EntryPoint) -> dict[str, Any]:
    return {"tool": tool.tool, "path": tool.path, "language": tool.language.value}


def _tool_parameters(skill: Skill, tool: EntryPoint) -> dict[str, Any]:
    return skill.parameters if tool == skill.entry else script_parameters(skill.directory, tool)


def _problems(problems: tuple[Problem, ...]) -> list[dict[str, str]]:
    return [
        {
            "severity": problem.severity,
            "field": problem.field,
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in problems
    ]


def _print_page(entry: CatalogEntry, skill: Skill, record: dict[str, Any]) -> None:
    _line("name", skill.name)
    _line("does", " ".join(skill.description.split()))
    _line("path", f"{entry.directory}  ({entry.origin})")
    _line("digest", record["digest"])
    for line in _origin_lines(record):
        _line("tier", line)
    for tool in record["tools"]:
        _line("runs", f"{tool['path']}  ({tool['language']})")
        for line in _parameter_lines(tool["parameters"]):
            _line("", line)
    if not skill.tools:
        _line("runs", "nothing: instructions for an agent")
    for name in ("license", "compatibility"):
        if record[name]:
            _line(name, record[name])
    for clause in entry.lacks:
        _line("lacks", clause)
    for problem in skill.problems:
        _line("problem", f"{problem.field}: {problem.message}")
    for example in skill.examples:
        _line("example", example["request"])
        arguments = output.to_json_text(example["arguments"])
        _line("", f"skilllite run {skill.name} {_quoted(arguments)}")


def _origin_lines(record: dict[str, Any]) -> list[str]:
    installed = record["installed"]
    if installed is None:
        return [record["tier"]]
    commit = f", commit {installed['commit'][:12]}" if installed["commit"] else ""
    lines = [f"{record['tier']}, from {installed['source']}{commit}"]
    if installed["digest"] != record["digest"]:
        lines.append("it is not what was installed: see `skilllite verify`")
    return lines


def _parameter_lines(schema: dict[str, Any]) -> list[str]:
    properties = schema.get("properties")
    required = schema.get("required", [])
    if not isinstance(properties, dict):
        return []
    lines: list[str] = []
    for name, about in properties.items():
        facts = about if isinstance(about, dict) else {}
        choices = facts.get("enum")
        kind = (
            "|".join(map(str, choices)) if isinstance(choices, list) else facts.get("type", "any")
        )
        text = f"{name}{'' if name in required else '?'}: {kind}"
        if isinstance(facts.get("description"), str):
            text += f"  {facts['description']}"
        lines.append(text)
    return lines


def _skills_by_root(catalog: SkillCatalog) -> list[tuple[Path, str, int]]:
    everything = [each for entry in catalog.list().entries for each in (entry, *entry.shadows)]
    return [
        (
            root.path,
            root.origin,
            sum(each.directory.parent == root.path for each in everything),
        )
        for root in catalog.roots
    ]


def _line(label: str, text: str) -> None:
    output.write_result(f"{label:<{LABEL_WIDTH}}{output.printable(text)}\n".rstrip(" "))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
