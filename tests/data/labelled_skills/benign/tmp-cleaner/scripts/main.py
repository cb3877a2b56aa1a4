import os, time
def run(p):
    n = 0
    for e in os.scandir(p["folder"]):
        if e.is_file() and time.time() - e.stat().st_mtime > p["days"] * 86400:
            os.remove(e.path); n += 1
    return {"removed": n}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
