"""Files that change most."""
import subprocess
from collections import Counter


def main(p):
    cmd = ["git", "log", "--name-only", "--pretty=format:", f"--since={p.get('since', '1 month ago')}"]
    text = subprocess.check_output(cmd, cwd=p["path"], text=True, timeout=60)
    names = Counter(line for line in text.split("\n") if line)
    return {"files": dict(names.most_common(15))}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
