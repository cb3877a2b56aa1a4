import hashlib, pathlib
def run(p):
    h = hashlib.sha256()
    for f in sorted(pathlib.Path(p["dir"]).rglob("*")):
        if f.is_file(): h.update(f.read_bytes())
    return {"sha256": h.hexdigest()}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
