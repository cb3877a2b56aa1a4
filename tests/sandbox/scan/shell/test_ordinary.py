"""What ordinary scripts do is not taken for an attack."""

from __future__ import annotations

import pytest

from scan_samples import samples
from scan_verdicts import verdict_without_capabilities
from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.scan.shell import analyse_shell_text

ORDINARY = [
    '#!/bin/sh\nset -eu\ndf -h | sort -k5 | head -n 20\ndu -sh "${1:-.}"/*',
    'curl -sf -H "Authorization: Bearer $WEATHER_API_KEY" "https://api.example.com/v1?q=$1" | jq .',
    "set -euo pipefail\npython3 -m venv .venv\n"
    ". .venv/bin/activate\npip install -r requirements.txt",
    "rm -rf build/ dist/ && mkdir -p build && cp -r src/* build/",
    "tmp=$(mktemp -d)\ntrap 'rm -rf \"$tmp\"' EXIT\n"
    'curl -s https://api.example.com/data > "$tmp/d"\njq . "$tmp/d"',
    'git status --short\ngit add -A\ngit commit -m "$1"\ngit push origin HEAD',
    'git push "$remote" "$branch"',
    'for f in "$@"; do wc -l "$f"; done',
    'echo "$1" | base64 -d > out.bin',
    "base64 -d image.b64 > image.png",
    "name=$(echo \"$1\" | tr 'A-Z' 'a-z' | tr ' ' '-')\necho \"$name\"",
    "os=$(uname -s | tr '[:upper:]' '[:lower:]')\n./bin/tool-$os --version",
    "find . -name '*.pyc' -delete\nfind . -name __pycache__ -exec rm -rf {} +",
    "printf '\\x1b[32mok\\x1b[0m\\n'",
    "find . -type f -name '*.log' -mtime +7 -delete",
    "make -j4 && make test",
    "npm ci && npm run build",
    "pip install --upgrade pip",
    "pip install torch --index-url https://download.pytorch.org/whl/cpu",
    'if [[ "$(uname)" == Darwin ]]; then open out.html; else xdg-open out.html; fi',
    'if [ -n "${CI:-}" ]; then FLAGS=--no-color; fi\npytest $FLAGS',
    'walk() { for e in "$1"/*; do [ -d "$e" ] && walk "$e"; echo "$e"; done; }\nwalk .',
    'fact() { [ "$1" -le 1 ] && echo 1 && return; '
    "echo $(( $1 * $(fact $(( $1 - 1 ))) )); }\nfact 5",
    "while true; do date >> log.txt; sleep 5; done",
    'while read -r line; do echo "${line%%,*}"; done < data.csv',
    "until curl -sf http://localhost:8080/health; do sleep 1; done",
    "(echo > /dev/tcp/localhost/5432) 2>/dev/null && echo open",
    "nc -z localhost 5432",
    "tar czf backup.tgz src/ docs/",
    'eval "$(ssh-agent -s)"',
    'source .env\necho "$APP_NAME"',
    'export PATH="$PWD/bin:$PATH"',
    "docker build -t app . && docker run --rm app",
    "curl -sSL https://example.com/data.csv -o data.csv && head -5 data.csv",
    "curl -s https://api.example.com/x | "
    "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"a\"])'",
    'curl -X POST https://hooks.example.com/$HOOK_ID -d "{\\"text\\": \\"$1\\"}"',
    "awk -F, '{s+=$2} END {print s}' data.csv",
    "perl -pe 's/foo/bar/g' in.txt > out.txt",
    "sed -i.bak 's/version = .*/version = \"1.2\"/' pyproject.toml",
    "\\ls -la\n\\rm -f old.txt",
    "dd if=/dev/zero of=test.img bs=1M count=10",
    "yes | head -n 3",
    "head -c 16 /dev/urandom | base64",
    "openssl rand -hex 16\nopenssl x509 -in cert.pem -noout -text",
    "crontab -l",
    "systemctl status nginx",
    "help() { echo 'Add to ~/.bashrc: export PATH=...'; }\nhelp",
    "echo 'never run: rm -rf / or curl evil | sh'",
    "grep -rn 'curl .* | sh' docs/",
    "cat /etc/os-release\nnproc\nfree -m",
    'rsync -a src/ "$DEST"',
    "rm -f /tmp/skill-$$.txt",
    "rm -rf ~/.cache/mytool",
    'cmd="$1"; shift\ncase "$cmd" in build) make;; test) make test;; *) echo usage; exit 1;; esac',
    'ffmpeg -i "$1" -vf scale=640:-1 out.mp4',
    "jq -r '.[] | @base64' d.json | while read -r r; do echo \"$r\" | base64 -d | jq .name; done",
    "sleep 5 &\nwait",
    'for host in a b; do ping -c1 "$host" & done; wait',
    "pandoc README.md -o out.pdf",
    'export TOKEN=$(cat ~/.config/mytool/token)\ncurl -H "Authorization: $TOKEN" https://api.example.com',
    "wget -q https://example.com/model.bin -O model.bin && sha256sum -c model.sha256",
    'log() { printf \'%s %s\\n\' "$(date -u +%FT%TZ)" "$*" >&2; }\nlog start',
    "mysqldump app > dump.sql && gzip dump.sql",
    "cp config.example.json config.json",
    'ssh "$USER_HOST" uptime',
    'read -r input\necho "$input" | jq .',
    'cat <<EOF\n{"name": "$1"}\nEOF',
    'cd "$(dirname "$0")/.." && python3 scripts/main.py',
    "command -v curl >/dev/null || { echo 'curl needed'; exit 1; }",
    'git log --since="$1" --pretty=format:%s | sort | uniq -c',
]


@pytest.mark.parametrize("script", [*ORDINARY, *samples("shell_ordinary")])
def test_ordinary_script_is_no_attack(script: str) -> None:
    analysis = analyse_shell_text(script, "scripts/main.sh")

    assert verdict_without_capabilities(analysis) is Verdict.PASS
