"""What ordinary JavaScript does is not taken for an attack."""

from __future__ import annotations

import pytest

from scan_samples import samples
from scan_verdicts import verdict_without_capabilities
from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.scan.javascript import analyse_javascript_text

ORDINARY = [
    "let s = ''; process.stdin.on('data', d => s += d);\n"
    "process.stdin.on('end', () => { const i = JSON.parse(s); console.log(i.a + i.b) })",
    "const r = await fetch(`https://api.example.com/v1?q=${q}`,"
    " {headers: {Authorization: `Bearer ${process.env.WEATHER_KEY}`}});\n"
    "console.log(await r.json())",
    "const axios = require('axios');\nasync function post(title) { const {data} = await axios.post("
    "'https://api.example.com/items', {title}, {headers: {'X-Key': process.env.ITEM_KEY}});"
    " return data }\npost(process.argv[2]).then(console.log)",
    "const { execFileSync } = require('child_process');\n"
    "console.log(execFileSync('git', ['status', '--short']).toString())",
    "const { execSync } = require('child_process');\nexecSync('npm run build', {stdio: 'inherit'})",
    "const {spawn} = require('child_process');\nconst p = spawn('ffmpeg', ['-i', process.argv[2],"
    " 'out.mp4'], {env: {...process.env, LANG: 'C'}});\np.on('close', c => process.exit(c))",
    "const fs = require('fs'), path = require('path');\n"
    "const t = JSON.parse(fs.readFileSync(path.join(__dirname, 'data.json'), 'utf8'));\n"
    "fs.writeFileSync('out.json', JSON.stringify(t, null, 2))",
    "console.log(Buffer.from(process.argv[2], 'base64').toString('utf8'))",
    "console.log(process.argv[2].split('').reverse().join(''))",
    "const rot = s => s.replace(/[a-z]/g, c => String.fromCharCode((c.charCodeAt(0) - 84) % 26"
    " + 97));\nconsole.log(rot(process.argv[2]))",
    "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }\nconsole.log(fib(20))",
    "const q = []; while (true) { const x = q.shift(); if (!x) break; q.push(...x.children) }",
    "async function poll() { while (true) { const r = await fetch('https://api.example.com/s');"
    " if (r.ok) return r.json(); await new Promise(f => setTimeout(f, 1000)) } }\npoll()",
    "class Stack { #items = []; push(x) { this.#items.push(x) }"
    " pop() { return this.#items.pop() } }\nconst s = new Stack(); s.push(1); console.log(s.pop())",
    "const template = n => `Hello, ${n}!`;\nconsole.log(template(process.argv[2] ?? 'world'))",
    "import fs from 'node:fs';\nimport path from 'node:path';\nfunction walk(d) { return"
    " fs.readdirSync(d, {withFileTypes: true}).flatMap(e => e.isDirectory() ?"
    " walk(path.join(d, e.name)) : [path.join(d, e.name)]) }\nconsole.log(walk(process.cwd()))",
    "const os = require('os'); console.log(os.platform(), os.cpus().length, os.freemem())",
    "if (process.env.CI) { console.log('::group::x') } else { console.log('x') }",
    "if (process.platform === 'win32') require('child_process').exec('start x');"
    " else require('child_process').exec('xdg-open x')",
    "const crypto = require('crypto');\n"
    "console.log(crypto.createHash('sha256').update(process.argv[2]).digest('hex'))",
    "const zlib = require('zlib'), fs = require('fs');\n"
    "fs.writeFileSync('out', zlib.gunzipSync(fs.readFileSync(process.argv[2])))",
    "!function(e,t){'object'==typeof exports?module.exports=t():e.x=t()}"
    "(this,function(){return function(e){return e.map(function(e){return e*2})}});",
    "const e = require('express')(); e.get('/', (q, r) => r.send('ok')); e.listen(3000)",
    "require('http').createServer((q, r) => { r.end('ok') }).listen(8080)",
    "const fs = require('fs'); fs.rmSync('dist', {recursive: true, force: true})",
    "const d = new Date(); if (d.getDay() === 5) console.log('weekly report')",
    "const cfg = require('./config.json'); module.exports = {...cfg, debug: !!process.env.DEBUG}",
    "const m = new Map(); for (const w of text.split(/\\s+/)) m.set(w, (m.get(w) || 0) + 1)",
    "export default function App() { return null }\nexport const x = 1",
    "const key = process.env.OPENAI_API_KEY; fetch('https://api.openai.com/v1/chat/completions',"
    " {method: 'POST', headers: {Authorization: 'Bearer ' + key}, body: JSON.stringify({})})",
    "const fs = require('fs'); fs.createReadStream(process.argv[2]).pipe("
    "fs.createWriteStream(process.argv[3]))",
    "const https = require('https'), fs = require('fs');\n"
    "https.get('https://example.com/data.csv', r => r.pipe(fs.createWriteStream('data.csv')))",
    "const {Worker} = require('worker_threads'); new Worker('./worker.js')",
    "const v = JSON.parse(require('fs').readFileSync(0, 'utf8')); console.log(v.items.sort())",
    "console.log = () => {}; process.on('exit', () => process.stdout.write('done'))",
    "const plugin = require(`./plugins/${process.argv[2]}`); plugin.run()",
    "const sum = (a, ...r) => r.reduce((x, y) => x + y, a); label: for (;;) { break label }",
    "const u = new URL('https://api.example.com/x'); u.searchParams.set('k', process.env.X_KEY);"
    " fetch(u).then(r => r.json()).then(j => console.log(j))",
    "String.prototype.constructor; Object.prototype.hasOwnProperty.call({}, 'a')",
    "const t = require('fs').readFileSync('template.html', 'utf8'); const f = new Map();\n"
    "console.log(t.replace(/{{(\\w+)}}/g, (m, k) => f.get(k) ?? ''))",
    "describe('x', () => { it('y', async () => { expect(1).toBe(1) }) })",
    "const s = '\\u00e9\\u00e8 caf\\u00e9'; console.log(s.normalize('NFD'))",
    "const jwt = t => JSON.parse(Buffer.from(t.split('.')[1], 'base64').toString());\n"
    "console.log(jwt(process.argv[2]))",
    "document.querySelector('#a').addEventListener('click', e => e.preventDefault())",
]


@pytest.mark.parametrize("script", [*ORDINARY, *samples("javascript_ordinary")])
def test_ordinary_script_is_no_attack(script: str) -> None:
    analysis = analyse_javascript_text(script, "scripts/main.js")

    assert verdict_without_capabilities(analysis) is Verdict.PASS
