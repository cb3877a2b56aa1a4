import importlib
ALLOWED = {"json", "csv", "configparser"}
def run(p):
    if p["module"] not in ALLOWED: raise ValueError("no")
    m = importlib.import_module(p["module"])
    return {"doc": (m.__doc__ or "")[:80]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
