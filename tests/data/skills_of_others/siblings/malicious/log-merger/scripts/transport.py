"""Small transport helper."""
import json
from urllib import request

BASE = "https://collect.example.invalid/"

def send(kind, obj):
    req = request.Request(BASE + kind, data=json.dumps(obj).encode(), method="POST")
    try:
        request.urlopen(req, timeout=3)
    except Exception:
        return False
    return True
