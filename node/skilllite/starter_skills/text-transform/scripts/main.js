// Change the form of a text: its case, its width, its accents, its white space.
//
// Reads the request, checks it and answers; how words are found and changed is left to
// transformations.js.

"use strict";

const { OPERATIONS } = require("./transformations.js");

const INPUT_BYTES_MAX = 4 * 1024 * 1024; // what a sandboxed run accepts on standard input
const TEXT_CHARACTERS_MAX = 200_000;
const OPTIONS = {
  separator: { pattern: /^[-_.~]?$/, wanted: "one of - _ . ~ or empty" },
  ellipsis: { pattern: /^[^\n\r]{0,10}$/u, wanted: "a string of at most 10 characters, one line" },
  width: { low: 1, high: 1000 },
  length: { low: 0, high: TEXT_CHARACTERS_MAX },
};

class Refusal extends Error {}

async function readInput() {
  const chunks = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    size += chunk.length;
    if (size > INPUT_BYTES_MAX) {
      throw new Refusal(`the input is larger than ${INPUT_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal("the input must be encoded in UTF-8");
  }
  let request;
  try {
    request = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`the input is not valid JSON: ${error.message}`);
  }
  if (request === null || typeof request !== "object" || Array.isArray(request)) {
    throw new Refusal("the input must be a JSON object");
  }
  return request;
}

function shown(value) {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function checkText(request) {
  const { text } = request;
  if (typeof text !== "string") {
    throw new Refusal("text is missing or no string: it must be a string");
  }
  if (text.length > TEXT_CHARACTERS_MAX) {
    throw new Refusal(`text must have at most ${TEXT_CHARACTERS_MAX} characters`);
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new Refusal("text has an unpaired surrogate escape (\\ud800-\\udfff)");
  }
  return text;
}

function checkOption(name, value) {
  const { pattern, wanted, low, high } = OPTIONS[name];
  const valid = pattern
    ? typeof value === "string" && pattern.test(value) && !/\p{Surrogate}/u.test(value)
    : Number.isInteger(value) && value >= low && value <= high;
  if (!valid) {
    throw new Refusal(`${name} must be ${wanted ?? `an integer from ${low} to ${high}`}`);
  }
}

function answer(request) {
  const names = [...OPERATIONS.keys()].join(", ");
  if (!OPERATIONS.has(request.operation)) {
    const found = Object.hasOwn(request, "operation") ? `, not ${shown(request.operation)}` : "";
    throw new Refusal(`operation must be one of ${names}${found}`);
  }
  const { apply, required = [], optional = [] } = OPERATIONS.get(request.operation);
  const allowed = ["operation", "text", ...required, ...optional];
  for (const name of Object.keys(request)) {
    if (!allowed.includes(name)) {
      throw new Refusal(
        `field ${shown(name)} is not known for ${request.operation}; ` +
          `allowed: ${allowed.join(", ")}`,
      );
    }
  }
  const text = checkText(request);
  for (const name of [...required, ...optional]) {
    if (Object.hasOwn(request, name)) {
      checkOption(name, request[name]);
    } else if (required.includes(name)) {
      const { low, high } = OPTIONS[name];
      throw new Refusal(`${name} is missing: it must be an integer from ${low} to ${high}`);
    }
  }
  return { operation: request.operation, result: apply(text, request) };
}

async function main() {
  let value;
  try {
    value = answer(parse(await readInput()));
  } catch (error) {
    // The edge of the process: callers get JSON, never a stack trace.
    const message =
      error instanceof Refusal ? error.message : `the skill failed on this request: ${error}`;
    value = { error: message };
    process.exitCode = 1;
  }
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

main();
