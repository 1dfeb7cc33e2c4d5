// The lens: what one token beat, or what a head looked at when it was chosen.

import { look, shadeAll } from "./attention.js";
import { $, bar, label, language, make, percent, spoken, state, textOf, visible } from "./common.js";
import { chips, focusText, move, select, selected, take, tokenAt } from "./paper.js";
import { save } from "./settings.js";
import { say, tell } from "./words.js";
import { ALTERNATIVES, write } from "./writing.js";

const LEGENDS = {
  alternatives: ["Probability", "≥ 50 %", "≥ 20", "≥ 5", "≥ 1", "< 1"],
  attention: ["Attention", "< 2 %", "≥ 2", "≥ 5", "≥ 15", "≥ 40"],
};

export function lens() {
  const token = selected === null ? null : tokenAt(selected);
  for (const id of ["previous", "next"]) $(id).disabled = selected === null;
  $("alternatives").hidden = state.view !== "alternatives" || !token;
  $("attention").hidden = state.view !== "attention";
  const [measure, ...steps] = LEGENDS[state.view];
  tell($("measure"), () => say(measure));
  $("scale").replaceChildren(...steps.map((text, s) => {
    const item = make("li", { textContent: text });
    item.dataset.s = s;
    return item;
  }));
  describe(token);
  if (state.view === "alternatives") alternatives(token);
  shadeAll();
  if (state.view === "attention") look();
}

function describe(token) {
  $("context").hidden = selected === null;
  tell($("about"), () => about(token));
  if (selected === null) return;
  const mark = chips.findLastIndex((span, i) => i < selected && !span.isConnected); // not shown
  const before = Array.from(textOf(take.parts.slice(mark + 1, selected)));
  $("context").lang = language(state.model, before.slice(-24).join(""));
  const room = $("context").lang.startsWith("zh") ? 12 : 25;
  const name = visible(label(take.parts[selected]));
  const near = before.slice(-Math.max(4, room - name.length));
  $("context").replaceChildren(near.length < before.length ? "\u2026" : "",
    near.join("").replaceAll("\n", "\u21b5"),
    make("b", { textContent: name }));
}

function about(token) {
  if (selected === null) {
    return say("Choose a {unit} of the text: point at it, or go to the text with Tab and " +
      "use the arrow keys.");
  }
  if (state.view === "attention") {
    return say("Which {unit}s a head looked at when this one was chosen.");
  }
  return token ? rank(token) : state.mode === "chat" ? say("A {unit} that the model was given.")
    : say("A {unit} of your prompt.");
}

function rank(token) {
  const better = token.alternatives.filter((other) => other.probability > token.probability);
  const words = ["the likeliest", "the second choice", "the third choice"][better.length] ??
    (better.length < ALTERNATIVES ? "choice number {n}" : "a far choice");
  const how = say(token.yours ? "Chosen by you" : "Drawn"), p = percent(token.probability);
  const place = say(words, { n: better.length + 1 });
  return say("{how}: {p}, {place}. Choose another one to write on from here.", { how, p, place });
}

function alternatives(token) {
  if (!token) return $("alternatives").replaceChildren();
  const rows = [token, ...token.alternatives].sort((a, b) => b.probability - a.probability);
  const items = rows.map((row) => {
    const words = row === token ? "{token}, {p}, written" : "{token}, {p}: write on with it";
    const ariaLabel = () => say(words, { token: spoken(row), p: percent(row.probability) });
    const properties = { type: "button", disabled: row === token, ariaLabel };
    return bar(row, rows[0].probability, "button", properties);
  });
  const rest = 1 - rows.reduce((sum, row) => sum + row.probability, 0);
  if (rest > 0.0005) {
    const textContent = () => say("All others: {p}", { p: percent(rest) });
    items.push(make("li", { className: "soft", textContent }));
  }
  $("alternatives").replaceChildren(...items);
}

function branch(id) { // write on with this token in the place of the selected one
  const index = selected, { mode, model, parts } = take;
  const plain = ({ id, name, text, probability }) => ({ id, name, text, probability });
  const all = [parts[index], ...parts[index].alternatives].map(plain);
  const chosen = all.find((row) => row.id === id);
  chosen.yours = true;
  chosen.alternatives = all.filter((row) => row !== chosen);
  focusText();
  write({ mode, model, parts: [...parts.slice(0, index), chosen] }, index);
}

$("paper").addEventListener("look", lens);
$("alternatives").addEventListener("click", (event) => {
  const row = event.target.closest("button.row:enabled");
  if (row) branch(Number(row.dataset.id));
});
$("alternatives").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const rows = [...$("alternatives").querySelectorAll("button.row:enabled")];
  rows[rows.indexOf(document.activeElement) + step]?.focus();
});
$("previous").addEventListener("click", () => move("ArrowLeft"));
$("next").addEventListener("click", () => move("ArrowRight"));
$("close").addEventListener("click", () => select(null));
for (const radio of document.getElementsByName("view")) {
  radio.checked = radio.value === state.view;
  radio.addEventListener("change", () => {
    state.view = radio.value;
    if (state.view === "attention" && selected === null && chips.length > 1) {
      select(chips.length - 1);
    }
    lens();
    save();
  });
}
