// The prompt and the dials: shown, kept for the next visit, and turned into a request.

import { $, make, saved, state } from "./common.js";
import { say, tell } from "./words.js";

const TOP_K = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100, null];
const DIALS = {
  temperature: { name: "Temperature", min: 0, max: 2, step: 0.05, start: 0.8,
    show: (v) => v.toFixed(2), value: (v) => v },
  top_k: { name: "Top-k", min: 0, max: TOP_K.length - 1, step: 1, start: TOP_K.length - 1,
    show: (v) => TOP_K[v] ?? say("all"), value: (v) => TOP_K[v] },
  top_p: { name: "Top-p", min: 0.05, max: 1, step: 0.05, start: 1,
    show: (v) => v < 1 ? v.toFixed(2) : say("all"), value: (v) => v < 1 ? v : null },
  max_new_tokens: { name: "Length", min: 20, max: 1000, step: 20, start: 200,
    show: (v) => v, value: (v) => v },
};

export const LABELS = { prompt: "Prompt", messages: "Conversation", seed: "Seed", model: "Model", text: "Text",
  ...Object.fromEntries(Object.entries(DIALS).map(([id, dial]) => [id, dial.name])) };
export const CONTROLS = [...Object.keys(DIALS), "prompt", "seed"];
const mapOf = (pairs) => new Map(Array.isArray(pairs) ? pairs : []); // of each model
export const prompts = { text: mapOf(saved.prompts), chat: mapOf(saved.messages) };
export const systems = mapOf(saved.systems); // how it shall answer

export function save() {
  if (!state.model) return; // nothing is known yet
  const dials = Object.fromEntries(Object.keys(DIALS).map((id) => [id, $(id).valueAsNumber]));
  prompts[state.mode].set(state.model, $("prompt").value);
  const all = { ...state, prompts: [...prompts.text], messages: [...prompts.chat],
    systems: [...systems], dials, seed: $("seed").value };
  try {
    localStorage.setItem("minigrad", JSON.stringify(all));
  } catch { /* works without */ }
}

export function describe() {
  for (const [id, dial] of Object.entries(DIALS)) {
    const words = () => String(dial.show($(id).valueAsNumber));
    tell($(id).previousElementSibling, words);
    tell($(id), words, "ariaValueText");
  }
  tell($("summary"), () => say("temperature {value}, {n} {unit}s",
    { value: $("temperature").valueAsNumber.toFixed(2), n: $("max_new_tokens").value }));
  save();
}

export function dialValues() { // as /generate wants them
  return Object.fromEntries(
    Object.entries(DIALS).map(([id, dial]) => [id, dial.value($(id).valueAsNumber)]));
}

for (const [id, dial] of Object.entries(DIALS)) {
  const { min, max, step } = dial;
  const input = make("input", { type: "range", id, min, max, step });
  const stored = saved.dials?.[id];
  input.value = Number.isFinite(stored) ? stored : dial.start;
  const label = make("label", { htmlFor: id, textContent: () => say(dial.name) });
  $("seed").parentElement.before(make("div", { className: "dial" }, label, make("span"), input));
  input.addEventListener("input", describe);
}
if (typeof saved.seed === "string") $("seed").value = saved.seed;
for (const id of ["prompt", "seed"]) $(id).addEventListener("input", save);

const wide = matchMedia("(min-width: 60rem)"), low = matchMedia("(max-height: 50rem)");
export function fold() { // where the text needs the room more
  $("settings").open = wide.matches && !(state.mode === "chat" && low.matches);
}
for (const query of [wide, low]) query.addEventListener("change", fold);
describe();
