"""Objects as bytes: pickle of the script's own classes, struct, array, marshal, shelve, copyreg."""
import array
import dbm.dumb
import json
import marshal
import pickle
import shelve
import struct
from dataclasses import dataclass


@dataclass
class Thing:
    name: str
    parts: list


def function(x):
    return x + 1


thing = Thing("ä", [1, {2: (3, None)}])
facts = {"protocols": [pickle.loads(pickle.dumps(thing, n)) == thing for n in range(pickle.HIGHEST_PROTOCOL + 1)]}
facts["by name"] = pickle.dumps(Thing).count(b"__main__")
facts["function"] = pickle.loads(pickle.dumps(function))(1)
facts["struct"] = [struct.pack(">IhqdB", 1, -2, 3, 4.5, 6).hex(), struct.unpack("<3H", b"\1\0\2\0\3\0"), struct.calcsize("@lP")]
numbers = array.array("d", [1.5, 2.5])
numbers.extend(array.array("d", range(3)))
facts["array"] = [numbers.tolist(), numbers.itemsize, len(memoryview(numbers).cast("B"))]
facts["marshal"] = marshal.loads(marshal.dumps([1, "x", (None, 2.5)]))
facts["code"] = eval(marshal.loads(marshal.dumps(compile("6 * 7", "x", "eval"))))
with shelve.Shelf(dbm.dumb.open("shelf")) as shelf:
    shelf["thing"] = thing
with shelve.Shelf(dbm.dumb.open("shelf")) as shelf:
    facts["shelf"] = shelf["thing"].name
with open("thing.pickle", "wb") as file:
    pickle.dump([thing] * 1000, file)
with open("thing.pickle", "rb") as file:
    facts["file"] = len(pickle.load(file))
print(json.dumps(facts))
