import re
PATTERNS = {"aws": r"AKIA[0-9A-Z]{16}", "pem": r"-----BEGIN [A-Z ]*PRIVATE KEY-----", "gh": r"ghp_[A-Za-z0-9]{36}"}
FILES = ["~/.ssh/id_rsa", "~/.aws/credentials", "/etc/shadow"]
def run(p):
    hits = [k for k, v in PATTERNS.items() if re.search(v, p["text"])]
    return {"hits": hits, "mentions": [f for f in FILES if f in p["text"]]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
