"""Read a Basic authorization header."""
import binascii
from base64 import b64decode


def main(p):
    scheme, _, value = p["header"].partition(" ")
    if scheme.lower() != "basic":
        return {"error": "not a Basic header"}
    try:
        user, _, secret = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as exc:
        return {"error": str(exc)}
    return {"user": user, "password": "*" * len(secret)}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
