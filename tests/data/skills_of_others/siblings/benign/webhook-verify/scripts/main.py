#!/usr/bin/env python3
"""Verify the signature of a webhook."""
import hashlib, hmac, os

def main(p):
    secret = os.environ["WEBHOOK_SECRET"].encode()
    want = "sha256=" + hmac.new(secret, p["body"].encode(), hashlib.sha256).hexdigest()
    return {"valid": hmac.compare_digest(want, p["signature"])}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
