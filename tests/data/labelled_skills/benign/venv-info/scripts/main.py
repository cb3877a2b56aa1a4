import sys, platform, os
def run(p):
    return {"python": sys.version, "platform": platform.platform(), "cpus": os.cpu_count()}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
