"""What ordinary Python does is not taken for an attack, however it looks."""

from __future__ import annotations

import pytest

from scan_verdicts import codes_of, verdict_without_capabilities
from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.scan.python import analyse_python_text

ORDINARY = [
    "import os, requests\nk = os.environ['WEATHER_API_KEY']\n"
    "r = requests.get('https://api.example.com', params={'q': 'x', 'appid': k}, timeout=9)\n"
    "print(r.json())",
    "import os, requests\ns = requests.Session()\n"
    "s.headers['Authorization'] = 'Bearer ' + os.environ['GITHUB_TOKEN']\n"
    "for p in range(1, 9):\n    r = s.get('https://api.github.com/issues', params={'page': p})\n"
    "    if not r.json(): break\n    print(r.json())",
    "import os, boto3\nc = boto3.client('s3', aws_access_key_id=os.getenv('AWS_ACCESS_KEY_ID'), "
    "aws_secret_access_key=os.getenv('AWS_SECRET_ACCESS_KEY'))\nc.upload_file('out.csv', 'b', 'k')",
    "import os, requests\nkey, base = os.environ['OPENAI_API_KEY'], "
    "os.environ.get('OPENAI_BASE_URL', "
    "'https://api.openai.com/v1')\nprint(requests.post(base + '/chat', headers={'Authorization': "
    "f'Bearer {key}'}, json={'m': 1}).json()['choices'][0])",
    "import os, smtplib\nwith smtplib.SMTP_SSL(os.environ['SMTP_HOST']) as s:\n"
    "    s.login(os.environ['SMTP_USER'], os.environ['SMTP_PASSWORD'])\n    s.sendmail('a', "
    "'b', 'c')",
    "import subprocess, os\nenv = {**os.environ, 'LC_ALL': 'C'}\n"
    "print(subprocess.run(['git', 'log'], env=env, capture_output=True).stdout)",
    "import os, subprocess\nenv = os.environ.copy()\nenv['GIT_PAGER'] = 'cat'\n"
    "subprocess.check_output(['git', 'diff', '--stat'], env=env)",
    "import os\nprint(sorted(k for k in os.environ if k.startswith('SKILL_')))",
    "import os\nprint({k: os.environ.get(k) for k in ('LANG', 'TZ', 'TERM')})",
    "import os, platform, sys\nprint(platform.platform(), sys.version, os.cpu_count(), "
    "os.getcwd())",
    "import socket\nprint({'host': socket.gethostname()})",
    "import psutil\nprint(psutil.cpu_percent(), [p.info for p in psutil.process_iter(['name'])])",
    "import base64, sys\nprint(base64.b64decode(sys.stdin.read()).decode())",
    "import base64\nICON = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk'\n"
    "open('icon.png', 'wb').write(base64.b64decode(ICON + '=='))",
    "import zlib, base64, json\nD = base64.b64encode(zlib.compress(b'{}'))\n"
    "print(json.loads(zlib.decompress(base64.b64decode(D))))",
    "import gzip, json, pathlib\np = pathlib.Path(__file__).parent / 'table.json.gz'\n"
    "print(json.loads(gzip.decompress(p.read_bytes()))['a'])",
    "import codecs\nprint(codecs.decode(input(), 'rot13'))",
    "import ast, sys\nprint(ast.literal_eval(sys.stdin.read()))",
    "import sys\nprint(eval(sys.argv[1], {'__builtins__': {}}, {'x': 2}))",
    "from collections import namedtuple\nP = namedtuple('P', 'x y')\nprint(getattr(P(1, 2), 'x'))",
    "import importlib\nfor name in ('json', 'csv'):\n    "
    "print(importlib.import_module(name).__doc__)",
    "import importlib\ntry:\n    yaml = importlib.import_module('yaml')\nexcept ImportError:\n"
    "    yaml = None",
    "import os\nuid = getattr(os, 'getuid', lambda: 0)()\nprint(uid)",
    "class Base:\n    pass\nclass A(Base):\n    pass\nprint([c.__name__ for c in "
    "Base.__subclasses__()])",
    "class A:\n    def __init__(self): self.x = 1\n    def __repr__(self): return "
    "str(self.__dict__)\n"
    "print(A().__class__.__name__, type(A()).__mro__)",
    "import inspect\ndef f(a, b=1): ...\nprint(inspect.signature(f), inspect.getsource(f))",
    "import inspect, logging\ndef log(m):\n    c = inspect.currentframe().f_back\n"
    "    logging.info('%s:%s %s', c.f_code.co_name, c.f_lineno, m)\nlog('x')",
    "import gc\ngc.collect()\nprint(gc.get_stats())",
    "import pickle, pathlib\np = pathlib.Path('cache.pkl')\n"
    "d = pickle.loads(p.read_bytes()) if p.exists() else {}\nd['n'] = "
    "1\np.write_bytes(pickle.dumps(d))",
    "import yaml, sys\nprint(yaml.load(sys.stdin, Loader=yaml.SafeLoader))",
    "import ctypes, ctypes.util\nm = ctypes.CDLL(ctypes.util.find_library('m'))\n"
    "m.cbrt.restype = ctypes.c_double\nm.cbrt.argtypes = [ctypes.c_double]\nprint(m.cbrt(27.0))",
    "import mmap\nwith open('big.txt', 'r+b') as f:\n    m = mmap.mmap(f.fileno(), 0, "
    "prot=mmap.PROT_READ)\n    print(m.find(b'x'))",
    "import zipfile, sys\nwith zipfile.ZipFile(sys.argv[1]) as z:\n    for n in z.namelist():\n"
    "        if n.startswith('/') or '..' in n: raise SystemExit('no')\n    z.extractall('out')",
    "import tarfile\nwith tarfile.open('in.tgz') as t:\n    t.extractall('out', filter='data')",
    "import shutil, tempfile\nd = tempfile.mkdtemp()\ntry:\n    open(d + '/x', 'w').write('y')\n"
    "finally:\n    shutil.rmtree(d)",
    "import shutil, os\nif os.path.isdir('build'):\n    shutil.rmtree('build')",
    "from pathlib import Path\nfor p in Path('.').rglob('*.pyc'):\n    p.unlink()",
    "import sys\nfrom pathlib import Path\nfor p in Path(sys.argv[1]).glob('*.tmp'):\n    "
    "p.unlink()",
    "import os, time, sys\nlast = 0\nwhile True:\n    m = os.path.getmtime(sys.argv[1])\n"
    "    if m != last: print('changed')\n    last = m\n    time.sleep(1)",
    "out = []\nwhile True:\n    line = input()\n    if not line: break\n    out.append(line * 100)",
    "import threading\nts = [threading.Thread(target=print, args=(i,)) for i in range(4)]\n"
    "[t.start() for t in ts]\n[t.join() for t in ts]",
    "import multiprocessing as mp\ndef f(x): return x * x\nif __name__ == '__main__':\n"
    "    with mp.Pool(4) as p: print(p.map(f, range(9)))",
    "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(fib(9))",
    "import datetime\nif datetime.date.today().weekday() == 0: print('Monday')",
    "import datetime, requests\nif datetime.datetime.now().hour < 12:\n    g = 'morning'\nelse:\n"
    "    g = 'day'\nprint(g, requests.get('https://api.example.com').text)",
    "import time, requests\nc = {'t': 0, 'v': None}\ndef get():\n    if time.time() - c['t'] "
    "> 300:\n"
    "        c['v'] = requests.get('https://api.example.com').json(); c['t'] = time.time()\n"
    "    return c['v']\nprint(get())",
    "import platform, subprocess\nif platform.system() == 'Windows':\n    subprocess.run(['dir'], "
    "shell=True)\nelse:\n    subprocess.run(['ls'])",
    "import sys, subprocess\nif sys.platform == 'darwin':\n    subprocess.run(['open', 'x.html'])",
    "import os, subprocess\nif os.environ.get('CI'):\n    print('plain')\nelse:\n    "
    "print('colour')",
    "import re\nRX = [r'AKIA[0-9A-Z]{16}', r'ghp_[A-Za-z0-9]{36}', r'-----BEGIN.*PRIVATE "
    "KEY-----']\n"
    "import sys\nt = sys.stdin.read()\nfor r in RX:\n    t = re.sub(r, '***', t)\nprint(t)",
    "DENIED = ['~/.ssh', '~/.aws', '/etc/shadow', '~/.bashrc', 'CLAUDE.md']\nimport sys\n"
    "print(any(sys.argv[1].startswith(d) for d in DENIED))",
    "HELP = '''Never run curl https://x.example.com | sh, nor rm -rf ~, nor exec(base64...)'''\n"
    "print(HELP)",
    "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pytest', '-q'], check=False)",
    "import subprocess\nsubprocess.run(['docker', 'ps'], check=True)\nsubprocess.run('ls | wc "
    "-l', shell=True)",
    "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import sys; print(sys.path)'])",
    "import sqlite3\nc = sqlite3.connect('a.db')\nprint(c.execute('select ?', (1,)).fetchall())",
    "import requests, sys, json\nd = requests.get('https://api.example.com').json()\n"
    "with open('out.json', 'w') as f:\n    json.dump(d, f)",
    "import requests\nr = requests.get('https://example.com/a.zip', stream=True)\n"
    "with open('a.zip', 'wb') as f:\n    for c in r.iter_content(8192):\n        f.write(c)\n"
    "import zipfile\nprint(zipfile.ZipFile('a.zip').namelist())",
    "import requests, subprocess\nv = "
    "requests.get('https://pypi.example.com/x').json()['version']\n"
    "subprocess.run(['git', 'tag', v])",
    "import requests, sys\nfiles = {'f': open(sys.argv[1], 'rb')}\n"
    "requests.post('https://api.example.com/upload', files=files)",
    "import json, sys, urllib.request\np = json.load(sys.stdin)\nurllib.request.urlopen("
    "urllib.request.Request(p['url'], json.dumps(p['body']).encode()))",
    "from http.server import HTTPServer, SimpleHTTPRequestHandler\n"
    "HTTPServer(('127.0.0.1', 8000), SimpleHTTPRequestHandler).serve_forever()",
    "import socket\ns = socket.socket()\ns.settimeout(2)\nprint(s.connect_ex(('example.com', "
    "443)))",
    "import builtins\n_print = builtins.print\ndef p(*a): _print('>', *a)\np('x')",
    "import unittest.mock as m, requests\nwith m.patch('requests.get') as g:\n"
    "    g.return_value.json.return_value = {}\n    assert requests.get('x').json() == {}",
    "import sys\nsys.path.insert(0, 'lib')\nsys.setrecursionlimit(5000)\nsys.stdout.reconfigure("
    "encoding='utf-8')",
    "import warnings, logging\nlogging.basicConfig(level=logging.INFO)\nlogging.info('x %s', 1)",
    "import atexit, tempfile, os\nf = tempfile.mktemp()\natexit.register(os.unlink, f)",
    "import signal, sys\nsignal.signal(signal.SIGINT, lambda *a: sys.exit(0))",
    "import hashlib, hmac, os\nprint(hmac.new(os.environ['SIGN_KEY'].encode(), b'x', "
    "'sha256').hexdigest())",
    "import secrets, string\nprint(''.join(secrets.choice(string.ascii_letters) for _ in "
    "range(20)))",
    "import os\nprint(os.path.expanduser('~/x'), os.path.join(os.getcwd(), 'a'))",
    "from pathlib import Path\nc = Path.home() / '.cache' / 'my-skill'\nc.mkdir(parents=True, "
    "exist_ok=True)\n(c / 'x.json').write_text('{}')",
    "from pathlib import Path\nimport json\nc = Path.home() / '.config' / 'my-skill' / "
    "'config.json'\n"
    "print(json.loads(c.read_text())['lang'])",
    "from dotenv import load_dotenv\nimport os, requests\nload_dotenv()\n"
    "requests.get('https://api.example.com', headers={'X-Key': os.environ['X_KEY']})",
    "import os, requests\nfor line in open('.env'):\n    k, _, v = line.partition('=')\n"
    "    os.environ.setdefault(k, v.strip())\n"
    "requests.get('https://api.example.com', headers={'X-Key': os.environ['X_KEY']})",
    "from pathlib import Path\nimport sys\no = Path(sys.argv[1]) / 'new-skill'\no.mkdir()\n"
    "(o / 'SKILL.md').write_text('---\\nname: x\\n---')",
    "from cryptography.fernet import Fernet\nimport sys, os\nf = "
    "Fernet(os.environ['KEY'].encode())\n"
    "open(sys.argv[2], 'wb').write(f.encrypt(open(sys.argv[1], 'rb').read()))",
    "import pandas as pd\nd = pd.read_csv('a.csv')\nprint(d.eval('a + b').describe())",
    "import torch\nm = torch.nn.Linear(1, 1)\nm.load_state_dict(torch.load('w.pt', "
    "weights_only=True))\n"
    "m.eval()",
    "import numpy as np\nprint(np.load('a.npy').sum())",
    "T = str.maketrans('abc', 'xyz')\nprint(input().translate(T)[::-1])",
    "KEY = 42\nimport sys\nprint(bytes(b ^ KEY for b in sys.stdin.buffer.read()).hex())",
    "import struct\nprint(struct.unpack('<I', b'abcd'))",
    "import sys\nRED = '\\x1b[31m'\nprint(RED + 'x' + chr(27) + '[0m', ''.join(chr(65 + i) "
    "for i in range(26)))",
    "import operator, functools\nprint(functools.reduce(operator.mul, [1, 2, 3]))",
    "HANDLERS = {}\ndef register(f):\n    HANDLERS[f.__name__] = f\n    return f\n@register\n"
    "def add(p): return p['a'] + p['b']\nimport json, sys\np = json.load(sys.stdin)\n"
    "print(json.dumps(HANDLERS[p['op']](p)))",
    "import asyncio\nasync def w(n):\n    await asyncio.sleep(n)\n    return n\n"
    "async def m():\n    print(await asyncio.gather(w(1), w(2)))\nasyncio.run(m())",
    "import asyncio\nasync def m():\n    p = await asyncio.create_subprocess_exec('ls', stdout="
    "asyncio.subprocess.PIPE)\n    print((await p.communicate())[0])\nasyncio.run(m())",
    "import socket, os\nprint(socket.gethostbyname('example.com'))",
    "from setuptools import setup\nsetup(name='x', version='1', packages=['x'])",
    "import logging, os\nlog = logging.getLogger('x')\nlog.info('using %s', os.environ.get('TZ'))",
    "import keyring, requests\nt = keyring.get_password('my-service', 'me')\n"
    "requests.get('https://api.example.com', headers={'Authorization': t})",
    "import pyperclip, sys\npyperclip.copy(sys.stdin.read())",
    "import subprocess\nprint(subprocess.run(['crontab', '-l'], capture_output=True).stdout)",
    "import subprocess\nprint(subprocess.run(['systemctl', 'status', 'nginx'], "
    "capture_output=True))",
    "n = 10 ** 12\nprint(n, 'x' * 80, [0] * 1000)",
    "import itertools\nfor i in itertools.count():\n    if i > 9: break\n    print('x' * i)",
]


@pytest.mark.parametrize("code", ORDINARY)
def test_ordinary_code_is_passed(code: str) -> None:
    analysis = analyse_python_text(code, "scripts/main.py")

    assert verdict_without_capabilities(analysis) is Verdict.PASS


@pytest.mark.parametrize(
    "code",
    [
        "import ctypes\nprint(ctypes.CDLL(None, use_errno=True).syscall(186))",
        "import sys, threading\ndef t(f, e, a): return t\nthreading.settrace(t)\nsys.settrace(t)",
        "import os, json\nprint(json.dumps(dict(os.environ)))",
        "import socket, subprocess\nif socket.gethostname() == 'ci-1':\n"
        "    subprocess.run(['make'])",
        "import getpass, requests\nrequests.post('https://api.example.com/login', "
        "json={'p': getpass.getpass()})",
        "import os, requests\nrequests.post('https://api.example.com/v1', "
        "headers={'Authorization': os.environ['OPENAI_API_KEY']}, json={})",
        "import os\nos.remove(os.path.expanduser('~/Downloads/' + input()))",
        "import json, requests\ndef d(self, o): return str(o)\njson.JSONEncoder.default = d\n"
        "requests.post('https://api.example.com', data=json.dumps({}))",
        "import socket, socks, requests\nsocket.socket = socks.socksocket\n"
        "requests.get('https://api.example.com')",
    ],
)
def test_what_is_unusual_but_no_attack_is_never_blocked(code: str) -> None:
    analysis = analyse_python_text(code, "scripts/main.py")

    assert verdict_without_capabilities(analysis) is not Verdict.BLOCK


@pytest.mark.parametrize(
    "code",
    [
        "import os\nprint(os.path.join('a', 'b'), os.sep)",
        "import sys, json, os\np = "
        "json.load(sys.stdin)\nprint(json.dumps({'n': os.path.basename(p['f'])}))",
        "import subprocess, socket, ctypes, pickle, base64, shutil, requests",
        "import re, math, csv, collections, pathlib\nprint(pathlib.PurePath('a').name)",
    ],
)
def test_importing_and_computing_gives_no_finding(code: str) -> None:
    assert codes_of(analyse_python_text(code, "scripts/main.py")) == set()
