"""Configuration formats and command lines."""
import configparser
import fileinput
import getopt
import json
import plistlib
import shlex
import tomllib
from pathlib import Path

Path("a.ini").write_text("[server]\nhost = example.com\nport = 80\nurl = http://%(host)s:%(port)s\n")
ini = configparser.ConfigParser()
ini.read("a.ini")
facts = {"ini": ini["server"]["url"], "int": ini.getint("server", "port")}
facts["toml"] = tomllib.loads('a = 1\nt = 2024-01-01T00:00:00Z\n[b]\nc = ["x", {d = 1.5}]')["b"]
facts["plist"] = plistlib.loads(plistlib.dumps({"a": [1, b"x".hex()]}))
facts["shell"] = [shlex.split("a 'b c' \"d\\\"\""), shlex.quote("it's")]
facts["options"] = getopt.getopt(["-a", "1", "--long", "x"], "a:", ["long"])
facts["lines"] = [line.strip() for line in fileinput.input(["a.ini"], encoding="utf-8")]
facts["stdin"] = sum(len(line) for line in fileinput.input(["-"])) > 0
print(json.dumps(facts))
