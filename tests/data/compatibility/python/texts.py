"""Text of every kind: codecs that are imported late, Unicode data, wrapping, mail, URLs, HTML."""
import base64
import binascii
import codecs
import difflib
import email
import email.policy
import html
import html.parser
import json
import quopri
import string
import textwrap
import unicodedata
import urllib.parse
from email.message import EmailMessage
from http import HTTPStatus
from http.cookies import SimpleCookie

facts = {}
for codec in ("utf-16", "utf-32-be", "latin-1", "cp1252", "big5", "shift_jis", "gb18030", "euc_kr", "koi8-r", "utf-7"):
    sample = {"big5": "世", "shift_jis": "世界", "gb18030": "世🦉", "euc_kr": "한", "koi8-r": "мир"}.get(codec, "aß")
    assert sample.encode(codec).decode(codec) == sample
    facts[codec] = sample.encode(codec).hex()
facts["idna"] = "bücher.example".encode("idna").decode()
facts["punycode"] = "bücher".encode("punycode").decode()
facts["rot13"] = codecs.encode("Hello", "rot13")
facts["surrogate"] = b"\xff".decode("utf-8", "surrogateescape").encode("utf-8", "surrogateescape").hex()
facts["names"] = [unicodedata.name("ß"), unicodedata.normalize("NFD", "é").encode().hex(), "ǆ".title(), "ẞ".casefold()]
facts["wrapped"] = textwrap.fill("the quick brown fox jumps", 12)
facts["diff"] = list(difflib.unified_diff(["a\n", "b\n"], ["a\n", "c\n"], "x", "y"))
facts["close"] = difflib.get_close_matches("appel", ["ape", "apple", "peach"])
facts["template"] = string.Template("$a ${b}!").substitute(a=1, b="zwei")
facts["format"] = f"{1234.5:>12,.2f}|{'ü':^5}|{255:#x}|{0.25:.1%}|{'x'!r:>4}"
message = EmailMessage()
message["Subject"], message["To"] = "Grüße", "a@example.com"
message.set_content("Körper\n")
message.add_attachment(b"\0\1", maintype="application", subtype="x", filename="f.bin")
parsed = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
facts["mail"] = [parsed["subject"], parsed.get_body().get_content(), [part.get_filename() for part in parsed.iter_attachments()]]
facts["url"] = [urllib.parse.urlsplit("https://u:p@h:8/p;x?q=1#f")[:], urllib.parse.quote("ü/ &"), urllib.parse.parse_qs("a=1&a=2")]
facts["html"] = [html.escape("<&'"), html.unescape("&eacute;&#x263a;")]


class Links(html.parser.HTMLParser):
    found = ()

    def handle_starttag(self, tag, attrs):
        self.found += ((tag, dict(attrs).get("href")),)


links = Links()
links.feed("<p>a <a href='x?a=1&amp;b'>b</a>")
facts["links"] = links.found
facts["cookie"] = SimpleCookie("a=1; b=2")["b"].value
facts["status"] = HTTPStatus(404).phrase
facts["encoded"] = [base64.b64encode("ü".encode()).decode(), binascii.hexlify(b"ab").decode(), quopri.encodestring("ü".encode()).decode()]
print(json.dumps(facts))
