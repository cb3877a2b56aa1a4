// The language and its library: Buffer, URL, Intl, text, structured clones, regular expressions.
const util = require("util"), assert = require("assert"), path = require("path"), qs = require("querystring");
const facts = { input: JSON.parse(require("fs").readFileSync(0, "utf8")) };
facts.buffer = [Buffer.from("Grüße").toString("base64"), Buffer.from("ff00", "hex").readUInt16BE(), Buffer.alloc(3, "ab").toString()];
facts.text = new TextDecoder("utf-16le").decode(new Uint8Array([0x61, 0, 0xfc, 0]));
facts.url = [new URL("https://ü.example/a b?q=1#f").href, [...new URLSearchParams("a=1&a=2").values()]];
facts.intl = [new Intl.NumberFormat("de-DE").format(1234567.891), new Date(0).toLocaleDateString("en-US", { timeZone: "Asia/Tokyo" }), ["ä", "z", "a"].sort(new Intl.Collator("de").compare)];
facts.clone = structuredClone(new Map([["a", [1n, new Date(0)]]])).get("a").map(String);
facts.pattern = "2024-02-29".match(/(?<year>\d{4})-(?<month>\d\d)/u).groups.month;
facts.unicode = ["🦉".length, [..."🦉"].length, "é".normalize("NFD").length, /\p{L}/u.test("ж")];
facts.big = (2n ** 100n).toString();
facts.inspected = util.inspect({ a: [1, { b: new Set(["x"]) }] });
facts.class = (() => { class A { #x = 1; static y = 2; get x() { return this.#x; } } return [new A().x, A.y]; })();
facts.destructured = (({ a = 5, ...rest }) => [a, rest])({ b: 1 });
facts.generator = [...(function* () { yield* [1, 2]; })()];
facts.nullish = [null ?? "d", undefined?.x, 0 || 1];
try { assert.deepStrictEqual({ a: 1 }, { a: 2 }); } catch (error) { facts.assert = error.code; }
facts.path = [path.join("/a", "..", "b"), path.parse("/x/y.tar.gz").ext];
facts.query = qs.parse("a=1&b=%C3%BC");
facts.proxy = new Proxy({}, { get: (_, name) => `got ${String(name)}` }).anything;
facts.weak = new WeakRef(facts).deref() === facts;
facts.sorted = [3, 1, 2].toSorted ? [3, 1, 2].toSorted() : [1, 2, 3];
console.log(JSON.stringify(facts));
