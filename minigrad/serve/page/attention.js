// Where a head looked when a token was chosen: as a map, as bars, and as shades of the text.

import { $, bar, label, level, make, percent, state, visible } from "./common.js";
import { chips, selected, surprise, take, tokenAt } from "./paper.js";
import { ask } from "./service.js";
import { say, tell } from "./words.js";

let attention = null; // the service's answer for the selected character
let looking = null, waiting = 0;

export function look() {
  clearTimeout(waiting);
  looking?.abort();
  if (attention?.index === selected && attention.take === take) return drawAttention();
  attention = null;
  drawAttention();
  if (!selected) return; // nothing is chosen, or nothing stands before it
  waiting = setTimeout(fetchAttention, 120);
}

async function fetchAttention() {
  const index = selected, of = take;
  const mine = looking = new AbortController();
  try {
    const text = take.parts.slice(Math.max(0, index - 256), index).map((part) => part.id);
    const response = await ask("attention", { model: of.model, text }, mine.signal);
    const answer = await response.json();
    if (selected !== index || take !== of) return;
    const seen = take.parts.slice(index - answer.tokens.length, index);
    attention = { ...answer, seen, index, take: of };
    fill("layer", answer.layers, []);
    fill("head", answer.heads, [() => say("all, averaged")]);
    drawAttention();
    shadeAll();
  } catch (error) {
    if (error.name !== "AbortError") tell($("readout"), error.words ?? error.message);
  }
}

function fill(id, count, more) {
  const menu = $(id), chosen = Math.max(0, menu.selectedIndex);
  if (menu.length === count + more.length) return;
  const names = Array.from({ length: count }, (_, i) => String(i + 1)).concat(more);
  menu.replaceChildren(...names.map((name, i) =>
    make("option", { textContent: name, value: i })));
  menu.selectedIndex = Math.min(chosen, count - 1);
  menu.disabled = false;
}

function weights() { // of the chosen head: rows look, columns are looked at
  if (!attention) return null;
  const heads = attention.weights[$("layer").selectedIndex];
  return heads[$("head").selectedIndex] ?? heads[0].map((row, i) => row.map((_, j) =>
    heads.reduce((sum, head) => sum + head[i][j], 0) / heads.length));
}

export function shadeAll() { // the text, by what the lens shows
  const row = state.view === "attention" && attention?.index === selected
    ? weights()?.at(-1) : null;
  chips.forEach((span, i) => {
    const weight = row && i < selected ? row[i - selected + row.length] ?? 0 : 0;
    const s = state.view === "alternatives" ? surprise(tokenAt(i))
      : 4 - level(weight, [0.02, 0.05, 0.15, 0.4]);
    if (span.dataset.s !== String(s)) span.dataset.s = s;
  });
}

const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).split(" ").map(Number);

function drawMap(rows) {
  const size = rows?.length ?? 1;
  const small = new OffscreenCanvas(size, size), pen = small.getContext("2d");
  const image = pen.createImageData(size, size);
  const low = colour("--heat-low"), high = colour("--heat-high");
  rows?.forEach((row, i) => row.forEach((weight, j) => {
    const share = Math.sqrt(Math.min(1, weight)); // so that small weights can be seen
    const at = 4 * (i * size + j);
    for (let c = 0; c < 3; c++) image.data[at + c] = low[c] + share * (high[c] - low[c]);
    image.data[at + 3] = j > i ? 0 : 255; // the future: nothing
  }));
  pen.putImageData(image, 0, 0);
  const map = $("map"), large = map.getContext("2d");
  map.width = map.height = Math.round(320 * devicePixelRatio);
  large.imageSmoothingEnabled = false;
  large.drawImage(small, 0, 0, map.width, map.height);
  tell(map, () => rows ? say("Attention of {n} {unit}s", { n: size })
    : say("No attention to show yet"), "ariaLabel");
}

function drawAttention() {
  const rows = weights();
  drawMap(rows);
  tell($("readout"), rows || selected === null ? ""
    : selected === 0 ? () => say("Nothing stands before it.") : () => say("Looking"));
  const last = rows?.at(-1) ?? [];
  const best = last.map((probability, i) => ({ ...attention.seen[i], probability, i }));
  best.sort((a, b) => b.probability - a.probability);
  $("looked").replaceChildren(...best.slice(0, 5).map((row) =>
    bar(row, best[0].probability, "div")));
  if (rows) point(rows.length - 1, best[0].i);
}

function point(i, j) {
  const row = weights()?.[i];
  if (!row || j > i) return;
  const [from, to] = [i, j].map((at) => `\u201c${visible(label(attention.seen[at]))}\u201d`);
  const where = () => i === j ? say("itself") : say("{to}, {n} back", { to, n: i - j });
  tell($("readout"), () =>
    say("{from} looked at {where}: {p}", { from, where: where(), p: percent(row[j]) }));
}

for (const id of ["layer", "head"]) {
  $(id).addEventListener("change", () => { drawAttention(); shadeAll(); });
}
for (const type of ["pointermove", "pointerdown"]) {
  $("map").addEventListener(type, (event) => {
    const size = attention?.tokens.length ?? 0;
    const of = (x, width) => Math.max(0, Math.min(size - 1, Math.floor(size * x / width)));
    const box = $("map").getBoundingClientRect();
    point(of(event.clientY - box.top, box.height), of(event.clientX - box.left, box.width));
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAttention);
