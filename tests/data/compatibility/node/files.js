// fs in scratch, by all three interfaces.
const fs = require("fs"), fsp = require("fs/promises"), os = require("os"), path = require("path");
const facts = {};
async function main() {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "job-"));
  facts.below = path.dirname(base) === process.env.TMPDIR;
  fs.writeFileSync(path.join(base, "größe.txt"), "eins\nzwei\n");
  fs.appendFileSync(path.join(base, "größe.txt"), "drei\n");
  facts.read = fs.readFileSync(path.join(base, "größe.txt"), "utf8").split("\n").length;
  await fsp.mkdir(path.join(base, "a", "b"), { recursive: true });
  await fsp.copyFile(path.join(base, "größe.txt"), path.join(base, "a", "copy"));
  await fsp.rename(path.join(base, "a", "copy"), path.join(base, "a", "b", "moved"));
  fs.symlinkSync("größe.txt", path.join(base, "link"));
  facts.link = fs.readlinkSync(path.join(base, "link"));
  facts.listed = fs.readdirSync(base, { recursive: true }).sort();
  facts.stat = (await fsp.stat(path.join(base, "a", "b", "moved"))).size;
  fs.chmodSync(path.join(base, "größe.txt"), 0o640);
  facts.mode = (fs.statSync(path.join(base, "größe.txt")).mode & 0o777).toString(8);
  await new Promise((done) => {
    const out = fs.createWriteStream(path.join(base, "stream"));
    for (let n = 0; n < 1000; n++) out.write(`${n}\n`);
    out.end(done);
  });
  let seen = 0;
  for await (const chunk of fs.createReadStream(path.join(base, "stream"))) seen += chunk.length;
  facts.streamed = seen;
  try { fs.readFileSync(path.join(base, "missing")); } catch (error) { facts.missing = error.code; }
  fs.rmSync(base, { recursive: true });
  facts.gone = fs.existsSync(base);
  const handle = await fsp.open("x", "w+");
  await handle.write("hello");
  await handle.truncate(2);
  facts.truncated = (await handle.stat()).size;
  await handle.close();
  console.log(JSON.stringify(facts));
}
main();
