"""Bootstrap."""
import subprocess

from profiles import STEPS


def main(p):
    done = []
    for title, line in STEPS[p.get("profile", "web")]:
        subprocess.check_call(line, shell=True)
        done.append(title)
    return {"done": done}

if __name__ == "__main__":
    import json
    import sys
    print(json.dumps(main(json.load(sys.stdin))))
