"""xml by all three roads, with the C accelerator and expat."""
import io
import json
import xml.dom.minidom
import xml.sax
from xml.etree import ElementTree
from xml.sax.saxutils import escape

source = '<?xml version="1.0"?><shop xmlns:x="urn:x"><item x:id="1">Käse</item><item x:id="2"/></shop>'
root = ElementTree.fromstring(source)
facts = {"items": [(item.get("{urn:x}id"), item.text) for item in root.iterfind("item")]}
ElementTree.SubElement(root, "new", {"a": "<&>"}).text = "]]>"
ElementTree.indent(root)
facts["written"] = ElementTree.tostring(root, encoding="unicode")
facts["parsed in steps"] = [event for event, _ in ElementTree.iterparse(io.StringIO(source), ("start", "end"))]
facts["pretty"] = xml.dom.minidom.parseString(source).toprettyxml(indent=" ")


class Counter(xml.sax.ContentHandler):
    def __init__(self):
        super().__init__()
        self.seen = []

    def startElement(self, name, attrs):
        self.seen.append((name, dict(attrs)))


counter = Counter()
xml.sax.parseString(source.encode(), counter)
facts["sax"] = counter.seen
try:
    ElementTree.fromstring("<a><b></a>")
except ElementTree.ParseError as error:
    facts["broken"] = str(error)
facts["escaped"] = escape("<&>")
assert facts["items"] == [("1", "Käse"), ("2", None)]
print(json.dumps(facts))
