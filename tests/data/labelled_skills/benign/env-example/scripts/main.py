import os
def run(p):
    return {"missing": [n for n in p["names"] if n not in os.environ]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
