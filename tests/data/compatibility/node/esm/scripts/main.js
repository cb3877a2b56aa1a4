// An ES module as the entry, with await at the top.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import helper, { double } from "./helper.js";
const require = createRequire(import.meta.url);
const facts = { doubled: double(21), name: helper.name };
facts.own = (await readFile(fileURLToPath(import.meta.url), "utf8")).startsWith("// An ES module");
facts.late = (await import("./helper.js")).default === helper;
facts.common = require("./old.cjs").old;
facts.file = path.basename(fileURLToPath(import.meta.url));
facts.strict = (function () { return this === undefined; })();
await new Promise((done) => setTimeout(done, 5));
let input = "";
for await (const chunk of process.stdin) input += chunk;
facts.input = JSON.parse(input);
console.log(JSON.stringify(facts));
