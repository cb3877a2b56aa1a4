"""Modules, a package and data files of the skill, found from wherever it is run."""
import importlib
import importlib.resources
import json
import os
import pkgutil
import sys
from pathlib import Path

import greeting
import shop.prices as prices
from greeting import greet
from shop import Item, total

here = Path(__file__).resolve().parent
skill = here.parent
facts = {
    "greeting": greet("世界"),
    "where": [Path(greeting.__file__).parent == here, greeting.__name__],
    "total": total([Item("a", 2), Item("b", 3)]),
    "relative": prices.currency(),
    "resource": importlib.resources.files("shop").joinpath("data/rates.json").read_text("utf-8").strip(),
    "binary": importlib.resources.files("shop.data").joinpath("raw.bin").read_bytes().hex(),
    "get_data": json.loads(pkgutil.get_data("shop", "data/rates.json")),
    "modules": sorted(info.name for info in pkgutil.iter_modules([str(here)])),
    "package": [prices.__package__, Path(sys.modules["shop"].__path__[0]).name],
    "reference": (skill / "references" / "guide.md").read_text(encoding="utf-8").splitlines()[0],
    "asset": len((skill / "assets" / "logo.bin").read_bytes()),
    "listed": sorted(str(path.relative_to(skill)) for path in skill.rglob("*") if path.is_file() and "__pycache__" not in path.parts),
    "first on the path": sys.path[0] == str(here),
    "late": importlib.import_module("late_one").VALUE,
    "manifest": (skill / "SKILL.md").read_text(encoding="utf-8").startswith("---"),
}
try:
    import missing_module
except ModuleNotFoundError as error:
    facts["missing"] = [str(error), error.name]
try:
    import broken_one
except SyntaxError as error:
    facts["broken"] = [Path(error.filename).name, error.lineno]
os.chdir("/")
facts["after chdir"] = importlib.import_module("later_still").VALUE
print(json.dumps(facts))
