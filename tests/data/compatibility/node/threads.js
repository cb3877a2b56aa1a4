// worker_threads with messages, shared memory and Atomics.
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
if (isMainThread) {
  const shared = new SharedArrayBuffer(8), counters = new Int32Array(shared);
  const work = (n) => new Promise((done, fail) => {
    const worker = new Worker(__filename, { workerData: { n, shared } });
    worker.on("message", done);
    worker.on("error", fail);
  });
  Promise.all([1, 2, 3].map(work)).then(async (squares) => {
    const failed = await new Promise((done) => new Worker("throw new Error('in the worker')", { eval: true }).on("error", (e) => done(e.message)));
    console.log(JSON.stringify({ squares, counted: Atomics.load(counters, 0), failed }));
  });
} else {
  const counters = new Int32Array(workerData.shared);
  for (let n = 0; n < 1000; n++) Atomics.add(counters, 0, 1);
  parentPort.postMessage(workerData.n ** 2);
}
