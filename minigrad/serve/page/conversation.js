// A conversation: what is asked next, and turns that are changed or answered anew.

import { $, copy, make, state } from "./common.js";
import { lay, take } from "./paper.js";
import { fold, save, systems } from "./settings.js";
import { nameOf, saidIn, turnsOf } from "./turns.js";
import { say, tell, tellAlso } from "./words.js";
import { keepAnswer, running, write } from "./writing.js";

function takeFrom(parts, ...more) { // the conversation in `parts`, and turns that are new
  const { mode, model } = state;
  const system = systems.get(model);
  const messages = [...system ? [{ role: "system", content: system }] : [],
    ...saidIn(parts).map(({ role, text }) => ({ role, content: text })), ...more];
  return { mode, model, parts, messages };
}

function isOpen() { // an editor: what is in it must not get lost
  const field = $("paper").querySelector(".editor textarea");
  field?.focus();
  if (field) tell($("status"), () => say("First this change: keep it, or cancel it"));
  return field !== null;
}

export function send() {
  const content = $("prompt").value;
  if (!state.canChat || isOpen()) return;
  if (running || !content.trim()) return $("prompt").focus();
  fold(); // the settings would hide the answer
  write({ ...takeFrom(take.parts, { role: "user", content }), sent: content });
}

function change(turn, content) { // what follows is gone; Undo has it
  if (turn.role === "system") {
    systems.set(state.model, content.trim() ? content : "");
    save();
    lay(take);
    return $("paper").querySelector("summary").focus();
  }
  const next = takeFrom(take.parts.slice(0, turn.begin), { role: turn.role, content });
  if (turn.role === "user") write(next);
  else keepAnswer(next);
}

async function answerAnew(turn) {
  const next = takeFrom(take.parts.slice(0, turn.begin));
  await write(next);
  if (running || take !== next || turnsOf(next.parts).at(-1).text !== turn.text) return;
  tellAlso($("status"), () => say("; the same again: change the seed or the temperature"));
}

function edit(element, turn) { // in the place of what was said
  const text = turn.role === "system" ? systems.get(state.model) || turn.text : turn.text;
  const field = make("textarea", { value: text, rows: 2, spellcheck: false, lang: "",
    ariaLabel: () => say("{name}, edited", { name: nameOf(turn.role) }) });
  const keep = make("button", { type: "button",
    textContent: () => say(turn.role === "user" ? "Send" : "Save") });
  const cancel = make("button", { type: "button", className: "plain",
    textContent: () => say("Cancel") });
  const [box, acts] = element.querySelectorAll(".box, .acts");
  const done = () => {
    box.hidden = acts.hidden = false;
    editor.remove();
    acts.querySelector("[data-act=edit]").focus();
  };
  keep.addEventListener("click", () => {
    if (field.value.trim() || turn.role === "system") change(turn, field.value);
    else field.focus();
  });
  cancel.addEventListener("click", done);
  const editor = make("div", { className: "editor" }, field,
    make("div", { className: "acts" }, keep, cancel));
  editor.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") done();
    else if (event.key === "Enter" && event.target === field && !event.shiftKey) keep.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  box.hidden = acts.hidden = true;
  element.append(editor);
  field.focus();
}

$("paper").addEventListener("click", (event) => {
  const { act } = event.target.dataset;
  if (!act || event.detail > 1 || (act !== "copy" && isOpen())) return; // not by a double click
  const element = event.target.closest(".turn");
  const turn = turnsOf(take.parts)[element.dataset.turn] ?? { role: "system", text: "" };
  if (act === "edit") edit(element, turn);
  else if (act === "again") answerAnew(turn);
  else copy(turn.text, element.querySelector(".box"));
});
