// Talking with the service, and its refusals in sentences.

import { $, make, sentence } from "./common.js";
import { CONTROLS, LABELS } from "./settings.js";
import { say } from "./words.js";

export class Refusal extends Error {
  constructor(words, field = null, final = false, status = 0) {
    super(words());
    this.words = words; // once more, in either language
    this.field = field; // of the request that was wrong
    this.final = final; // the same again would be refused again
    this.needsKey = status === 401;
  }
}

let key = ""; // that some services want; kept until the page is closed
try {
  key = sessionStorage.getItem("minigrad-key") ?? "";
} catch { /* works without */ }

function askForKey(again) {
  const input = make("input", { type: "password", autocomplete: "off",
    ariaLabel: () => say("Key") });
  const button = make("button", { type: "button", textContent: () => say("Use it") });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // it stands within the form of the prompt
    button.click();
  });
  button.addEventListener("click", () => {
    key = input.value.trim();
    try {
      sessionStorage.setItem("minigrad-key", key);
    } catch { /* works without */ }
    again();
  });
  return [input, button];
}

async function refusal(response) {
  // What stands before the service may answer in its own way, and /health has no error.
  const { error } = await response.json().catch(() => ({}));
  const { message, param } = error ?? { message: "", param: null };
  const { status } = response, hadKey = key !== "";
  const n = response.headers.get("Retry-After");
  const label = LABELS[param];
  const words = () => {
    const named = label && message ? message.replace(param + ":", `${say(label)}:`) : message;
    const said = named && sentence(named);
    return {
      401: say(hadKey ? "This is not the key of the service." : "This service wants to know a key."),
      404: said,
      413: say("The text is too long for the service. Please shorten the prompt."),
      422: said,
      503: n ? say("The service is busy. Please try again in {n} s.", { n })
        : say("The service is busy. Please try again."),
    }[status] || say("The service failed ({status}). {said}", { status, said });
  };
  return new Refusal(words, param, status < 500 && status !== 401, status);
}

export async function ask(path, body, signal) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const options = { method: body ? "POST" : "GET", headers, signal };
  if (body) options.body = JSON.stringify(body);
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(() =>
      say("No connection to the service. Is python -m minigrad.serve running?"));
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

export async function* events(response) { // "data: ...", and an empty line after each
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.slice("data: ".length);
      if (data !== "[DONE]") yield JSON.parse(data);
    }
  }
}

export function trouble(error, again) { // shows what went wrong, or with null that all is well
  for (const id of CONTROLS) {
    const field = error?.field?.replace(/^messages.*/, "prompt"); // where one types
    if (field === id) $(id).setAttribute("aria-invalid", "true");
    else $(id).removeAttribute("aria-invalid");
  }
  $("trouble").replaceChildren();
  if (!error) return;
  $("trouble").append(make("span", { textContent: error.words ?? error.message }));
  if (!again) return;
  if (error.needsKey) return $("trouble").append(...askForKey(again));
  const button = make("button", { type: "button", textContent: () => say("Try again") });
  button.addEventListener("click", again);
  $("trouble").append(button);
}
