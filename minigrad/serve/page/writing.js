// Writing: a request, its stream of tokens onto the paper, and how it ends.

import { $, make, sentence, state, textOf } from "./common.js";
import { blank, flush, focusText, lay, schedule, select, take } from "./paper.js";
import { Refusal, ask, events, trouble } from "./service.js";
import { dialValues, save } from "./settings.js";
import { nameOf, saidIn, turnsOf, withAnswers } from "./turns.js";
import { say, tell, tellAlso } from "./words.js";

export const ALTERNATIVES = 8;
const LONGEST = 2000; // tokens to go on from: more than any of these models sees

export let running = null; // the AbortController of the take that is being written
const takes = new Map(); // the last take of each model, as a text and as a conversation
const past = new Map(); // the takes before it
const placeOf = ({ mode, model }) => `${mode} ${model}`;

function request(next) {
  const seed = $("seed").value.trim();
  if (!/^\d*$/.test(seed)) {
    throw new Refusal(() => say("Seed: please give a whole number, or nothing."), "seed", true);
  }
  const ids = next.parts.map((part) => part.id); // a text may have others
  const latest = next.mode === "chat" ? ids : ids.slice(-LONGEST); // who was asked must be seen
  const given = next.messages ? { messages: next.messages }
    : { prompt: ids.length ? latest : next.prompt || next.start || "\n" };
  return {
    model: next.model, stream: true, alternatives: ALTERNATIVES, ...dialValues(), ...given,
    seed: seed ? Number(seed) : null,
  };
}

function begin(next, read, keep) { // `read` are the tokens of the prompt, as the model reads them
  const last = next.parts.at(-1); // of what is kept: a character may be unfinished there
  next.parts = last ? [...next.parts.slice(0, -1), { ...last, text: read.at(-1).text }] : read;
  next.begun = next.parts.length;
  const focused = $("paper").contains(document.activeElement);
  put(next);
  if (keep !== null) select(keep);
  if (focused) focusText();
}

function beginAnswer(next, read, keep) { // true if it must be read once more
  const { parts } = next;
  delete next.messages; // from here on its tokens say what to go on from
  next.parts = withAnswers(read, parts);
  const same = next.parts.length === read.length && next.parts.every((p, i) => p.id === read[i].id);
  if (same) begin(next, read, keep);
  return !same;
}

export async function write(next, keep = null) {
  stop();
  const mine = running = new AbortController();
  next.begun = next.parts.length;
  let end = null;
  const count = () => ({ n: next.parts.length - next.begun });
  trouble(null);
  show(() => say("Writing"));
  try {
    const response = await ask("generate", request(next), mine.signal);
    for await (const event of events(response)) {
      if (event.error) throw new Refusal(() => sentence(event.error.message));
      if (event.finish_reason) end = event;
      else if (running !== mine) continue;
      else if (!event.prompt_tokens) next.parts.push(event), schedule();
      else if (!next.messages) begin(next, event.prompt_tokens, keep);
      else if (beginAnswer(next, event.prompt_tokens, keep)) return write(next, keep);
    }
    if (!end) throw new TypeError("the stream has no end");
    finish(mine, next, end, ended(end, count()));
  } catch (error) {
    if (error.name !== "AbortError" && !(error instanceof Refusal)) {
      const at = count();
      error = new Refusal(() =>
        say("The connection was lost after {n} {unit}s. Write on goes on from there.", at));
    }
    const stopped = count();
    fail(mine, next, error, () => say("Stopped after {n} {unit}s", stopped), () => write(
      next.parts.length > next.begun ? { ...next, parts: [...next.parts] } : next, keep));
  }
}

export async function keepAnswer(next) { // that its reader has changed: only read, for its tokens
  stop();
  const mine = running = new AbortController();
  trouble(null);
  show(() => say("Reading"));
  try {
    const more = { role: "user", content: "." }; // what follows an answer does not change it
    const asked = { ...next, messages: [...next.messages, more] };
    const body = { ...request(asked), stream: false, max_new_tokens: 1 };
    const answer = await (await ask("generate", body, mine.signal)).json();
    if (running !== mine) return;
    const parts = withAnswers(answer.prompt_tokens, next.parts);
    put({ ...next, messages: null, parts: parts.slice(0, turnsOf(parts).at(-3).to) });
    finish(mine, take, null, () => say("Changed; Write on goes on from there"));
    focusText();
  } catch (error) {
    fail(mine, next, error, () => say("Stopped"), () => keepAnswer(next));
  }
}

const ended = ({ seconds, tokens_per_second: rate }, count) => () =>
  say("{n} {unit}s in {seconds} s, {rate} a second",
    { ...count, seconds: seconds.toFixed(1), rate: Math.round(rate) });

function fail(mine, next, error, stopped, again) {
  const aborted = error.name === "AbortError";
  if (!aborted && running === mine) trouble(error, error.final ? null : again);
  finish(mine, next, null, aborted ? stopped : "");
}

function finish(mine, next, end, words) {
  if (running !== mine) return; // another has begun
  running = null;
  if (take === next) flush();
  if (end) {
    next.seed = end.seed;
    next.done = next.mode === "chat" && end.finish_reason === "stop";
  }
  show(words);
}

export function stop() {
  running?.abort();
}

function put(next) { // a new take on the paper; the old one can be had back
  const place = placeOf(next);
  if (take.parts.length && take !== next) past.set(place, [...(past.get(place) ?? []), take]);
  if (take !== next) next.lost = turnsOf(take.parts).length - turnsOf(next.parts).length;
  takes.set(place, next);
  lay(next);
  if (next.sent !== undefined && next.sent === $("prompt").value) $("prompt").value = "";
  delete next.sent;
  save();
  $("caret").scrollIntoView({ block: "nearest" });
}

export function lastTake() { // of the chosen model, whatever is being written
  stop();
  running = null;
  const { mode, model } = state;
  lay(takes.get(placeOf(state)) ?? { ...blank, mode, model });
  show("");
}

export function startAnew() {
  stop();
  running = null;
  put({ ...blank, mode: state.mode, model: state.model });
  show("");
}

export function undo() {
  takes.set(placeOf(state), past.get(placeOf(state)).pop());
  lastTake();
}

function show(words) {
  const chat = state.mode === "chat";
  const n = take.lost;
  tell($("status"), words);
  if (words && n > 0) {
    tellAlso($("status"), () => say("; {n} later turns are gone, Undo has them", { n }));
  }
  $("count").textContent = "";
  document.body.classList.toggle("running", running !== null);
  tell($("write"), () => say(running ? "Stop" : chat ? "Send" : "Write"));
  $("more").disabled = running !== null || !take.parts.length || take.done;
  $("undo").disabled = !past.get(placeOf(state))?.length;
  $("copy").disabled = !take.parts.length;
  $("keep").hidden = running !== null || take.seed === undefined;
  tell($("keep"), () => $("keep").hidden ? ""
    : say("Seed {seed}: use again", { seed: take.seed }));
  if (!running) recite();
}

function recite() { // to those who hear the page; of a conversation only what is new
  const chat = state.mode === "chat", reading = $("reading");
  const said = chat ? saidIn(take.parts).map(({ role, text }) => () =>
    say("{name}: {text}", { name: nameOf(role), text })) : [() => textOf(take.parts)];
  reading.role = chat ? "log" : null;
  const kept = [...reading.children].findIndex((p, i) => p.textContent !== said[i]?.());
  while (kept >= 0 && reading.children.length > kept) reading.lastChild.remove();
  const { length } = reading.children;
  reading.append(...said.slice(length).map((text) => make("p", { textContent: text })));
}

try { // a page that is loaded again shows them again
  for (const [place, kept] of JSON.parse(sessionStorage.getItem("minigrad-takes"))) {
    if (kept.parts.every(({ id, name, text }) => id >= 0 && name.length && text.trim)) {
      takes.set(place, kept);
    }
  }
} catch { /* nothing was kept, or it is not ours */ }
addEventListener("pagehide", () => {
  try {
    sessionStorage.setItem("minigrad-takes", JSON.stringify([...takes]));
  } catch { /* works without */ }
});
