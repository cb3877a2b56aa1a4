"""JavaScript skills: what node does outside, it does inside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox_lab import require
from side_by_side import DATA, ENVIRONMENT, INPUT, SCRATCH, SKILL, SideBySide, as_ran
from skill_files import make_skill
from skilllite_sandbox import Reason
from skilllite_sandbox.policy import MIB

SKILLS = sorted(path.name for path in (DATA / "node").iterdir())


@pytest.mark.parametrize("name", SKILLS)
def test_a_skill_finds_what_it_finds_outside(both: SideBySide, name: str) -> None:
    ran = both.compare_skill(both.stored_skill("node", name))

    assert ran.status == 0, ran.stderr
    assert ran.stderr == ""
    assert len(json.loads(ran.stdout)) > 2, "it found hardly anything"


ENDINGS = {
    "by running out": "console.log('x')",
    "by process.exit": "console.log('x'); process.exit(3)",
    "by an exit code": "process.exitCode = 4",
    "by an exception": "function f() { throw new Error('broken') }\nf()",
    "by an exception that is no error": "throw 'text'",
    "by a rejection": "Promise.reject(new TypeError('nobody'))",
    "by a syntax error": "let x = ;",
    "by a missing module": (
        "try { require('./missing') } catch (e) { console.log(e.code); process.exit(1) }"
    ),
    "by an assertion": "require('assert')(false, 'why')",
    "with an exit handler": (
        "process.on('exit', (code) => console.log('last', code)); process.exit(2)"
    ),
    "with a handler before the end": "process.once('beforeExit', () => console.log('more'))",
    "with a handler for exceptions": (
        "process.on('uncaughtException', (e) => { console.log(e.message); process.exit(6) })\n"
        "throw new Error('caught')"
    ),
    "with a timer to wait for": "setTimeout(() => console.log('late'), 20); console.log('now')",
    "with a timer nobody waits for": "setTimeout(() => console.log('never'), 60000).unref()",
    "with words on stderr": "console.error('e'); console.warn('w'); console.log('o')",
    "without a line end": "process.stdout.write('ä')",
    "in many pieces": "for (let n = 0; n < 50000; n++) console.log(n)",
    "in an empty script": "",
    "by a signal of its own": "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)",
    "with a handler for a signal": (
        "process.on('SIGUSR2', () => { console.log('heard'); process.exit(0) })\n"
        "process.kill(process.pid, 'SIGUSR2'); setInterval(() => {}, 1000)"
    ),
}


@pytest.mark.parametrize("name", list(ENDINGS))
def test_a_script_ends_as_outside(both: SideBySide, name: str) -> None:
    both.compare("node", ENDINGS[name])


INPUTS = {
    "from descriptor 0": "console.log(require('fs').readFileSync(0, 'utf8'))",
    "from /dev/stdin": "console.log(require('fs').readFileSync('/dev/stdin', 'utf8'))",
    "by events": (
        "let d = ''\nprocess.stdin.on('data', (c) => d += c).on('end', () => console.log(d))"
    ),
    "by iteration": "(async () => { for await (const c of process.stdin) console.log(`${c}`) })()",
    "by lines": (
        "require('readline').createInterface({ input: process.stdin })\n"
        "  .on('line', (l) => console.log(l)).on('close', () => console.log('end'))"
    ),
    "not at all": "console.log('x')",
}


@pytest.mark.parametrize("name", list(INPUTS))
def test_a_script_reads_its_input_as_outside(both: SideBySide, name: str) -> None:
    ran = both.compare("node", INPUTS[name])

    assert ran.status == 0


def test_the_world_is_what_is_promised(both: SideBySide) -> None:
    script = (
        "const os = require('os')\n"
        "console.log(JSON.stringify({ env: process.env, argv: process.argv.slice(1),\n"
        "  cwd: process.cwd(), home: os.homedir(), tmp: os.tmpdir(), file: __filename,\n"
        "  user: os.userInfo().username, host: os.hostname(), uid: process.getuid(),\n"
        "  platform: process.platform, tty: process.stdout.isTTY === true,\n"
        "  execArgv: process.execArgv.filter((a) => !/^--(max-old-space|preserve-sym)/.test(a)) }))"
    )

    facts = both.inside(both.skill("node", script, {})).output

    facts["env"].pop("PWD", None)
    assert facts == {
        "env": ENVIRONMENT,
        "argv": [f"{SKILL}/scripts/main.js"],
        "cwd": SCRATCH,
        "home": SCRATCH,
        "tmp": SCRATCH,
        "file": f"{SKILL}/scripts/main.js",
        "user": "skill",
        "host": "sandbox",
        "uid": 1000,
        "platform": "linux",
        "tty": False,
        "execArgv": [],
    }


def test_a_single_module_can_be_the_entry(both: SideBySide, tmp_path: Path) -> None:
    require("node")
    script = "import os from 'node:os'\nconsole.log(await Promise.resolve(typeof os.EOL))"
    skill = make_skill(tmp_path, "module", files={"scripts/main.mjs": script})

    assert as_ran(both.inside(skill)) == both.outside(skill)
    assert both.inside(skill).text == "string\n"


def test_large_input_and_output_pass(both: SideBySide) -> None:
    text = json.dumps({"data": "z" * (3 * MIB)})

    ran = both.compare("node", "process.stdin.pipe(process.stdout)", text=text)

    assert ran.stdout == text


REFUSED = {
    "execSync": "require('child_process').execSync('true')",
    "spawnSync": (
        "const r = require('child_process').spawnSync('true'); if (r.error) throw r.error"
    ),
    "execFile": (
        "require('child_process').execFile('true', (error) => { if (error) refuse(error) })"
    ),
    "fork": "require('child_process').fork(__filename).on('error', refuse)",
    "a server": "require('net').createServer().on('error', refuse).listen(0, '127.0.0.1')",
    "a connection": "require('net').connect(9, '127.0.0.1').on('error', refuse)",
    "a page": "require('http').get('http://127.0.0.1:9/').on('error', refuse)",
    "fetch": "fetch('http://127.0.0.1:9/').catch(refuse)",
    "a name": "require('dns').lookup('example.com', (error) => { if (error) refuse(error) })",
    "a datagram": "require('dgram').createSocket('udp4').on('error', refuse).bind(0)",
    "a write to the skill": "require('fs').writeFileSync(__filename, '')",
    "a write to the system": "require('fs').writeFileSync('/usr/x', '')",
    "the list of processes": "require('fs').readdirSync('/proc')",
    "another user": "process.setuid(12345)",
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_refused_is_an_ordinary_error(both: SideBySide, name: str) -> None:
    script = (
        "function refuse(error) { console.log('refused', error.name); process.exit(0) }\n"
        "setTimeout(() => { console.log('done'); process.exit(0) }, 5000)\n"
        f"try {{ {REFUSED[name]} }} catch (error) {{ refuse(error) }}"
    )

    outcome = both.inside(both.skill("node", script, {}))

    assert outcome.reason is Reason.NOT_JSON, (outcome.message, outcome.stderr)
    assert outcome.text.startswith("refused "), outcome.text


def test_nothing_of_a_run_is_left_in_the_next(both: SideBySide) -> None:
    script = (
        "const fs = require('fs')\n"
        "console.log(JSON.stringify([fs.readdirSync('.'), globalThis.left]))\n"
        "globalThis.left = 1; fs.writeFileSync('left', '')"
    )
    skill = both.skill("node", script, {})

    assert [both.inside(skill, INPUT).text for _ in range(2)] == ["[[],null]\n"] * 2
