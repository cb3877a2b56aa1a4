"""`skilllite add|remove|init`: what changes the skills of a root, and telling the node about it."""

from __future__ import annotations

import argparse
from contextlib import suppress
from functools import partial
from pathlib import Path

from skilllite import errors
from skilllite.auditing import recorded_change
from skilllite.catalog import CatalogEntry, SkillCatalog
from skilllite.cli import output
from skilllite.errors import NotFound, Refused, SkillLiteError, UsageError
from skilllite.home import Home, prepare_directory
from skilllite.install import Installed, Vouch, install_starter_skills, remove_installed
from skilllite.shadowing import shadow_note
from skilllite.trust import open_guard, open_store
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.policy import Grants

NODE_SILENCE_S = 10.0
"""Reading a few folders again takes the node milliseconds; a stuck one must not hold `add`."""


def add(catalog: SkillCatalog, home: Home, args: argparse.Namespace) -> int:
    """Fetch a skill, look at it, ask if need be, and install it."""
    from skilllite.asking import ask_at_the_terminal
    from skilllite.config import load_config
    from skilllite.fetch import fetch
    from skilllite.grant_at_add import GrantAtAdd
    from skilllite.hide_at_add import HideAtAdd
    from skilllite.install import Installer
    from skilllite.review import Reviewer
    from skilllite.scanning import scan_newcomer
    from skilllite.sources import parse_source

    _interrupt_on_termination()
    host = load_config(home).text("add.host")
    source = parse_source(args.source, exists=_exists, holds_skill=_holds_skill, host=host)
    root = _target_root(catalog, home, project=args.project)
    guard, store = open_guard(home), open_store(home)
    reviewer = Reviewer(ask=ask_at_the_terminal, as_json=args.json)
    granting = GrantAtAdd(home, _wanted(args), ask=ask_at_the_terminal)
    hiding = HideAtAdd(home, catalog, root, ask=ask_at_the_terminal)
    installer = Installer(
        root=root,
        catalog=catalog,
        store=store,
        denylist=guard.denylist.current(),
        scan=partial(scan_newcomer, home=home),
        reviews=(reviewer.review, hiding.review, granting.review),
        vouch=_vouch(args),
    )
    own = args.project and not catalog.project_skills()
    store.register_file.read()  # before anything is fetched for nothing
    asked = {"source": args.source, "root": str(root)}
    with (
        recorded_change(home, "skill.add_requested", "skill.added", **asked) as facts,
        fetch(source, args.source, home.incoming, say=_say) as fetched,
    ):
        reviewer.source = hiding.source = fetched.origin.source
        installed = installer.install(fetched, replace=args.force)
        facts.update(
            source=fetched.origin.source,
            skill=installed.skill.name,
            digest=installed.digest,
            path=str(installed.directory),
            replaced=installed.replaced,
            verdict=reviewer.verdict,
            a_person_agreed=reviewer.agreed,
        )
        hiding.keep(installed)
        granting.keep(installed)
    entry = catalog.installed(installed.skill.name, root)
    lacks = entry.lacks if entry is not None else installed.skill.lacks
    if args.json:
        output.print_json(_record(installed, lacks))
    if args.project:
        _trust_own_project(home, own=own)
    name = output.printable(installed.skill.name)
    output.note(f"{'replaced' if installed.replaced else 'added'} {name} in {installed.directory}")
    for problem in installed.skill.problems:
        output.note(output.printable(f"{problem.severity}: {problem.field}: {problem.message}"))
    for clause in lacks:
        output.note(output.printable(f"lacks: {clause}"))
    _say_what_is_hidden(catalog, installed.skill.name)
    tell_node(home)
    return errors.OK


def _wanted(args: argparse.Namespace) -> Grants:
    return Grants(
        network=tuple(args.allow_network or ()),
        exec=tuple(args.allow_exec or ()),
        env=tuple(args.allow_env or ()),
    )


def _vouch(args: argparse.Namespace) -> Vouch:
    """Return what checks the bundle that was given, if one was."""
    if (args.oms_key is None) is not (args.oms_bundle is None):
        raise UsageError("--oms-bundle and --oms-key belong together")
    if args.oms_key is None:
        return lambda entries: ""
    from skilllite.oms import vouch_by_bundle

    return vouch_by_bundle(Path(args.oms_bundle), Path(args.oms_key))


def _record(installed: Installed, lacks: tuple[str, ...]) -> dict[str, object]:
    origin = installed.origin
    return {
        "schema": 1,
        "name": installed.skill.name,
        "path": str(installed.directory),
        "digest": installed.digest,
        "replaced": installed.replaced,
        "lacks": list(lacks),
        "tier": origin.tier.value,
        "version": installed.version,
        "verdict": installed.report.verdict.value,
        "source": {
            "kind": origin.kind,
            "source": origin.source,
            "ref": origin.ref,
            "commit": origin.commit,
            "subfolder": origin.subfolder,
            "archive_sha256": origin.archive_sha256,
        },
    }


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _holds_skill(path: str) -> bool:
    return Path(path).is_file() or (Path(path) / "SKILL.md").is_file()


def _say(line: str) -> None:
    output.note(output.printable(line))


def _interrupt_on_termination() -> None:
    """Have a polite end of this process remove what it has half done, as Ctrl-C does."""
    import signal

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with suppress(ValueError):  # not the main thread: then nobody sends this process anything
        signal.signal(signal.SIGTERM, interrupt)


def remove(catalog: SkillCatalog, home: Home, args: argparse.Namespace) -> int:
    """Remove an installed skill, never one that ships with the package."""
    entry = _removable(catalog, home, args.skill, project=args.project)
    if entry is None:
        return _forget(catalog, home, args)
    asked = {"skill": entry.name, "path": str(entry.directory), "digest": _digest_of(entry)}
    with recorded_change(home, "skill.remove_requested", "skill.removed", **asked) as facts:
        remove_installed(entry.directory, open_store(home))
        facts.update(asked)
    left = [each for each in catalog.list().entries if each.name == entry.name]
    if args.json:
        output.print_json(
            {
                "schema": 1,
                "name": entry.name,
                "path": str(entry.directory),
                "uncovered": str(left[0].directory) if left else None,
            }
        )
    output.note(output.printable(f"removed {entry.name} from {entry.directory}"))
    if left:
        output.note(
            output.printable(f"{entry.name} is now the {left[0].origin} one in {left[0].directory}")
        )
    tell_node(home)
    return errors.OK


def _forget(catalog: SkillCatalog, home: Home, args: argparse.Namespace) -> int:
    """Strike a skill from the register whose folder is gone or can't be read as a skill."""
    roots = _roots(catalog, home, project=args.project)
    directory = _lost(home, args.skill, roots)
    assert directory is not None
    asked = {"skill": args.skill, "path": str(directory)}
    with recorded_change(home, "skill.remove_requested", "skill.removed", **asked) as facts:
        remove_installed(directory, open_store(home))
        facts.update(asked)
    if args.json:
        record = {"name": args.skill, "path": str(directory), "uncovered": None}
        output.print_json({"schema": 1, **record})
    output.note(output.printable(f"removed {args.skill} from {directory}"))
    tell_node(home)
    return errors.OK


def _lost(home: Home, name: str, roots: list[Path]) -> Path | None:
    guard = open_guard(home)
    for key, registered in guard.register.read().skills.items():
        directory = Path(guard.places.directory_of(key))
        if registered.name == name and directory.parent in roots:
            return directory
    return None


def _roots(catalog: SkillCatalog, home: Home, *, project: bool) -> list[Path]:
    in_project = [root.path for root in catalog.roots if root.origin == "project"]
    return in_project if project else [home.skills]


def init(catalog: SkillCatalog, home: Home, *, as_json: bool) -> int:
    """Put the starter skills into the .skills folder of this directory; keep what is there."""
    root = _target_root(catalog, home, project=True)
    own = not catalog.project_skills()
    with recorded_change(home, "skill.init_requested", "skill.init", root=str(root)) as facts:
        created, kept = install_starter_skills(root)
        facts.update(root=str(root), created=created, kept=kept)
    if as_json:
        output.print_json({"schema": 1, "path": str(root), "created": created, "kept": kept})
    if created:
        output.note(f"put {len(created)} skills into {root}: {', '.join(created)}")
    if kept:
        output.note(f"kept {len(kept)} that were there: {', '.join(kept)}")
    _trust_own_project(home, own=own)
    catalog.list()  # so that the next listing finds them in the index
    tell_node(home)
    output.note("""try: skilllite run calculator '{"operation": "add", "a": 15, "b": 27}'""")
    return errors.OK


def _trust_own_project(home: Home, *, own: bool) -> None:
    """Use the skills of this folder when all of them were put there by this command."""
    from skilllite.folder_trust import FolderTrust

    here, trust = str(Path.cwd()), FolderTrust(home)
    if trust.trusts(here):
        return
    if not own or not trust.trust(here, by="command"):
        output.note(
            "note: the skills of this folder are not used by name, nobody has trusted it: "
            "`skilllite list --trust-project` does, if you know who wrote what was there before"
        )


def tell_node(home: Home) -> None:
    """Ask a running node to look at its skills again; without one there is nobody to tell."""
    if not home.control_socket.exists():
        return
    from skilllite.control.client import ControlClient

    try:
        with ControlClient(home, silence_s=NODE_SILENCE_S) as client:
            client.call("reload")
    except errors.NodeNotRunning:
        return  # it died and left its socket
    except SkillLiteError as error:
        output.note(f"warning: the node did not read its skills again: {error.message}")
        return
    output.note("the running node knows")


def _target_root(catalog: SkillCatalog, home: Home, *, project: bool) -> Path:
    if not project:
        prepare_directory(home.skills)
        return home.skills
    root = catalog.project_root
    assert root is not None  # the command line always has a working directory
    if not root.resolve().is_relative_to(root.parent.resolve()):
        # Whoever wrote the folder would decide where else files are put.
        raise Refused(
            f"{root} leads out of this folder, to {root.resolve()}",
            hint=f"go there, or replace {root} by a folder",
        )
    return root


def _removable(
    catalog: SkillCatalog, home: Home, name: str, *, project: bool
) -> CatalogEntry | None:
    """Return the skill to remove; None for one that was installed and nobody finds any more.

    From the project only when that was said: its folder may be where somebody writes the skill.
    """
    roots = _roots(catalog, home, project=project)
    for root in roots:
        found = catalog.installed(name, root)
        if found is not None:
            return found
    if _lost(home, name, roots) is not None:
        return None
    entry = catalog.find_named(name)  # NotFound with what was probably meant
    if entry.origin == "bundled":
        raise Refused(
            f"{entry.name} ships with the package and stays",
            hint="a skill of the same name in .skills or added by you comes first",
        )
    if entry.origin == "project":
        raise Refused(
            f"{entry.name} is a skill of this project, in {entry.directory}",
            hint=f"skilllite remove --project {entry.name}",
        )
    where = "this project" if project else "your skills"
    raise NotFound(
        f"{entry.name} is not one of {where}",
        hint=f"it is the {entry.origin} one: {entry.directory}",
    )


def _digest_of(entry: CatalogEntry) -> str | None:
    """Return what is about to go; None of a folder that can't be read as a skill any more."""
    try:
        return compute_digest(entry.directory)
    except (SandboxError, OSError):
        return None


def _say_what_is_hidden(catalog: SkillCatalog, name: str) -> None:
    for entry in catalog.list().entries:
        if entry.name == name and (note := shadow_note(entry)):
            output.note(f"note: {output.printable(note)}")
