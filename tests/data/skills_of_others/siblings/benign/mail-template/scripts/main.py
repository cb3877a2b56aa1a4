#!/usr/bin/env python3
"""Render an e-mail template."""
import pathlib
from jinja2.sandbox import SandboxedEnvironment

def main(p):
    env = SandboxedEnvironment(autoescape=True)
    t = env.from_string(pathlib.Path(p["template"]).read_text())
    return {"html": t.render(**p.get("values", {}))}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
