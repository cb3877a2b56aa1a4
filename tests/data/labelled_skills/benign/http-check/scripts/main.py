import urllib.request, time
def run(p):
    t = time.perf_counter()
    with urllib.request.urlopen(p["url"], timeout=5) as r:
        return {"status": r.status, "ms": (time.perf_counter() - t) * 1000}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
