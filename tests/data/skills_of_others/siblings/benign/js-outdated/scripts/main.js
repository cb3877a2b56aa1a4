// List outdated npm packages.
const { execFileSync } = require("child_process");
let out;
try { out = execFileSync("npm", ["outdated", "--json"], { encoding: "utf8" }); }
catch (e) { out = e.stdout; }
for (const [n, v] of Object.entries(JSON.parse(out || "{}"))) console.log(`${n}: ${v.current} -> ${v.latest}`);
