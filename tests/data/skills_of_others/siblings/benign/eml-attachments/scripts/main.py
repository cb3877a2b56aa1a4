#!/usr/bin/env python3
"""Save the attachments of an e-mail file."""
import base64, email, pathlib
from email import policy

def main(p):
    m = email.message_from_bytes(pathlib.Path(p["eml"]).read_bytes(), policy=policy.default)
    dest = pathlib.Path(p["dest"]); saved = []
    for a in m.iter_attachments():
        name = pathlib.PurePath(a.get_filename() or "part.bin").name
        data = base64.b64decode(a.get_payload()) if a["content-transfer-encoding"] == "base64" else a.get_payload(decode=True)
        (dest / name).write_bytes(data); saved.append(name)
    return {"saved": saved}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
