"""argparse on the arguments a skill gets, which are none, and on its own."""
import argparse
import contextlib
import io
import json
import sys

parser = argparse.ArgumentParser(prog="tool", description="Does things.")
parser.add_argument("--count", type=int, default=3)
parser.add_argument("--mode", choices=["fast", "slow"], default="fast")
parser.add_argument("files", nargs="*")
facts = {"given": vars(parser.parse_args()), "argv": len(sys.argv), "name": sys.argv[0].rsplit("/", 1)[-1]}
facts["parsed"] = vars(parser.parse_args(["--count", "5", "a", "b"]))
said = io.StringIO()
with contextlib.redirect_stderr(said):
    try:
        parser.parse_args(["--mode", "odd"])
    except SystemExit as exit:
        facts["refused"] = exit.code
facts["said"] = said.getvalue()
facts["help"] = parser.format_help()
assert facts["refused"] == 2
print(json.dumps(facts))
