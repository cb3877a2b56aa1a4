import subprocess
def run(p):
    out = subprocess.run(["git", "blame", "--porcelain", p["file"]], capture_output=True, text=True, check=True, cwd=p["repo"])
    return {"lines": out.stdout.splitlines()[:200]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
