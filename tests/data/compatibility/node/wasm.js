// WebAssembly: a function, and a memory that grows.
const bytes = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]);
(async () => {
  const { instance } = await WebAssembly.instantiate(bytes);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
  const before = memory.grow(10);
  new Uint8Array(memory.buffer)[11 * 65536 - 1] = 7;
  let sum = 0;
  for (let n = 0; n < 100000; n++) sum = instance.exports.add(sum, n);
  console.log(JSON.stringify({ sum, before, size: memory.buffer.byteLength, valid: WebAssembly.validate(bytes) }));
})();
