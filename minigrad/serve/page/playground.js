// The page as a whole: the models, the buttons, the keyboard.

import { $, aboutModel, language, make, saved, state, textOf } from "./common.js";
import { lens } from "./lens.js";
import { blank, parts, select, take } from "./paper.js";
import { Refusal, ask, trouble } from "./service.js";
import { describe, prompts, save } from "./settings.js";
import { lastTake, running, stop, undo, write } from "./writing.js";

function hasFont() { // without one, all Chinese characters look the same: a box
  const pen = make("canvas", { width: 24, height: 24 }).getContext("2d",
    { willReadFrequently: true });
  const drawn = ["月", "風"].map((text) => {
    pen.clearRect(0, 0, 24, 24);
    pen.font = "20px sans-serif";
    pen.fillText(text, 0, 20);
    return pen.getImageData(0, 0, 24, 24).data.join();
  });
  return drawn[0] !== drawn[1];
}

function choose(name, unit) {
  if (state.model) prompts.set(state.model, $("prompt").value);
  Object.assign(state, { model: name, unit });
  document.body.dataset.unit = unit;
  for (const word of document.querySelectorAll(".unit")) word.textContent = unit;
  $("paper").ariaLabel = $("paper").ariaLabel.replace(/\w+ by \w+/, `${unit} by ${unit}`);
  const { examples } = aboutModel(name);
  $("prompt").value = prompts.get(name) ?? examples[0] ?? "";
  const lang = language(name, $("prompt").value);
  $("examples").replaceChildren(...examples.map((text) => {
    const button = make("button", { type: "button", className: "plain", lang });
    button.textContent = text.trim();
    button.addEventListener("click", () => {
      $("prompt").value = text;
      $("prompt").focus();
      save();
    });
    return button;
  }));
  trouble(lang.startsWith("zh") && !hasFont() ? new Refusal("This device has no Chinese font: " +
    "each character shows as a box. On Debian or Ubuntu: apt install fonts-noto-cjk.") : null);
  lastTake();
  describe();
}

async function start() {
  trouble(null);
  try {
    const { models, units } = await (await ask("health")).json();
    const chosen = models.includes(saved.model) ? saved.model : models[0];
    for (const [i, name] of models.entries()) {
      const id = "model-" + i;
      const radio = make("input", { type: "radio", name: "model", id, checked: name === chosen });
      radio.addEventListener("change", () => choose(name, units[name]));
      const { title } = aboutModel(name);
      $("models").append(radio, make("label", { htmlFor: id, textContent: title }));
    }
    choose(chosen, units[chosen]);
  } catch (error) {
    trouble(error, start);
  }
}

function writeAnew() {
  if (matchMedia("(pointer: coarse)").matches) $("prompt").blur(); // the keyboard hides the text
  save();
  write({ ...blank, model: state.model, prompt: $("prompt").value, tokens: [] });
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) stop();
  else writeAnew();
});
$("write").addEventListener("click", (event) => {
  if (event.detail > 1) event.preventDefault(); // the second of a double click would stop it
});
$("more").addEventListener("click", () => write({ ...take, tokens: [...take.tokens] }));
$("undo").addEventListener("click", undo);
$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(textOf(parts()));
    $("status").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren($("paper"));
    $("status").textContent = "Selected; copy it with your keyboard";
  }
});
$("keep").addEventListener("click", () => {
  $("seed").value = take.seed;
  save();
});
$("prompt").addEventListener("input", () => {
  $("prompt").lang = language(state.model, $("prompt").value);
});

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return; // an input method is at work
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    writeAnew();
  } else if (event.key === "Escape") {
    if (running) stop();
    else if ($("lens").contains(document.activeElement)) $("paper").focus();
    else select(null);
  }
});
if (/Mac|iPhone|iPad/.test(navigator.platform)) $("modifier").textContent = "\u2318";
lens();
start();
