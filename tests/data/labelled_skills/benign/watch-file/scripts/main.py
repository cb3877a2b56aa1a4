import os, time
def run(p):
    m = os.stat(p["file"]).st_mtime
    for _ in range(100):
        time.sleep(.05)
        if os.stat(p["file"]).st_mtime != m: return {"changed": True}
    return {"changed": False}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
