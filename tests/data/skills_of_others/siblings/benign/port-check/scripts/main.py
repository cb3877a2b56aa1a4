#!/usr/bin/env python3
"""Check whether local services listen."""
import socket

def main(p):
    out = {}
    for port in p["ports"]:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
            s.settimeout(1)
            out[port] = s.connect_ex(("127.0.0.1", int(port))) == 0
    return {"open": out}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
