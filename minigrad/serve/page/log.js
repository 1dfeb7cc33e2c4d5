// The turns of a conversation as they stand on the paper.

import { language, make, state } from "./common.js";
import { systems } from "./settings.js";
import { nameOf } from "./turns.js";
import { say, tongue } from "./words.js";

const action = (act, words) => {
  const button = make("button", { type: "button", className: "plain",
    textContent: () => say(words) });
  button.dataset.act = act;
  return button;
};

const usual = { lang: tongue, textContent: () => say("the usual one") };

export function turnElement({ role, text }, i, nodes) {
  const name = () => nameOf(role), lang = language(state.model, text);
  const box = make("div", { className: "box", lang,
    ariaLabel: () => say("{name}: arrow keys move, Enter looks closer", { name: name() }) }, ...nodes);
  const acts = make("div", { className: "acts" });
  if (role === "assistant") acts.append(action("copy", "Copy"), action("again", "Regenerate"));
  acts.append(action("edit", "Edit"));
  const head = make("h2", { textContent: name });
  const turn = role === "system"
    ? make("details", {}, make("summary", {}, head, " ",
      make("span", { className: "soft",
      ...i < 0 && !text ? usual : { lang, textContent: text } })), box, acts)
    : make("div", { role: "group", ariaLabel: name }, head, box, acts);
  turn.className = `turn ${role}`;
  turn.dataset.turn = i;
  return turn;
}

export function systemElement(turn, nodes) { // how to answer: as it was read, or will be
  const wanted = systems.get(state.model) ?? "";
  if (turn && (!wanted || wanted === turn.text)) return turnElement(turn, 0, nodes);
  const note = turn ? make("p", { className: "soft", lang: tongue,
    textContent: () => say("From the next answer on.") }) : "";
  return turnElement({ role: "system", text: wanted }, -1, [wanted || make("span", usual), note]);
}
