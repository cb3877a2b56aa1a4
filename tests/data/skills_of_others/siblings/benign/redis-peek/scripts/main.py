#!/usr/bin/env python3
"""Look at keys of a Redis cache."""
import os
import redis

def main(p):
    r = redis.Redis(host=os.environ.get("REDIS_HOST", "localhost"), password=os.environ.get("REDIS_PASSWORD"), decode_responses=True)
    keys = [k for _, k in zip(range(100), r.scan_iter(match=p.get("match", "*")))]
    return {"keys": {k: r.ttl(k) for k in keys}}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
