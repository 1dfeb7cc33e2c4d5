// The paper: a take (what was written in one go, from a model and a prompt) as tokens that can be
// chosen. Whenever the choice changes, the paper fires the event "look".

import { $, label, language, level, make, percent, spoken, state, textOf, visible }
  from "./common.js";

export const blank = { model: "", prompt: "", given: [], tokens: [] }; // given: those of the prompt
export let take = blank;
export let chips = []; // the tokens: spans, first those of the prompt
export let selected = null; // index of one of them

export const parts = () => [...take.given, ...take.tokens]; // what the chips show
export const tokenAt = (index) => take.tokens[index - take.given.length];
export const surprise = (token) =>
  token ? level(token.probability, [0.5, 0.2, 0.05, 0.01]) : 0;

function chip(part) {
  const span = make("span", { id: "c" + chips.length, role: "option" });
  const written = part.probability !== undefined;
  span.className = written ? "" : "given";
  span.ariaLabel = spoken(part) + (written ? ", " + percent(part.probability) : ", given");
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
  const lang = language(state.model, textOf(parts()) || $("prompt").value);
  for (const id of ["prompt", "paper", "reading", "context"]) $(id).lang = lang;
  chips = [];
  select(null);
  const nodes = parts().flatMap(chip);
  const empty = make("p", { textContent: `What the model writes appears here. The less a ${
    state.unit} was expected, the darker its shade; choose one to see what it beat.` });
  $("paper").replaceChildren(...(nodes.length ? nodes : [empty]), make("span", { id: "caret" }));
  $("caret").ariaHidden = "true";
  say();
}

function say() { // a list to choose from, if there is anything in it
  $("paper").role = chips.length ? "listbox" : "region";
  $("paper").ariaOrientation = chips.length ? "horizontal" : null;
}

let frame = 0;
export function schedule() { // however fast tokens come, the paper changes once a frame
  frame ||= requestAnimationFrame(flush);
}

export function flush() {
  cancelAnimationFrame(frame);
  frame = 0;
  const fresh = take.tokens.slice(chips.length - take.given.length);
  if (!fresh.length) return;
  const caret = $("caret");
  const follow = inSight(caret);
  caret.before(...fresh.flatMap(chip));
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
  const box = line(index);
  $("tip").textContent = visible(label(parts()[index])) + "  " +
    (token ? percent(token.probability) : "given");
  $("tip").hidden = false;
  const left = box.left + box.width / 2 - $("tip").offsetWidth / 2;
  $("tip").style.left = Math.max(4, Math.min(left, innerWidth - $("tip").offsetWidth - 4)) + "px";
  $("tip").style.top = Math.max(4, box.top - $("tip").offsetHeight - 6) + "px";
}

const line = (index) => // the widest part of a chip that goes over several lines
  [...chips[index].getClientRects()].sort((a, b) => b.width - a.width)[0]
    ?? chips[index].getBoundingClientRect();

function above(step) { // the nearest token of the line above (-1) or below (1)
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
  const to = selected === null ? Math.min(last, take.given.length) : {
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
