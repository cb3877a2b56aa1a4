"""json at its edges and regular expressions with names, lookaround and Unicode."""
import json
import re
import sys

given = json.load(sys.stdin)
facts = {"given": given, "unicode": json.dumps({"ü": "世"}), "plain": json.dumps("世", ensure_ascii=False)}
facts["numbers"] = json.loads("[1e3, -0.0, 123456789012345678901234567890, 5e-324]")
facts["sorted"] = json.dumps({"b": 1, "a": [1, {"c": None}]}, sort_keys=True, indent=1)
try:
    json.loads('{"a": }')
except json.JSONDecodeError as error:
    facts["broken"] = [error.msg, error.pos]
pattern = re.compile(r"(?P<key>\w+)\s*=\s*(?P<value>[^;]+)(?:;|$)")
facts["pairs"] = [match.groupdict() for match in pattern.finditer("größe = 12;名= x y")]
facts["look"] = re.findall(r"(?<=€)\d+(?!\d*%)", "€10 €20% €30")
facts["substituted"] = re.sub(r"(\d+)", lambda match: str(int(match[1]) * 2), "1 and 20")
facts["split"] = re.split(r"[,;]\s*", "a, b;c", maxsplit=1)
facts["flags"] = bool(re.fullmatch(r"straße", "STRASSE", re.IGNORECASE)), bool(re.match("É", "é", re.I))
facts["possessive"] = bool(re.match(r"a++b", "aaab"))
assert facts["substituted"] == "2 and 40"
print(json.dumps(facts))
