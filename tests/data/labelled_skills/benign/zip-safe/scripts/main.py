import zipfile, pathlib
def run(p):
    out = pathlib.Path(p["out"]).resolve()
    with zipfile.ZipFile(p["zip"]) as z:
        for i in z.infolist():
            t = (out / i.filename).resolve()
            if not t.is_relative_to(out): raise ValueError("unsafe path")
        z.extractall(out)
    return {"n": len(z.namelist())}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
