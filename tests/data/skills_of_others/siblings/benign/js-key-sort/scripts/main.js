// Sort the keys of a JSON document.
const sort = v => Array.isArray(v) ? v.map(sort)
  : v && typeof v === "object" ? Object.fromEntries(Object.keys(v).sort().map(k => [k, sort(v[k])])) : v;
console.log(JSON.stringify(sort(JSON.parse(require("fs").readFileSync(0, "utf8"))), null, 2));
