// The page as a whole: the models, the buttons, the keyboard.

import { $, aboutModel, copy, language, make, saved, state, textOf, titleOf } from "./common.js";
import { send } from "./conversation.js";
import { lens } from "./lens.js";
import { blank, focusText, select, take } from "./paper.js";
import { Refusal, ask, trouble } from "./service.js";
import { describe, fold, prompts, save } from "./settings.js";
import { changeTongue, other, retell, say, tell, tellPage } from "./words.js";
import { lastTake, running, startAnew, stop, undo, write } from "./writing.js";

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

function arrange() { // a conversation is read before one writes, a text after that
  const chat = state.mode === "chat";
  document.body.dataset.mode = state.mode;
  if (chat !== ($("sheet").nextElementSibling === $("form"))) {
    if (chat) $("sheet").after($("form"));
    else $("sheet").before($("form"));
  }
  tell($("asked"), () => say(chat ? "Message" : "Prompt"));
  fold();
  $("prompt").enterKeyHint = chat ? "send" : "enter";
  tell($("prompt"), () => say(chat ? "What you say" : "How the text begins"), "placeholder");
}

function choose(change) { // another model, or what is done with it
  save();
  Object.assign(state, change);
  const { mode, model: name, unit, canChat } = state, chat = mode === "chat";
  document.body.dataset.unit = unit;
  retell();
  arrange();
  for (const id of ["prompt", "write"]) $(id).disabled = chat && !canChat;
  const examples = aboutModel(name)[chat ? "questions" : "examples"];
  $("prompt").value = prompts[mode].get(name) ?? (chat ? "" : examples[0] ?? "");
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
  trouble(lang.startsWith("zh") && !hasFont() ? new Refusal(() => say("This device has no Chinese " +
    "font: each character shows as a box. On Debian or Ubuntu: apt install fonts-noto-cjk.")) : null);
  lastTake();
  describe();
}

async function start() {
  trouble(null);
  try {
    const { models, units, chat = {}, start = {} } = await (await ask("health")).json();
    const about = (model) => ({
      model, unit: units[model], canChat: chat[model] === true, start: start[model],
    });
    const chosen = models.includes(saved.model) ? saved.model : models[0];
    for (const [i, name] of models.entries()) {
      const id = "model-" + i;
      const radio = make("input", { type: "radio", name: "model", id, checked: name === chosen });
      radio.addEventListener("change", () => choose(about(name)));
      const title = make("label", { htmlFor: id, textContent: () => titleOf(name) });
      $("models").append(radio, title);
    }
    choose(about(chosen));
  } catch (error) {
    trouble(error, start);
  }
}

function writeAnew() {
  if (matchMedia("(pointer: coarse)").matches) $("prompt").blur(); // the keyboard hides the text
  save();
  if (state.mode === "chat") return send();
  const { model, start } = state;
  write({ ...blank, model, start, prompt: $("prompt").value, parts: [] });
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) stop();
  else writeAnew();
});
$("write").addEventListener("click", (event) => {
  if (event.detail > 1) event.preventDefault(); // the second of a double click would stop it
});
$("more").addEventListener("click", () => write({ ...take, parts: [...take.parts] }));
$("undo").addEventListener("click", undo);
$("copy").addEventListener("click", () => copy(textOf(take.parts), $("paper")));
$("new").addEventListener("click", () => {
  startAnew();
  focusText();
});
for (const radio of document.getElementsByName("mode")) {
  radio.checked = radio.value === state.mode;
  radio.addEventListener("change", () => choose({ mode: radio.value }));
}
$("language").addEventListener("click", changeTongue);
$("keep").addEventListener("click", () => {
  $("seed").value = take.seed;
  save();
});
$("prompt").addEventListener("input", () => {
  $("prompt").lang = language(state.model, $("prompt").value);
});

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return; // an input method is at work
  const sends = event.ctrlKey || event.metaKey ||
    (state.mode === "chat" && event.target === $("prompt") && !event.shiftKey);
  if (event.key === "Enter" && sends) {
    event.preventDefault();
    writeAnew();
  } else if (event.key === "Escape") {
    if (running) stop();
    else if ($("lens").contains(document.activeElement)) focusText();
    else select(null);
  }
});
if (/Mac|iPhone|iPad/.test(navigator.platform)) $("modifier").textContent = "\u2318";
tell($("language"), other, "lang");
tell($("language"), () => other() === "en" ? "English" : "中文");
tellPage();
arrange();
lens();
start();
