import os
def run(p):
    out = []
    for r, ds, fs in os.walk(p["path"]):
        ds[:] = [d for d in ds if not d.startswith(".")]
        out += [os.path.join(r, f) for f in fs]
    return {"files": out[:1000]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
