// What all parts of the page share: elements, how tokens are shown, and the state of the whole.

import { say, tell } from "./words.js";

export const $ = (id) => document.getElementById(id);

export const make = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [property, value] of Object.entries(properties)) {
    if (typeof value === "function") tell(element, value, property); // words
    else element[property] = value;
  }
  element.append(...children);
  return element;
};

const KNOWN = new Map([ // a model may be called anything, "constructor" too: never a plain object
  ["shakespeare", { title: "English", lang: "en", examples: ["ROMEO:\n", "To be, or", "O, "] }],
  ["SmolLM2-135M-Instruct.Q4_1", { title: "SmolLM2", examples: ["The sea is", "Once upon a time"],
    questions: ["What is gravity?", "Write a short poem about the sea."] }],
  ["poems", { title: "Chinese", lang: "zh-Hans", examples: ["床前明月光，\n", "春", "山中"] }],
]);
export const aboutModel = (name) => ({ examples: [], questions: [], ...KNOWN.get(name) });
export const titleOf = (name) => KNOWN.has(name) ? say(KNOWN.get(name).title) : name;
export const language = (name, text) =>
  aboutModel(name).lang ?? (/\p{Script=Han}/u.test(text) ? "zh-Hans" : "");

export const saved = (() => {
  try {
    return Object(JSON.parse(localStorage.getItem("minigrad")));
  } catch {
    return {}; // no storage, or not ours
  }
})();

export const state = {
  mode: saved.mode === "chat" ? "chat" : "text", // a text that goes on, or a conversation
  marks: saved.marks === true, // whether those around a turn are shown
  model: "", // the name of the chosen one
  unit: "character", // what its tokens are
  view: saved.view === "attention" ? "attention" : "alternatives", // what the lens shows
};

export const percent = (p) =>
  p >= 0.0995 ? Math.round(100 * p) + " %" : p >= 0.00095 ? +(100 * p).toPrecision(2) + " %"
    : "< 0.1 %";
export const level = (value, bounds) => bounds.filter((bound) => value < bound).length;
export const visible = (text) => text.replaceAll("\n", "\u21b5").replaceAll(" ", "\u2423");
export const label = ({ text, name }) => { // of a token; ‹e6 9c› if it is part of a character
  if (text && !text.includes("\ufffd")) return text;
  return !name.startsWith("bytes:") ? name : name.slice(6).replace(/(\\x..)+/g, (codes) =>
    "\u2039" + codes.slice(2).replaceAll("\\x", "\u202f") + "\u203a");
};
export const spoken = (token) => label(token).replace(/\u2039(.+?)\u203a/g, (_, codes) =>
    say("bytes {codes}", { codes }))
  .replace(/^ +| +$/g, ({ length: n }) => ` ${n > 1 ? say("{n} spaces", { n }) : say("space")} `)
  .replaceAll("\n", ` ${say("line break")} `).replace(/ +/g, " ").trim();
export const isWritten = (part) => part.probability !== undefined; // or else given
export const textOf = (tokens) => tokens.map((token) => token.text).join("");
export const sentence = (text) =>
  text.replace(/^\p{Ll}/u, (c) => c.toUpperCase()).replace(/[.!?]?$/, ".");

export async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    tell($("status"), () => say("Copied"));
  } catch {
    getSelection().selectAllChildren(element);
    tell($("status"), () => say("Selected; copy it with your keyboard"));
  }
}

export function bar(row, longest, tag, properties = {}) { // a character and its probability
  const fill = make("i");
  fill.style.width = Math.max(0.5, 100 * row.probability / longest) + "%";
  const glyph = make("span", { className: "glyph", lang: language(state.model, row.text) });
  glyph.textContent = visible(label(row));
  const share = make("span", { className: "percent", textContent: percent(row.probability) });
  const element = make(tag, { className: "row", ...properties }, glyph,
    make("span", { className: "track" }, fill), share);
  element.dataset.id = row.id;
  return make("li", {}, element);
}
