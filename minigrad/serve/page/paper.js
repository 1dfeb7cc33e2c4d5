// The paper: a take (what was written in one go, from a model and a prompt, or a conversation) as
// tokens that can be chosen. Whenever the choice changes, the paper fires the event "look".

import { $, isWritten, label, language, level, make, percent, spoken, state, textOf, visible }
  from "./common.js";
import { systemElement, turnElement } from "./log.js";
import { save } from "./settings.js";
import { turnsOf } from "./turns.js";
import { say, tell, tongue } from "./words.js";

export const blank = { mode: "text", model: "", prompt: "", parts: [] }; // parts: its tokens
export let take = blank;
export let chips = []; // for each part a span; what is no part of what was said is not shown
export let selected = null; // index of one of them

export const tokenAt = (index) => isWritten(take.parts[index]) ? take.parts[index] : null;
export const surprise = (token) =>
  token ? level(token.probability, [0.5, 0.2, 0.05, 0.01]) : 0;

function chip(part) {
  const span = make("span", { id: "c" + chips.length, role: "option" });
  const written = isWritten(part);
  span.className = written ? "" : "given";
  tell(span, () => written
    ? say("{token}, {p}", { token: spoken(part), p: percent(part.probability) })
    : say("{token}, given", { token: spoken(part) }), "ariaLabel");
  span.dataset.s = state.view === "alternatives" && written ? surprise(part) : 0;
  if (!part.text) span.dataset.label = label(part); // shown, but not in the text
  const lines = part.text.split("\n"), last = lines.length - 1;
  span.append(lines[0], ...lines.slice(1).flatMap((line, i) => // a last line break stands outside
    [make("i"), line || i + 1 < last ? "\n" : "", line]));
  chips.push(span);
  return last && !lines[last] ? [span, "\n"] : [span];
}

export function lay(next) {
  take = next;
  chips = [];
  $("paper").removeAttribute("aria-activedescendant"); // it may have been a list, and be none now
  select(null);
  const chat = take.mode === "chat";
  const text = textOf(take.parts) || $("prompt").value;
  $("reading").lang = chat ? "" : language(state.model, text);
  tell($("paper"), chat ? tongue : $("reading").lang, "lang");
  $("prompt").lang = language(state.model, chat ? $("prompt").value : text);
  tell($("paper"), () => chat ? say("Conversation")
    : say("The text, {unit} by {unit}: arrow keys move, Enter looks closer"), "ariaLabel");
  $("paper").tabIndex = chat ? -1 : 0;
  $("examples").hidden = chat && take.parts.length > 0; // they begin one
  const nodes = chat ? layTurns() : take.parts.flatMap(chip);
  if (!take.parts.length) nodes.push(make("p", { lang: tongue, textContent: welcome }));
  $("paper").replaceChildren(...nodes);
  const end = take.parts.length && $("paper").querySelector(".turn:last-child .box");
  (end || $("paper")).append(make("span", { id: "caret", ariaHidden: "true" }));
  offer();
}

function welcome() {
  const chat = state.mode === "chat";
  if (chat && !state.canChat) {
    return say("This model goes on with a text: it was not trained to answer. " +
      "\u201cmake chat\u201d gets one that was.");
  }
  const what = say(chat ? "The conversation" : "What the model writes");
  return say("{what} appears here. The less a {unit} was expected, the darker its shade; " +
    "choose one to see what it beat.", { what });
}

function layTurns() { // the marks around what was said are chips, also where they are not shown
  const elements = turnsOf(take.parts).map((turn, i) => {
    const nodes = take.parts.slice(turn.begin, turn.end).flatMap((part, j) => {
      const at = turn.begin + j;
      const said = at >= turn.from && at < turn.to;
      if (state.marks || said) {
        const cut = state.marks || at > turn.from ? 0 : turn.skip;
        const nodes = chip({ ...part, text: part.text.slice(cut) });
        if (!said) nodes[0].classList.add("mark");
        return nodes;
      }
      chips.push(make("span"));
      return [];
    });
    return turn.role === "system" ? systemElement(turn, nodes) : turnElement(turn, i, nodes);
  });
  if (state.canChat && !elements[0]?.matches(".system")) elements.unshift(systemElement());
  return elements;
}

const boxes = () => // what holds tokens: the paper, or the turns on it
  take.mode === "chat" ? [...$("paper").querySelectorAll(".box")] : [$("paper")];
const boxOf = (index) => chips[index].closest(".box, #paper");

function offer() { // lists to choose from, if there is anything in them
  Object.assign($("paper"), { role: "region", ariaOrientation: null });
  for (const box of boxes()) {
    const filled = box.querySelector("[role=option]") !== null;
    box.role = filled ? "listbox" : box === $("paper") ? "region" : "group";
    box.ariaOrientation = filled ? "horizontal" : null;
    if (box !== $("paper")) box.tabIndex = filled ? 0 : -1;
  }
}

export function focusText() { // where the reader was
  if (selected !== null) boxOf(selected).focus({ preventScroll: true });
  else if (take.mode === "text") $("paper").focus();
  else if (!matchMedia("(pointer: coarse)").matches) $("prompt").focus(); // no keyboard comes up
}

let frame = 0;
export function schedule() { // however fast tokens come, the paper changes once a frame
  frame ||= requestAnimationFrame(flush);
}

export function flush() {
  cancelAnimationFrame(frame);
  frame = 0;
  const fresh = take.parts.slice(chips.length);
  if (!fresh.length) return;
  const caret = $("caret");
  const follow = inSight(caret);
  caret.before(...fresh.flatMap(chip));
  if (take.mode === "chat") caret.parentElement.lang ||= language(state.model, textOf(fresh));
  offer();
  if (follow) caret.scrollIntoView({ block: "nearest" });
  $("count").textContent = take.parts.length - take.begun;
}

function inSight(element) {
  const box = element.getBoundingClientRect();
  const paper = $("paper").getBoundingClientRect();
  return box.top < Math.min(paper.bottom, innerHeight) && box.bottom > Math.max(paper.top, 0);
}

export function select(index) {
  if (selected !== null) {
    chips[selected]?.removeAttribute("aria-selected");
    for (const box of boxes()) box.removeAttribute("aria-activedescendant");
  }
  selected = index;
  document.body.classList.toggle("looking", index !== null);
  if (index === null) {
    $("tip").hidden = true;
  } else {
    chips[index].ariaSelected = "true";
    boxOf(index).setAttribute("aria-activedescendant", chips[index].id);
    chips[index].scrollIntoView({ block: "nearest" });
    tip(index);
  }
  $("paper").dispatchEvent(new Event("look"));
}

let tipped = 0;
function tip(index) {
  tipped = index;
  const token = tokenAt(index);
  const box = line(index);
  $("tip").textContent = visible(label(take.parts[index])) + "  " +
    (token ? percent(token.probability) : say("given"));
  $("tip").hidden = false;
  const left = box.left + box.width / 2 - $("tip").offsetWidth / 2;
  $("tip").style.left = Math.max(4, Math.min(left, innerWidth - $("tip").offsetWidth - 4)) + "px";
  $("tip").style.top = Math.max(4, box.top - $("tip").offsetHeight - 6) + "px";
}

const line = (index) => // the widest part of a chip that goes over several lines
  [...chips[index].getClientRects()].sort((a, b) => b.width - a.width)[0]
    ?? chips[index].getBoundingClientRect();

function above(shown, step) { // the nearest token of the line above (-1) or below (1)
  const here = line(selected);
  let best = selected, top = null, nearest = Infinity;
  for (let at = shown.indexOf(selected) + step; at in shown; at += step) {
    const box = line(shown[at]);
    if (Math.abs(box.top - here.top) < 4) continue;
    top ??= box.top;
    if (Math.abs(box.top - top) >= 4) break;
    const distance = Math.abs(box.left - here.left);
    if (distance < nearest) [best, nearest] = [shown[at], distance];
  }
  return best;
}

export function move(key, within = $("paper")) {
  const shown = [...chips.keys()].filter((i) => chips[i].checkVisibility());
  const here = shown.filter((i) => within.contains(chips[i]));
  if (!here.length) return;
  const at = shown.indexOf(selected);
  const to = at < 0 || !key ? here.find(tokenAt) ?? here.at(-1) : {
    ArrowLeft: shown[at - 1], ArrowRight: shown[at + 1], Home: here[0], End: here.at(-1),
    ArrowUp: above(shown, -1), ArrowDown: above(shown, 1),
  }[key];
  select(to ?? selected);
}

const chipOf = (event) => chips.indexOf(event.target.closest("[role=option]"));
$("marks").checked = state.marks;
$("marks").addEventListener("change", () => {
  state.marks = $("marks").checked;
  const chosen = selected;
  lay(take);
  if (chips[chosen]?.isConnected) select(chosen);
  save();
});
$("paper").addEventListener("click", (event) => {
  const index = chipOf(event);
  if (index >= 0 && getSelection().isCollapsed) select(index);
});
$("paper").addEventListener("pointerover", (event) => {
  const index = chipOf(event);
  if (index >= 0 && event.pointerType === "mouse") tip(index);
});
for (const type of ["pointerleave", "focusout"]) {
  $("paper").addEventListener(type, () => { $("tip").hidden = true; });
}
for (const target of [$("paper"), document]) {
  target.addEventListener("scroll", () => {
    if ($("tip").hidden) return;
    if (chips[tipped] && inSight(chips[tipped])) tip(tipped);
    else $("tip").hidden = true;
  }, { passive: true });
}
$("paper").addEventListener("focusin", ({ target }) => {
  if (target.role !== "listbox" || !target.matches(":focus-visible")) return;
  if (selected === null || boxOf(selected) !== target) move("", target);
});
$("paper").addEventListener("keydown", (event) => {
  if (event.target.role !== "listbox" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(Arrow|Home|End)/.test(event.key)) {
    move(event.key, event.target);
    focusText();
  } else if ((event.key === "Enter" || event.key === " ") && selected !== null) {
    $("lens").querySelector("button.row:enabled, select:enabled")?.focus();
  } else return;
  event.preventDefault();
});
