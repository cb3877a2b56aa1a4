// What each operation makes of a text. Every function here takes a text and returns one.
//
// What a person sees as one character is a grapheme: a letter with its accents, an emoji of several
// parts. Texts are cut, reversed and measured between graphemes, never inside one.

"use strict";

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });
const PIECE_UNITS = 512; // UTF-16 units: longer than the longest emoji by far

// Thirty marks on one letter are what Unicode's stream-safe format allows; the cost of normalising
// more of them is the square of their number.
const EXCESSIVE_MARKS = /(\p{M}{30})\p{M}+/gu;

// Letters that Unicode does not decompose into a base letter and an accent.
const LATIN = new Map(
  Object.entries({
    ß: "ss", ẞ: "SS", æ: "ae", Æ: "AE", œ: "oe", Œ: "OE", ø: "o", Ø: "O", å: "a", Å: "A",
    đ: "d", Đ: "D", ð: "d", Ð: "D", þ: "th", Þ: "Th", ł: "l", Ł: "L", ħ: "h", Ħ: "H",
    ı: "i", ĸ: "k", ŋ: "ng", Ŋ: "Ng", ŧ: "t", Ŧ: "T", ſ: "s", ĳ: "ij", Ĳ: "IJ", ə: "e", Ə: "E",
    "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "‚": "'", "«": '"', "»": '"',
    "–": "-", "—": "-", "‑": "-", "…": "...", "€": "EUR", "£": "GBP", "©": "(c)", "®": "(r)",
    "\u00a0": " ",
  }),
);

// German spelling writes the umlaut as a vowel and an e; that is how its readers expect it.
const UMLAUTS = new Map(Object.entries({ ä: "ae", ö: "oe", ü: "ue", Ä: "Ae", Ö: "Oe", Ü: "Ue" }));

const CYRILLIC = new Map(
  Object.entries({
    а: "a", б: "b", в: "v", г: "g", ґ: "g", д: "d", е: "e", ё: "yo", є: "ye", ж: "zh", з: "z",
    и: "i", і: "i", ї: "yi", й: "y", к: "k", л: "l", м: "m", н: "n", о: "o", п: "p", р: "r",
    с: "s", т: "t", у: "u", ў: "u", ф: "f", х: "kh", ц: "ts", ч: "ch", ш: "sh", щ: "shch", ъ: "",
    ы: "y", ь: "", э: "e", ю: "yu", я: "ya",
  }),
);

const GREEK = new Map(
  Object.entries({
    α: "a", β: "v", γ: "g", δ: "d", ε: "e", ζ: "z", η: "i", θ: "th", ι: "i", κ: "k", λ: "l",
    μ: "m", ν: "n", ξ: "x", ο: "o", π: "p", ρ: "r", σ: "s", ς: "s", τ: "t", υ: "y", φ: "f",
    χ: "ch", ψ: "ps", ω: "o",
  }),
);

// Words that stay small inside an English title.
const SMALL_WORDS = new Set(
  "a an and as at but by for from in into nor of on or over per the to up via vs with".split(" "),
);

/** Return the text cut into graphemes, piece by piece: the cost of one piece is its square. */
function graphemes(text) {
  const found = [];
  for (let at = 0; at < text.length; ) {
    const piece = text.slice(at, at + PIECE_UNITS);
    const parts = Array.from(GRAPHEMES.segment(piece), (part) => part.segment);
    // The last one may go on in the next piece; a single one that fills a piece is no real text.
    if (at + PIECE_UNITS < text.length && parts.length > 1) {
      parts.pop();
    }
    for (const part of parts) {
      found.push(part);
      at += part.length;
    }
  }
  return found;
}

/** Return the text in composed form; marks beyond what any script piles up are dropped. */
function composed(text) {
  return text.replace(EXCESSIVE_MARKS, "$1").normalize("NFC");
}

function capitalise(word) {
  const [first = "", ...rest] = word; // by code points, so that 𐐨 stays whole
  return first.toUpperCase() + rest.join("");
}

/** Return the text in ASCII letters as far as a rule is known; other signs stay as they are. */
function transliterate(text) {
  let result = "";
  for (const character of composed(text)) {
    result += latin(character);
  }
  return result.normalize("NFC");
}

function latin(character) {
  const special = LATIN.get(character) ?? UMLAUTS.get(character);
  if (special !== undefined) {
    return special;
  }
  const small = character.toLowerCase();
  const own = CYRILLIC.get(small);
  if (own !== undefined) {
    return character === small ? own : capitalise(own);
  }
  const [base, ...marks] = character.normalize("NFD");
  const greek = GREEK.get(base.toLowerCase());
  if (greek !== undefined) {
    return base === base.toLowerCase() ? greek : capitalise(greek);
  }
  // Only Latin letters lose their marks: in other scripts a mark is not an ornament.
  if (/\p{Script=Latin}/u.test(base) && marks.every((mark) => /\p{Mark}/u.test(mark))) {
    return LATIN.get(base) ?? base;
  }
  return /\p{Mark}/u.test(character) && character <= "\u036f" ? "" : character;
}

/** Return the words of a text or of an identifier: parseHTTPHeader2 is parse, HTTP, Header2. */
function words(text) {
  return (
    composed(text)
      .replace(/(\p{L})['’](?=\p{L})/gu, "$1")
      .replace(/[\p{Ll}\p{N}](?=\p{Lu})|\p{Lu}(?=\p{Lu}\p{Ll})/gu, "$& ")
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  );
}

function slugify(text, { separator = "-" }) {
  const plain = transliterate(text).toLowerCase().replace(/['’]/g, "");
  return (plain.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).join(separator);
}

function titleCase(text) {
  const found = text.match(/[\p{L}\p{M}\p{N}'’]+/gu) ?? [];
  let seen = 0;
  return text.replace(/[\p{L}\p{M}\p{N}'’]+/gu, (word, at) => {
    seen += 1;
    const small = word.toLowerCase();
    const opens = /[.:!?]\s*$/.test(text.slice(Math.max(0, at - 9), at));
    if (SMALL_WORDS.has(small) && seen > 1 && seen < found.length && !opens) {
      return small;
    }
    // Capitals inside a word are kept: NASA, iPhone, McDonald.
    return /\p{Lu}/u.test(word.slice(1)) ? word : capitalise(word);
  });
}

function sentenceCase(text) {
  // Token by token: one expression for "stop, space, letter" would try a long row of blank lines
  // from each of them again.
  let opens = true;
  let stopped = false;
  return text.toLowerCase().replace(/\s+|[.!?…]+|["'“”‘’()¿¡]|[^]/gu, (token) => {
    if (/^\s/.test(token)) {
      opens ||= stopped || token.split("\n").length > 2;
      stopped = false;
    } else if (/^[.!?…]/.test(token)) {
      stopped = true;
    } else if (!/["'“”‘’()¿¡]/.test(token)) {
      const shown = opens ? token.toUpperCase() : token;
      opens = false;
      stopped = false;
      return shown;
    }
    return token;
  });
}

function camelCase(text) {
  const pascal = pascalCase(text);
  const [first = "", ...rest] = pascal;
  return first.toLowerCase() + rest.join("");
}

function pascalCase(text) {
  return words(text)
    .map((word) => capitalise(word.toLowerCase()))
    .join("");
}

function joined(separator) {
  return (text) =>
    words(text)
      .map((word) => word.toLowerCase())
      .join(separator);
}

/** Return the text with lines of at most so many graphemes; blank lines part paragraphs. */
function wrap(text, { width }) {
  const wrapped = text.split(/\n[^\S\n]*\n\s*/).map((paragraph) => wrapParagraph(paragraph, width));
  return wrapped.join("\n\n");
}

function wrapParagraph(paragraph, width) {
  const lines = [];
  let line = "";
  let lineLength = 0;
  for (const word of paragraph.split(/\s+/).filter(Boolean)) {
    const parts = graphemes(word);
    const joint = line ? 1 : 0;
    if (lineLength + joint + parts.length <= width) {
      line += (joint ? " " : "") + word;
      lineLength += joint + parts.length;
      continue;
    }
    if (line) {
      lines.push(line);
    }
    let at = 0;
    for (; parts.length - at > width; at += width) {
      lines.push(parts.slice(at, at + width).join(""));
    }
    line = parts.slice(at).join("");
    lineLength = parts.length - at;
  }
  return [...lines, line].join("\n");
}

/** Return at most so many graphemes with the ellipsis, cut between words where that is possible. */
function truncate(text, { length, ellipsis = "…" }) {
  const parts = graphemes(text);
  if (parts.length <= length) {
    return text;
  }
  const mark = graphemes(ellipsis);
  const room = length - mark.length;
  if (room <= 0) {
    return parts.slice(0, length).join("");
  }
  const kept = parts.slice(0, room).join("");
  if (/^\s/.test(parts[room])) {
    return kept.trimEnd() + ellipsis;
  }
  const space = parts.slice(0, room).findLastIndex((part) => /^\s/.test(part));
  // A long word is cut rather than dropped when nothing much would be left.
  const atWord = space * 2 >= room;
  return (atWord ? parts.slice(0, space).join("") : kept).trimEnd() + ellipsis;
}

function squeeze(text) {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/[^\S\n]+/g, " ").trim())
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

const OPERATIONS = new Map([
  ["slugify", { apply: slugify, optional: ["separator"] }],
  ["title_case", { apply: titleCase }],
  ["sentence_case", { apply: sentenceCase }],
  ["upper_case", { apply: (text) => text.toUpperCase() }],
  ["lower_case", { apply: (text) => text.toLowerCase() }],
  ["camel_case", { apply: camelCase }],
  ["pascal_case", { apply: pascalCase }],
  ["snake_case", { apply: joined("_") }],
  ["kebab_case", { apply: joined("-") }],
  ["constant_case", { apply: (text) => joined("_")(text).toUpperCase() }],
  ["transliterate", { apply: transliterate }],
  ["wrap", { apply: wrap, required: ["width"] }],
  ["truncate", { apply: truncate, required: ["length"], optional: ["ellipsis"] }],
  ["reverse", { apply: (text) => graphemes(text).reverse().join("") }],
  ["squeeze", { apply: squeeze }],
]);

module.exports = { OPERATIONS };
