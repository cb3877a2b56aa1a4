"""Attacks on the host's files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gates import lets_all_pass
from sandbox_lab import SECRET, Lab, assert_only_unsandboxed

PYTHON = """
import glob, json, os, sys
facts = json.load(sys.stdin)

def reads(path):
    try:
        with open(path) as file:
            return bool(file.read())
    except OSError:
        return False

def writes(path):
    try:
        with open(path, "w") as file:
            file.write("x")
        return True
    except OSError:
        return False

def links():
    try:
        os.symlink(facts["secret"], "link")
        return reads("link")
    except OSError:
        return False

print(json.dumps({
    "secret": reads(facts["secret"]),
    "ssh key": reads(facts["key"]),
    "traversal": reads("/skill/../.." + facts["secret"]) or reads("/../../" + facts["secret"]),
    "through a link": links(),
    "stat": os.path.exists(facts["secret"]),
    "list": bool(glob.glob(os.path.dirname(facts["secret"]) + "/*")),
    "mark": writes(facts["drop"] + "/python"),
    "machine id or hostname": reads("/etc/hostname") or reads("/etc/machine-id"),
    "other users": len(open("/etc/passwd").readlines()) > 1,
}))
"""

NODE = """
const fs = require('fs');
const facts = JSON.parse(fs.readFileSync(0, 'utf8'));
const tries = f => { try { f(); return true; } catch (error) { return false; } };
console.log(JSON.stringify({
  secret: tries(() => fs.readFileSync(facts.secret)),
  key: tries(() => fs.readFileSync(facts.key)),
  list: tries(() => fs.readdirSync(facts.drop)),
  mark: tries(() => fs.writeFileSync(facts.drop + '/node', 'x')),
  passwd: fs.readFileSync('/etc/passwd', 'utf8').split('\\n').length > 2,
}));
"""

BASH = """
facts=$(cat)
field() { jq -r ".$1" <<< "$facts"; }
mark() { echo x > "$(field drop)/bash"; }
cd "$HOME"
printf '{"secret": %s, "key": %s, "list": %s, "mark": %s}' \\
  "$(cat "$(field secret)" > out 2>&1 && echo true || echo false)" \\
  "$(cat "$(field key)" > out 2>&1 && echo true || echo false)" \\
  "$(ls "$(field drop)" > out 2>&1 && echo true || echo false)" \\
  "$( (mark) > out 2>&1 && echo true || echo false)"
"""


@pytest.mark.parametrize(
    ("language", "script"), [("python", PYTHON), ("node", NODE), ("bash", BASH)]
)
def test_no_file_of_the_host_can_be_read_or_made(lab: Lab, language: str, script: str) -> None:
    achieved = lab.attack(language, script)

    assert_only_unsandboxed(achieved)


def test_a_marker_made_inside_is_not_on_the_host(lab: Lab) -> None:
    script = "import json, sys\nopen('/tmp/marker-5e1', 'w').close()\nprint('true')"

    results = lab.run(lab.skill("python", script), (2, 3), {})

    assert all(result.outcome["ok"] for result in results.values())
    assert not Path("/tmp/marker-5e1").exists()


def test_the_skill_directory_cannot_be_changed(lab: Lab) -> None:
    script = """
import json, os
def fails(action):
    try:
        action()
    except OSError:
        return True
    return False
print(json.dumps([
    fails(lambda: open("/skill/new", "w")),
    fails(lambda: open(__file__, "a")),
    fails(lambda: os.chmod(__file__, 0o777)),
    fails(lambda: os.rename("/skill/SKILL.md", "/skill/x")),
    fails(lambda: os.unlink(__file__)),
    fails(lambda: open("/usr/lib/x", "w")),
    fails(lambda: os.mkdir("/new")),
    fails(lambda: open("/etc/passwd", "a")),
    fails(lambda: open("/run/guest", "a")),
]))
"""
    for result in lab.run(lab.skill("python", script), (2, 3), {}).values():
        assert result.outcome["output"] == [True] * 9, result.outcome


def test_other_skills_of_the_same_stage_are_not_there(lab: Lab) -> None:
    reader = """
import json, os, sys
found = []
for top, folders, files in os.walk("/"):
    found += [os.path.join(top, name) for name in files if name.startswith("neighbour")]
facts = json.load(sys.stdin)
stolen = []
for place in (facts["place"], "/skills" + facts["below"], "/skill/../.." + facts["below"]):
    try:
        stolen.append(open(place + "/neighbour.txt").read())
    except OSError:
        pass
print(json.dumps([found, stolen, os.path.exists(facts["stage"]), sorted(os.listdir("/skill"))]))
"""
    if lab.as_user is not None:
        pytest.skip("the stage is made by this process")
    from skilllite_sandbox import Sandbox

    with Sandbox(tier=lab.tier, gate=lets_all_pass()) as sandbox:
        place = str(sandbox.stage.put(lab.skill("python", "1", **{"neighbour.txt": SECRET})).place)
        stage = str(sandbox.stage.root)
        facts = {"stage": stage, "place": place, "below": place.removeprefix(stage)}
        outcome = sandbox.run(lab.skill("python", reader), facts)

    assert outcome.output == [[], [], False, ["SKILL.md", "scripts"]]


def test_a_skill_below_a_private_home_and_below_tmp_runs(lab: Lab) -> None:
    private = lab.root / "private"
    private.mkdir(exist_ok=True)
    script = "print('true')"
    skill = lab.skill("python", script)
    moved = private / skill.name
    skill.rename(moved)
    if lab.as_user is not None:
        os.chown(private, lab.as_user, lab.as_user)
    private.chmod(0o700)

    results = lab.run(moved, (2, 3), {})

    assert all(result.outcome["output"] is True for result in results.values())
