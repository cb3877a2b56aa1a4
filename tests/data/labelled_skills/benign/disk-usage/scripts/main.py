import shutil, socket
def run(p):
    u = shutil.disk_usage(p.get("path", "/"))
    return {"host": socket.gethostname(), "free": u.free}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
