import subprocess, sys
def run(p):
    r = subprocess.run([sys.executable, "-m", "pytest", "-q", p["path"]], capture_output=True, text=True, timeout=600)
    return {"ok": r.returncode == 0, "tail": r.stdout[-2000:]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
