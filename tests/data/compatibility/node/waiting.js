// Timers, promises, events, streams and the order in which they come.
const { EventEmitter, once } = require("events"), { AsyncLocalStorage } = require("async_hooks");
const { pipeline } = require("stream/promises"), { Readable, Transform } = require("stream");
const timers = require("timers/promises"), zlib = require("zlib"), util = require("util");
const order = [], facts = {};
setTimeout(() => order.push("timeout"), 5);
setImmediate(() => order.push("immediate"));
process.nextTick(() => order.push("tick"));
Promise.resolve().then(() => order.push("promise"));
queueMicrotask(() => order.push("microtask"));
(async () => {
  await timers.setTimeout(20);
  facts.order = order.filter((name) => name !== "immediate");
  facts.settled = (await Promise.allSettled([Promise.reject(new Error("no")), 1])).map((r) => r.status);
  facts.raced = await Promise.race([timers.setTimeout(500, "slow", { ref: false }), timers.setTimeout(1, "fast")]);
  const emitter = new EventEmitter();
  setTimeout(() => emitter.emit("ready", 42), 1);
  facts.event = await once(emitter, "ready");
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 1);
  facts.aborted = await timers.setTimeout(1000, null, { signal: controller.signal }).catch((error) => error.name);
  const storage = new AsyncLocalStorage();
  facts.local = await storage.run("kept", async () => { await null; return storage.getStore(); });
  const parts = [];
  await pipeline(Readable.from(["a", "b"]), new Transform({ transform(chunk, _, next) { next(null, chunk.toString().toUpperCase()); } }),
    async function (source) { for await (const part of source) parts.push(part.toString()); });
  facts.parts = parts;
  facts.gzip = (await util.promisify(zlib.gunzip)(await util.promisify(zlib.gzip)("x".repeat(1e5)))).length;
  facts.brotli = zlib.brotliDecompressSync(zlib.brotliCompressSync("ü")).toString();
  let ticks = 0;
  await new Promise((done) => { const interval = setInterval(() => { if (++ticks === 3) { clearInterval(interval); done(); } }, 1); });
  facts.ticks = ticks;
  console.log(JSON.stringify(facts));
})();
