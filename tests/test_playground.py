"""The playground in a real browser, over a stub that speaks the service's contract."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import BROWSER, ROOT
from minigrad.playground import PAGE

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine"),
    pytest.mark.timeout(300),
]
expect = playwright.expect if BROWSER else None

TEXTS = {
    "shakespeare": "The quality of mercy is not strain'd,\nIt droppeth as the gentle rain ",
    "poems": "疑是地上霜。\n举头望明月，\n低头思故乡。\n",
}
PROBABILITIES = [0.92, 0.61, 0.34, 0.11, 0.031, 0.004, 0.78]
BLOCK = 24  # characters that the stub's model sees


def token(model: str, i: int) -> dict:
    """The i-th character that the stub writes, whatever the prompt."""
    text = TEXTS[model][i % len(TEXTS[model])]
    p = PROBABILITIES[i % len(PROBABILITIES)]
    letters = [
        c for c in ("etao\n nis" if model == "shakespeare" else "月山水风花人云") if c != text
    ]
    shares = [(1 - p) * share for share in (0.5, 0.25, 0.12, 0.06)]
    others = [{"text": c, "probability": round(q, 4)} for c, q in zip(letters, shares)]
    return {"text": text, "probability": p, "alternatives": others}


class Stub(BaseHTTPRequestHandler):
    """Answers as the service does; the server's `mode` asks it for trouble."""

    def log_message(self, *_):
        pass

    def reply(self, status: int, body: dict, **headers) -> None:
        self.begin(status, "application/json", headers)
        self.wfile.write(json.dumps(body).encode("utf-8"))

    def begin(self, status: int, kind: str, headers: dict) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def do_GET(self):
        self.server.paths.append(self.path)
        if self.path == "/health":
            models = [] if self.server.mode == "no models" else list(TEXTS)
            return self.reply(200, {"status": "ok", "models": models})
        if self.path != "/":
            return self.reply(404, {"detail": "not found"})
        self.begin(200, "text/html", {})
        self.wfile.write(PAGE.encode("utf-8"))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.paths.append(self.path)
        self.server.requests.append(body)
        mode = self.server.mode
        if mode == "busy":
            busy = {"error": {"message": "all places are taken", "type": "busy"}}
            return self.reply(503, busy, Retry_After="3")
        if mode == "invalid":
            detail = [
                {"loc": ["body", "temperature"], "msg": "Input should be at most 1"},
                {"loc": ["body", "prompt"], "msg": "the model does not know the character 'é'"},
            ]
            return self.reply(422, {"detail": detail})
        if self.path == "/attention":
            return self.attend(body)
        self.begin(200, "text/event-stream", {})
        try:
            for i in range(body["max_new_tokens"]):
                if mode == "lost" and i == 10:
                    return
                if mode == "broken" and i == 10:
                    return self.event({"error": {"message": "the model broke"}})
                self.event(token(body["model"], i))
                time.sleep(self.server.pause)
            self.event(
                {
                    "finish_reason": "length",
                    "seed": 4242 if body["seed"] is None else body["seed"],
                    "seconds": 0.5,
                    "tokens_per_second": 2 * body["max_new_tokens"],
                }
            )
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.server.left.set()  # the client went away

    def event(self, data: dict) -> None:
        block = f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
        self.wfile.write(block[:17])  # in pieces, cut anywhere: a stream need not keep events whole
        self.wfile.flush()
        self.wfile.write(block[17:])
        self.wfile.flush()

    def attend(self, body: dict) -> None:
        seen = body["text"][-BLOCK:]
        size = len(seen)
        heads = [[[0.0] * size for _ in seen] for _ in range(3)]
        for i in range(size):
            heads[0][i][i] = 1.0  # the first looks at itself
            heads[1][i][max(0, i - 1)] = 1.0  # the second at the character before
            for j in range(i + 1):
                heads[2][i][j] = round(1 / (i + 1), 3)  # the third at all alike
        answer = {"model": body["model"], "tokens": list(seen), "layers": 2, "heads": 3}
        self.reply(200, {**answer, "weights": [heads, heads[::-1]]})


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(server, browser):
    """Opens the page; at the end nothing but the stub was asked, and no script had failed."""
    server.mode, server.pause = "", 0.0
    server.requests, server.paths, server.left = [], [], threading.Event()
    contexts, errors, asked = [], [], []

    def open_page(context=None, model="English", **options):
        if context is None:
            context = browser.new_context(viewport={"width": 1300, "height": 900}, **options)
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address(server))
        expect(page.get_by_role("radio", name=model)).to_be_checked()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
    assert [url for url in asked if not url.startswith((address(server), "data:"))] == []


def address(server) -> str:
    return f"http://127.0.0.1:{server.server_port}/"


def slide(page, name: str, value: float) -> None:
    page.get_by_role("slider", name=name).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})) }", value
    )


def written(page) -> str:
    """The text on the paper, without the marks."""
    return page.locator("#reading").text_content()


def pick(page, name: str) -> None:
    """A model, or what the lens shows: the label is what one touches."""
    page.locator(".switch label").get_by_text(name, exact=True).click()
    expect(page.get_by_role("radio", name=name)).to_be_checked()


def write(page, length: int = 60, prompt: str | None = None) -> None:
    slide(page, "Length", length)
    if prompt is not None:
        page.get_by_label("Prompt", exact=True).fill(prompt)
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.locator("#status")).to_contain_text(f"{length} characters in 0.5 s")


def test_the_page_is_one_file_that_loads_nothing():
    assert PAGE.startswith("<!doctype html>")
    for word in ("http:", "https:", "//cdn", " src=", "@import", "url(", "onclick=", "onload="):
        assert word not in PAGE, word


def test_a_prompt_is_continued_and_each_character_is_shaded(server, visit):
    page = visit()
    write(page, 60, "ROMEO:\n")
    expected = "".join(token("shakespeare", i)["text"] for i in range(60))
    assert written(page) == "ROMEO:\n" + expected
    assert page.locator("#paper").text_content() == "ROMEO:\n" + expected
    spans = page.locator("#paper span[role=option]")
    assert spans.count() == 67
    shades = [span.get_attribute("data-s") for span in spans.all()[7:14]]
    assert shades == ["0", "0", "1", "2", "3", "4", "0"]  # of PROBABILITIES
    assert spans.nth(8).get_attribute("aria-label") == "h, 61 %"
    assert len(set(shade_colours(page))) == 5
    asked = server.requests[-1]
    assert asked["prompt"] == "ROMEO:\n" and asked["stream"] is True
    assert {name: asked[name] for name in ("model", "max_new_tokens", "temperature")} == {
        "model": "shakespeare",
        "max_new_tokens": 60,
        "temperature": 0.8,
    }
    assert asked["top_k"] is None and asked["top_p"] is None and asked["seed"] is None


def shade_colours(page) -> list[str]:
    return page.locator("#scale li").evaluate_all(
        "items => items.map(item => getComputedStyle(item).backgroundColor)"
    )


def test_the_settings_are_sent_and_remembered(server, visit):
    page = visit()
    slide(page, "Temperature", 1.25)
    slide(page, "Top-k", 4)
    slide(page, "Top-p", 0.9)
    page.get_by_label("Seed").fill("17")
    write(page, 40, "O, ")
    pick(page, "Chinese")
    again = visit(page.context, model="Chinese")
    pick(again, "English")
    assert again.get_by_label("Prompt", exact=True).input_value() == "O, "
    again.get_by_role("button", name="Write", exact=True).click()
    expect(again.locator("#status")).to_contain_text("40 characters")
    for asked in server.requests[-2:]:
        assert (asked["temperature"], asked["top_k"], asked["top_p"]) == (1.25, 5, 0.9)
        assert (asked["seed"], asked["max_new_tokens"], asked["prompt"]) == (17, 40, "O, ")


def test_it_works_without_local_storage(visit, browser):
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('none') } })"
    )
    write(visit(context), 20)
    context.close()


def test_a_character_shows_what_it_beat_and_another_goes_on_from_there(server, visit):
    page = visit()
    write(page, 60, "ROMEO:\n")
    first = written(page)
    page.locator("#c10").click()  # the fourth that was written
    lens = page.get_by_role("complementary")
    expect(lens).to_contain_text("11 %, the third choice")  # 44 %, 22 % and 11 % before rounding
    rows = lens.locator("button.row")
    beaten = token("shakespeare", 3)["alternatives"]
    assert rows.count() == 1 + len(beaten)
    shares = [float(text.split()[0]) for text in lens.locator(".percent").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    page.get_by_role("button", name=re.compile("^e, 4. %: write on with it$")).click()
    expect(page.locator("#status")).to_contain_text("60 characters")
    assert server.requests[-1]["prompt"] == first[:10] + "e"
    assert written(page) == first[:10] + "e" + first[7:67]
    expect(lens).to_contain_text(re.compile("Chosen by you: 4. %, the likeliest"))
    page.get_by_role("button", name="Undo").click()
    assert written(page) == first
    page.get_by_role("button", name="Write on").click()
    expect(page.locator("#status")).to_contain_text("60 characters")
    assert server.requests[-1]["prompt"] == first
    assert len(written(page)) == 7 + 120


def test_the_keyboard_alone_is_enough(server, visit):
    page = visit()
    slide(page, "Length", 60)
    page.get_by_label("Prompt", exact=True).focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status")).to_contain_text("60 characters")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "paper":
            break
    paper = page.get_by_role("listbox")
    expect(paper).to_be_focused()
    expect(paper).to_have_attribute("aria-activedescendant", "c7")  # the first that was written
    for key, active in [("ArrowRight", 8), ("ArrowRight", 9), ("ArrowLeft", 8), ("End", 66)]:
        page.keyboard.press(key)
        expect(paper).to_have_attribute("aria-activedescendant", f"c{active}")
    expect(page.locator("#tip")).to_contain_text("%")
    page.keyboard.press("ArrowUp")  # to the line above: "The quality ..."
    above = int(paper.get_attribute("aria-activedescendant")[1:])
    assert 7 <= above < 66
    page.keyboard.press("Enter")
    expect(page.locator("button.row:focus")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(paper).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("60 characters")
    assert len(server.requests[-1]["prompt"]) == above + 1


@pytest.mark.parametrize("how", ["Escape", "button"])
def test_it_stops_at_any_time_and_the_service_is_told(how, server, visit):
    page = visit()
    server.pause = 0.02
    slide(page, "Length", 1000)
    page.get_by_role("button", name="Write", exact=True).click()
    page.locator("#c12").wait_for()
    if how == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Stop").click()
    expect(page.locator("#status")).to_contain_text("Stopped after")
    assert server.left.wait(5)
    text = written(page)
    assert 12 < len(text) < 900
    page.wait_for_timeout(200)
    assert written(page) == text
    server.pause = 0.0
    page.get_by_role("button", name="Write on").click()
    expect(page.locator("#status")).to_contain_text("1000 characters")
    assert server.requests[-1]["prompt"] == text


def test_a_composition_of_an_input_method_does_not_submit(server, visit):
    page = visit()
    prompt = page.get_by_label("Prompt", exact=True)
    prompt.focus()
    press = """(e, composing) => e.dispatchEvent(new KeyboardEvent("keydown",
        {key: "Enter", ctrlKey: true, isComposing: composing, bubbles: true}))"""
    prompt.evaluate(press, True)
    page.wait_for_timeout(200)
    assert server.requests == []
    prompt.evaluate(press, False)
    expect(page.locator("#status")).to_contain_text("characters in")
    assert len(server.requests) == 1


def test_chinese(server, visit):
    page = visit()
    pick(page, "Chinese")
    assert page.get_by_label("Prompt", exact=True).get_attribute("lang") == "zh-Hans"
    write(page, 20, "床前明月光，\n")
    text = "".join(token("poems", i)["text"] for i in range(20))
    assert written(page) == "床前明月光，\n" + text
    assert server.requests[-1]["model"] == "poems"
    assert page.get_by_role("listbox").get_attribute("lang") == "zh-Hans"
    pick(page, "English")  # each model keeps its own text
    assert written(page) == ""
    pick(page, "Chinese")
    assert written(page) == "床前明月光，\n" + text


def test_attention_of_any_head(server, visit):
    page = visit()
    write(page, 60, "ROMEO:\n")
    page.locator("#c50").click()
    pick(page, "Attention")
    readout = page.locator("#readout")
    text = written(page)
    expect(readout).to_have_text(f"“{text[49]}” looked at itself: 100 %")
    assert server.requests[-1]["text"] == text[:50]
    head = page.get_by_role("combobox", name="Head")
    assert head.locator("option").all_inner_texts() == ["1", "2", "3", "all, averaged"]
    head.select_option("2")
    expect(readout).to_contain_text("1 back: 100 %")
    shaded = page.locator("#paper span:not([data-s='0'])[role=option]")
    assert [s.get_attribute("id") for s in shaded.all()] == ["c48"]
    head.select_option("3")
    expect(shaded).to_have_count(BLOCK)  # 4 % each
    page.get_by_role("combobox", name="Layer").select_option("2")
    expect(readout).to_contain_text("itself: 100 %")  # the third of layer 2 is the first of 1
    head.select_option("all, averaged")
    expect(readout).to_contain_text("35 %")  # (1 + 0 + 1/24) / 3
    colours = page.locator("#map").evaluate(
        """map => { const pen = map.getContext("2d"), n = map.width / 24;
        return [[23, 23], [23, 10], [3, 20]].map(([i, j]) =>
            pen.getImageData((j + .5) * n, (i + .5) * n, 1, 1).data.join()) }"""
    )
    assert len(set(colours)) == 3 and colours[2] == "0,0,0,0"  # the future is empty
    page.locator("#map").hover(position={"x": 5, "y": 150})
    expect(readout).to_contain_text("back:")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("listbox")).to_have_attribute("aria-activedescendant", "c51")
    expect(readout).to_contain_text("35 %")
    assert server.requests[-1]["text"] == text[:51]


def test_a_refusal_names_its_fields_and_leaves_the_text_alone(server, visit):
    page = visit()
    write(page, 40)
    text = written(page)
    server.mode = "invalid"
    page.get_by_role("button", name="Write", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Temperature: Input should be at most 1.")
    expect(alert).to_contain_text("Prompt: the model does not know the character 'é'.")
    for name in ("Temperature", "Prompt"):
        control = page.get_by_label(name, exact=True)
        expect(control).to_have_attribute("aria-invalid", "true")
    assert written(page) == text
    server.mode = "busy"
    page.get_by_role("button", name="Write", exact=True).click()
    expect(alert).to_contain_text("The service is busy. Please try again in 3 s.")
    expect(page.get_by_label("Prompt", exact=True)).not_to_have_attribute("aria-invalid", "true")
    server.mode = ""
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#status")).to_contain_text("40 characters")
    expect(alert).to_have_text("")
    page.get_by_label("Seed").fill("many")
    page.get_by_role("button", name="Write", exact=True).click()
    expect(alert).to_contain_text("Seed: please give a whole number, or nothing.")


def test_a_lost_connection_keeps_what_was_written(server, visit):
    page = visit()
    for mode, words in [("lost", "The connection was lost after 10"), ("broken", "model broke.")]:
        server.mode = mode
        slide(page, "Length", 40)
        page.get_by_role("button", name="Write", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text(words)
        assert len(written(page)) == 7 + 10
        server.mode = ""
        page.get_by_role("button", name="Try again").click()  # goes on from there
        expect(page.locator("#status")).to_contain_text("40 characters")
        assert len(written(page)) == 7 + 10 + 40
    page.route("**/generate", lambda route: route.abort())
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("No connection to the service.")


@pytest.mark.parametrize("width, height", [(320, 640), (390, 844), (820, 1180), (1440, 900)])
def test_it_fits_and_can_be_touched(width, height, browser, visit):
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=True, is_mobile=width < 800
    )
    page = visit(context)
    if page.locator("summary").is_visible():
        page.locator("summary").click()
    for _ in range(2):  # with the lens closed, then open
        widest = page.evaluate(
            """Math.max(...[...document.querySelectorAll("body *")]
            .filter(e => e.checkVisibility() && !e.closest(".unseen, #context"))
            .map(e => e.getBoundingClientRect().right))"""
        )
        assert widest <= width, "something reaches out of the window"
        small = page.locator(
            "a:visible, button:visible, select:visible, textarea:visible, input:visible"
        )
        for control in small.all():
            box = control.bounding_box()
            if control.get_attribute("type") != "radio":  # the label is what is touched
                assert box["height"] >= 40 and box["width"] >= 40, control.evaluate("e => e.id")
        if page.locator("#c20").count() == 0:
            slide(page, "Length", 400)
            page.get_by_role("button", name="Write", exact=True).click()
            expect(page.locator("#status")).to_contain_text("400 characters")
            page.locator("#c20").click()
    context.close()


def test_a_thousand_characters_stream_smoothly_and_nothing_jumps(server, visit):
    page = visit()
    server.pause = 0.001
    slide(page, "Length", 1000)
    page.evaluate(
        """() => {
            window.jumps = [], window.frames = [];
            new PerformanceObserver(list => list.getEntries().forEach(entry => {
                for (const { node } of entry.sources)
                    if (!node?.closest?.("#paper")) jumps.push(node?.outerHTML ?? "text");
            })).observe({type: "layout-shift", buffered: true});
            let last = performance.now();
            const tick = now => {
                frames.push(now - last);
                last = now;
                requestAnimationFrame(tick);
            };
            requestAnimationFrame(tick);
        }"""
    )
    write(page, 1000)
    frames = sorted(page.evaluate("frames"))
    jumps = page.evaluate("jumps")
    assert jumps == []
    assert frames[len(frames) // 2] < 100, "half of the frames took longer than 100 ms"
    bottom = "e => e.getBoundingClientRect().bottom"
    caret, paper = page.locator("#caret").evaluate(bottom), page.locator("#paper").evaluate(bottom)
    assert caret <= paper, "the paper did not follow the text"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_contrast_is_enough_to_read(scheme, visit):
    page = visit(color_scheme=scheme)
    write(page, 60)
    page.locator("#c12").click()
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 60
    for contrast, words in contrasts:
        assert contrast >= 4.5, words


@pytest.fixture(scope="module")
def service():
    """The real service, with the models that come with minigrad."""
    pytest.importorskip("fastapi", reason="FastAPI is not installed")
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "minigrad.serve", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        for _ in range(240):
            try:
                ask(f"http://127.0.0.1:{port}/health")
                break
            except OSError:
                assert process.poll() is None, "the service stopped"
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(timeout=30)


def ask(url: str, body: dict | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode("utf-8")
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


@pytest.mark.parametrize(
    "model, name, prompt", [("shakespeare", "English", "ROMEO:\n"), ("poems", "Chinese", "春")]
)
def test_with_the_real_service(model, name, prompt, service, browser):
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.set_default_timeout(30_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(service)
    pick(page, name)
    page.get_by_label("Prompt", exact=True).fill(prompt)
    page.get_by_label("Seed").fill("7")
    slide(page, "Length", 40)
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.locator("#status")).to_contain_text("40 characters", timeout=30_000)
    options = {"prompt": prompt, "max_new_tokens": 40, "temperature": 0.8, "seed": 7}
    answer = ask(f"{service}generate", {**options, "model": model, "alternatives": 8})
    assert written(page) == prompt + answer["text"]

    page.locator(f"#c{len(prompt) + 9}").click()
    alternative = answer["tokens"][9]["alternatives"][0]["text"]
    page.get_by_role("complementary").locator("button.row:enabled").first.click()
    expect(page.locator("#status")).to_contain_text("40 characters", timeout=30_000)
    assert written(page).startswith(prompt + answer["text"][:9] + alternative)

    pick(page, "Attention")
    expect(page.locator("#readout")).to_contain_text("looked at", timeout=30_000)
    assert page.locator("#looked li").count() == 5

    slide(page, "Length", 1000)
    page.get_by_label("Prompt", exact=True).fill("ÿ")  # neither of the models knows it
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Prompt: ")
    expect(page.get_by_label("Prompt", exact=True)).to_have_attribute("aria-invalid", "true")

    page.get_by_label("Prompt", exact=True).fill(prompt)
    page.get_by_role("button", name="Write", exact=True).click()
    page.locator(f"#c{len(prompt) + 20}").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#status")).to_contain_text("Stopped after")
    page.wait_for_timeout(1000)
    assert ask(f"{service}health")["running"] == 0  # its place is free again
    page.close()
    assert errors == []


# For each element with text of its own: its contrast with what is behind it (WCAG 2.2).
CONTRASTS = """() => {
    const numbers = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = e => {
        const colour = numbers(getComputedStyle(e).backgroundColor);
        return colour[3] === 0 && e.parentElement ? behind(e.parentElement) : colour;
    };
    return [...document.querySelectorAll("body *")].filter(e => e.checkVisibility()
        && !e.disabled && !e.closest("option, .unseen, noscript, script, button:disabled:not(.row)")
        && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => {
            const [a, b] = [numbers(getComputedStyle(e).color), behind(e)].map(light);
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
                `${e.tagName} ${e.id} ${e.className}: ${e.textContent.slice(0, 40)}`];
        });
}"""
