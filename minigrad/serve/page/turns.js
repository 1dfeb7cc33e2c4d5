// A conversation as the model reads it: one row of tokens, in which marks stand around each turn.

import { textOf } from "./common.js";
import { say } from "./words.js";

const NAMES = { system: "System", user: "You", assistant: "Answer" };
export const nameOf = (role) => Object.hasOwn(NAMES, role) ? say(NAMES[role]) : role;
const START = "<|im_start|>", END = "<|im_end|>";

function turnOf(parts, begin, end) { // mark, role, line break, what was said, mark, line break
  let from = begin + 1, head = "";
  while (from < end && !head.includes("\n")) head += parts[from++].text;
  const [role, ...rest] = head.split("\n");
  const joined = rest.join("\n").length; // a token may reach from the role into what was said
  if (joined) from--;
  const mark = parts.slice(from, end).findIndex((part) => part.name === END);
  const to = mark < 0 ? end : from + mark;
  const skip = joined ? parts[from].text.length - joined : 0;
  return { role, begin, from, to, end, skip, text: textOf(parts.slice(from, to)).slice(skip) };
}

export function turnsOf(parts) {
  const begins = [...parts.keys()].filter((i) => parts[i].name === START);
  return begins.map((begin, i) => turnOf(parts, begin, begins[i + 1] ?? parts.length));
}

export const saidIn = (parts) => // by the two who talk; an answer may have stopped before it began
  turnsOf(parts).filter((turn) => turn.role !== "system" && turn.from + turn.skip < turn.to);

export function withAnswers(read, parts) { // a text has many rows of tokens: take those written
  const mine = saidIn(parts);
  return turnsOf(read).flatMap((turn) => {
    const own = turn.role === "system" ? null : mine.shift();
    if (own?.role !== "assistant") return read.slice(turn.begin, turn.end);
    return [...parts.slice(own.begin, own.to), ...read.slice(turn.to, turn.end)];
  });
}
