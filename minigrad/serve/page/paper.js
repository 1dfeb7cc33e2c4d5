// The paper: a take (what was written in one go, from a model and a prompt) as characters that
// can be chosen. Whenever the choice changes, the paper fires the event "look".

import { $, language, level, make, percent, spoken, state, visible } from "./common.js";

export let take = { model: "", prompt: "", tokens: [] };
export let chips = []; // the characters: spans, first those of the prompt
export let units = []; // the same as strings
export let selected = null; // index of one of them

export const textOf = (tokens) => tokens.map((token) => token.text).join("");
export const firstWritten = () => units.length - take.tokens.length;
export const tokenAt = (index) => take.tokens[index - firstWritten()];
export const surprise = (token) =>
  token ? level(token.probability, [0.5, 0.2, 0.05, 0.01]) : 0;

function chip(text, token) {
  const span = make("span", { id: "c" + chips.length, textContent: text === "\n" ? "" : text });
  span.role = "option";
  span.className = (token ? "" : "given ") + (text === "\n" ? "end" : "");
  span.ariaLabel = spoken(text) + (token ? ", " + percent(token.probability) : ", given");
  span.dataset.s = state.view === "alternatives" ? surprise(token) : 0;
  chips.push(span);
  units.push(text);
  return text === "\n" ? [span, "\n"] : [span];
}

export function lay(next) {
  take = next;
  const lang = language(state.model, take.prompt + textOf(take.tokens) || $("prompt").value);
  for (const id of ["prompt", "paper", "reading", "context"]) $(id).lang = lang;
  chips = [];
  units = [];
  select(null);
  const parts = Array.from(take.prompt).flatMap((text) => chip(text));
  parts.push(...take.tokens.flatMap((token) => chip(token.text, token)));
  const empty = make("p", { textContent: "What the model writes appears here. The less a " +
    "character was expected, the darker its shade; choose one to see what it beat." });
  $("paper").replaceChildren(...(parts.length ? parts : [empty]), make("span", { id: "caret" }));
  $("caret").ariaHidden = "true";
  say();
}

function say() { // a list to choose from, if there is anything in it
  $("paper").role = chips.length ? "listbox" : "region";
  $("paper").ariaOrientation = chips.length ? "horizontal" : null;
}

let frame = 0;
export function schedule() { // however fast characters come, the paper changes once a frame
  frame ||= requestAnimationFrame(flush);
}

export function flush() {
  cancelAnimationFrame(frame);
  frame = 0;
  const fresh = take.tokens.slice(chips.length - Array.from(take.prompt).length);
  if (!fresh.length) return;
  const caret = $("caret");
  const follow = inSight(caret);
  caret.before(...fresh.flatMap((token) => chip(token.text, token)));
  say();
  if (follow) caret.scrollIntoView({ block: "nearest" });
  $("count").textContent = take.tokens.length;
}

function inSight(element) {
  const box = element.getBoundingClientRect();
  const paper = $("paper").getBoundingClientRect();
  return box.top < Math.min(paper.bottom, innerHeight) && box.bottom > Math.max(paper.top, 0);
}

export function select(index) {
  if (selected !== null) chips[selected]?.removeAttribute("aria-selected");
  selected = index;
  document.body.classList.toggle("looking", index !== null);
  if (index === null) {
    $("paper").removeAttribute("aria-activedescendant");
    $("tip").hidden = true;
  } else {
    chips[index].ariaSelected = "true";
    $("paper").setAttribute("aria-activedescendant", chips[index].id);
    chips[index].scrollIntoView({ block: "nearest" });
    tip(index);
  }
  $("paper").dispatchEvent(new Event("look"));
}

let tipped = 0;
function tip(index) {
  tipped = index;
  const token = tokenAt(index);
  const box = chips[index].getBoundingClientRect();
  $("tip").textContent = visible(units[index]) + "  " +
    (token ? percent(token.probability) : "given");
  $("tip").hidden = false;
  const left = box.left + box.width / 2 - $("tip").offsetWidth / 2;
  $("tip").style.left = Math.max(4, Math.min(left, innerWidth - $("tip").offsetWidth - 4)) + "px";
  $("tip").style.top = Math.max(4, box.top - $("tip").offsetHeight - 6) + "px";
}

const line = (index) => chips[index].getClientRects()[0] ?? chips[index].getBoundingClientRect();

function above(step) { // the nearest character of the line above (-1) or below (1)
  const here = line(selected);
  let best = selected, top = null, nearest = Infinity;
  for (let i = selected + step; i >= 0 && i < chips.length; i += step) {
    const box = line(i);
    if (Math.abs(box.top - here.top) < 4) continue;
    top ??= box.top;
    if (Math.abs(box.top - top) >= 4) break;
    const distance = Math.abs(box.left - here.left);
    if (distance < nearest) [best, nearest] = [i, distance];
  }
  return best;
}

export function move(key) {
  const last = chips.length - 1;
  const to = selected === null ? Math.min(last, firstWritten()) : {
    ArrowLeft: selected - 1, ArrowRight: selected + 1, Home: 0, End: last,
    ArrowUp: above(-1), ArrowDown: above(1),
  }[key];
  if (last >= 0) select(Math.max(0, Math.min(last, to)));
}

const chipOf = (event) => {
  const found = event.target.closest("#paper > span:not(#caret)");
  return found ? chips.indexOf(found) : -1;
};
$("paper").addEventListener("click", (event) => {
  const index = chipOf(event);
  if (index >= 0 && getSelection().isCollapsed) select(index);
});
$("paper").addEventListener("pointerover", (event) => {
  const index = chipOf(event);
  if (index >= 0 && event.pointerType === "mouse") tip(index);
});
for (const type of ["pointerleave", "blur"]) {
  $("paper").addEventListener(type, () => { $("tip").hidden = true; });
}
for (const target of [$("paper"), document]) {
  target.addEventListener("scroll", () => {
    if ($("tip").hidden) return;
    if (chips[tipped] && inSight(chips[tipped])) tip(tipped);
    else $("tip").hidden = true;
  }, { passive: true });
}
$("paper").addEventListener("focus", () => {
  if (selected === null && $("paper").matches(":focus-visible")) move("");
});
$("paper").addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(Arrow|Home|End)/.test(event.key)) move(event.key);
  else if ((event.key === "Enter" || event.key === " ") && selected !== null) {
    $("lens").querySelector("button.row:enabled, select:enabled")?.focus();
  } else return;
  event.preventDefault();
});
