// CommonJS: helper files, a folder with an index, JSON, data of the skill.
const fs = require("fs"), path = require("path");
const { greet } = require("./helper"), lib = require("./lib"), data = require("./data.json");
const facts = { greeting: greet("世界"), lib: lib.name, data, cached: require("./helper") === require("./helper.js") };
facts.here = path.basename(__dirname);
facts.main = require.main === module;
facts.asset = fs.readFileSync(path.join(__dirname, "..", "assets", "a.txt"), "utf8").trim();
facts.resolved = path.relative(__dirname, require.resolve("./lib"));
try { require("./missing"); } catch (error) { facts.missing = error.code; }
try { require("left-pad"); } catch (error) { facts.package = error.code; }
import("./late.mjs").then(({ value, meta }) => {
  facts.late = [value, path.basename(new URL(meta).pathname)];
  facts.first = require("module").builtinModules.includes("fs");
  console.log(JSON.stringify(facts));
});
