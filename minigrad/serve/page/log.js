// The turns of a conversation as they stand on the paper.

import { aboutModel, language, make, state } from "./common.js";
import { systems } from "./settings.js";
import { NAMES } from "./turns.js";

const action = (act, textContent, ariaLabel) => {
  const button = make("button", { type: "button", className: "plain", textContent, ariaLabel });
  button.dataset.act = act;
  return button;
};

export function turnElement({ role, text }, i, nodes) {
  const name = NAMES[role] ?? role;
  const box = make("div", { className: "box", lang: language(state.model, text),
    ariaLabel: `${name}: arrow keys move, Enter looks closer` }, ...nodes);
  const acts = make("div", { className: "acts" });
  if (role === "assistant") acts.append(action("copy", "Copy"), action("again", "Regenerate"));
  acts.append(action("edit", "Edit"));
  const head = make("h2", { textContent: name });
  const turn = role === "system"
    ? make("details", {}, make("summary", {}, head, " ",
      make("span", { className: "soft", textContent: text })), box, acts)
    : make("div", { role: "group", ariaLabel: name }, head, box, acts);
  turn.className = `turn ${role}`;
  turn.dataset.turn = i;
  return turn;
}

export function systemElement(turn, nodes) { // how to answer: as it was read, or will be
  const wanted = systems.get(state.model) ?? "";
  if (turn && (!wanted || wanted === turn.text)) return turnElement(turn, 0, nodes);
  const text = wanted || "the usual one";
  const note = turn ? make("p", { className: "soft", textContent: "From the next answer on." }) : "";
  return turnElement({ role: "system", text }, -1, [text, note]);
}
