// Writing: a request, its stream of tokens onto the paper, and how it ends.

import { $, sentence, state, textOf } from "./common.js";
import { blank, flush, lay, parts, schedule, select, take } from "./paper.js";
import { Refusal, ask, events, trouble } from "./service.js";
import { dialValues } from "./settings.js";

export const ALTERNATIVES = 8;
const LONGEST = 2000; // tokens to go on from: more than any of these models sees

export let running = null; // the AbortController of the take that is being written
const takes = new Map(); // the last take of each model
const past = new Map(); // the takes before it

function request(next) {
  const seed = $("seed").value.trim();
  if (!/^\d*$/.test(seed)) {
    throw new Refusal("Seed: please give a whole number, or nothing.", "seed", true);
  }
  const ids = [...next.given, ...next.tokens].map((part) => part.id); // a text may have others
  return {
    model: next.model, stream: true, alternatives: ALTERNATIVES, ...dialValues(),
    prompt: ids.length ? ids.slice(-LONGEST) : next.prompt || "\n",
    seed: seed ? Number(seed) : null,
  };
}

function begin(next, read, keep) { // `read` are the tokens of the prompt, as the model reads them
  if (!next.given.length) next.given = read;
  const last = next.tokens.pop(); // of what is kept: a character may be unfinished there
  if (last) next.tokens.push({ ...last, text: read.at(-1).text });
  put(next);
  if (keep !== null) select(keep);
}

export async function write(next, keep = null) {
  stop();
  const mine = running = new AbortController();
  const kept = next.tokens.length;
  let end = null;
  trouble(null);
  show("Writing");
  try {
    const response = await ask("generate", request(next), mine.signal);
    for await (const event of events(response)) {
      if (event.error) throw new Refusal(sentence(event.error.message));
      if (event.finish_reason) end = event;
      else if (event.prompt_tokens && running === mine) begin(next, event.prompt_tokens, keep);
      else if (running === mine) next.tokens.push(event), schedule(next);
    }
    if (!end) throw new TypeError("the stream has no end");
    finish(mine, next, end, `${next.tokens.length - kept} ${state.unit}s`);
  } catch (error) {
    const written = `${next.tokens.length - kept} ${state.unit}s`;
    if (error.name === "AbortError") return finish(mine, next, null, `Stopped after ${written}`);
    if (!(error instanceof Refusal)) {
      error = new Refusal(`The connection was lost after ${written}. Write on goes on from there.`);
    }
    const again = error.final ? null : () => write(next.tokens.length > kept
      ? { ...next, tokens: [...next.tokens] } : next);
    if (running === mine) trouble(error, again);
    finish(mine, next, null, "");
  }
}

function finish(mine, next, end, words) {
  if (running !== mine) return; // another has begun
  running = null;
  if (take === next) flush();
  if (end) {
    words += ` in ${end.seconds.toFixed(1)} s, ${Math.round(end.tokens_per_second)} a second`;
    next.seed = end.seed;
  }
  show(words);
}

export function stop() {
  running?.abort();
}

function put(next) { // a new take on the paper; the old one can be had back
  if (take.tokens.length && take !== next) {
    past.set(take.model, [...(past.get(take.model) ?? []), take]);
  }
  takes.set(next.model, next);
  lay(next);
  $("caret").scrollIntoView({ block: "nearest" });
}

export function lastTake() { // of the chosen model, whatever is being written
  stop();
  running = null;
  lay(takes.get(state.model) ?? { ...blank, model: state.model });
  show("");
}

export function undo() {
  takes.set(state.model, past.get(state.model).pop());
  lastTake();
}

function show(words) {
  $("status").textContent = words;
  $("count").textContent = "";
  document.body.classList.toggle("running", running !== null);
  $("write").textContent = running ? "Stop" : "Write";
  $("more").disabled = running !== null || !take.tokens.length;
  $("undo").disabled = !past.get(state.model)?.length;
  $("copy").disabled = !take.tokens.length;
  $("keep").hidden = running !== null || take.seed === undefined;
  $("keep").textContent = `Seed ${take.seed}: use again`;
  if (!running) $("reading").textContent = textOf(parts());
}
