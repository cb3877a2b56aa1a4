// Optimise SVG files.
const fs = require("fs");
console.log(fs.readFileSync(0, "utf8").replace(/<!--[\s\S]*?-->/g, "").replace(/>\s+</g, "><"));
