"""The playground in a real browser, with the real service and the models that come with it."""

import json
import re

import pytest

from conftest import BROWSER

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
from serving import (  # noqa: E402
    Service,
    byte_pairs,
    gated_service,
    reciting_model,
    served_model,
    wait_until,
)

from minigrad.serve.__main__ import load_models, shipped_models  # noqa: E402

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine"),
    pytest.mark.timeout(300),
    pytest.mark.slow,
]
expect = playwright.expect if BROWSER else None
ASCII = "".join(map(chr, [10, *range(32, 127)]))


@pytest.fixture(scope="module")
def service():
    with Service(*load_models(shipped_models())) as running:
        yield running


@pytest.fixture
def visit(service, browser):
    """Opens the page; at the end nothing but the service was asked, no script had failed, and the
    policy had nothing to forbid. `visit.requests` are the bodies that the page sent."""
    contexts, errors, asked = [], [], []

    def open_page(context=None, model="English", service=service, **options):
        if context is None:
            context = browser.new_context(viewport={"width": 1300, "height": 900}, **options)
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: "Policy" in message.text and errors.append(message.text))
        page.on("request", lambda request: keep(request, service))
        page.goto(address(service))
        expect(page.get_by_role("radio", name=model)).to_be_checked()
        return page

    def keep(request, service):
        if not request.url.startswith((address(service), "data:")):
            asked.append(request.url)
        if request.method == "POST":
            open_page.requests.append(request.post_data_json)

    open_page.requests = []
    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
    assert asked == []


def address(service) -> str:
    return f"http://127.0.0.1:{service.port}/"


def plain(service, asked: dict) -> dict:
    """The service's plain answer to what the page asked for as a stream."""
    assert asked["stream"] is True and asked["seed"] is not None
    status, answer = service.ask("/generate", {**asked, "stream": False})
    assert status == 200
    return answer


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


def write(
    page, length: int = 60, prompt: str | None = None, seed: str = "7", unit: str = "character"
) -> None:
    slide(page, "Length", length)
    page.get_by_label("Seed").fill(seed)
    if prompt is not None:
        page.get_by_label("Prompt", exact=True).fill(prompt)
    page.get_by_role("button", name="Write", exact=True).click()
    is_written(page, length, unit)


def is_written(page, length: int, unit: str = "character") -> None:
    words = re.compile(rf"^{length} {unit}s in \d+\.\d s, \d+ a second$")
    expect(page.locator("#status")).to_have_text(words, timeout=60_000)


def percent(p: float) -> str:
    """As the page writes it."""
    if p < 0.00095:
        return "< 0.1 %"
    return f"{int(100 * p + 0.5)} %" if p >= 0.0995 else f"{float(f'{100 * p:.2g}'):g} %"


def test_a_prompt_is_continued_and_each_character_is_shaded(service, visit):
    page = visit()
    write(page, 60, "ROMEO:\n")
    asked = visit.requests[-1]
    assert asked == {
        "model": "shakespeare",
        "prompt": "ROMEO:\n",
        "max_new_tokens": 60,
        "temperature": 0.8,
        "top_k": None,
        "top_p": None,
        "seed": 7,
        "alternatives": 8,
        "stream": True,
    }
    answer = plain(service, asked)
    assert written(page) == "ROMEO:\n" + answer["text"]
    assert page.locator("#paper").text_content() == "ROMEO:\n" + answer["text"]
    spans = page.locator("#paper span[role=option]")
    assert spans.count() == 67
    probabilities = [token["probability"] for token in answer["tokens"]]
    shades = [str(sum(p < bound for bound in (0.5, 0.2, 0.05, 0.01))) for p in probabilities]
    found = spans.evaluate_all("spans => spans.slice(7).map(span => span.dataset.s)")
    assert found == shades and len(set(shades)) >= 3
    likely = next(i for i, p in enumerate(probabilities) if p > 0.1 and answer["text"][i].isalpha())
    label = f"{answer['text'][likely]}, {percent(probabilities[likely])}"
    assert spans.nth(7 + likely).get_attribute("aria-label") == label
    assert len(set(shade_colours(page))) == 5


def shade_colours(page) -> list[str]:
    return page.locator("#scale li").evaluate_all(
        "items => items.map(item => getComputedStyle(item).backgroundColor)"
    )


def test_without_a_seed_each_text_is_another_and_its_seed_can_be_used_again(visit):
    page = visit()
    texts = []
    for _ in range(2):
        write(page, 40, seed="")
        texts.append(written(page))
    assert visit.requests[-1]["seed"] is None and texts[0] != texts[1]
    page.get_by_role("button", name="use again").click()
    page.get_by_role("button", name="Write", exact=True).click()
    is_written(page, 40)
    assert written(page) == texts[1]


def test_the_settings_are_sent_and_remembered(visit):
    page = visit()
    slide(page, "Temperature", 1.25)
    slide(page, "Top-k", 4)
    slide(page, "Top-p", 0.9)
    write(page, 40, "O, ", seed="17")
    pick(page, "Chinese")
    again = visit(page.context, model="Chinese")
    pick(again, "English")
    assert again.get_by_label("Prompt", exact=True).input_value() == "O, "
    again.get_by_role("button", name="Write", exact=True).click()
    is_written(again, 40)
    assert len(visit.requests) == 2 and visit.requests[0] == visit.requests[1]
    asked = visit.requests[-1]
    assert (asked["temperature"], asked["top_k"], asked["top_p"]) == (1.25, 5, 0.9)
    assert (asked["seed"], asked["max_new_tokens"], asked["prompt"]) == (17, 40, "O, ")


def test_it_works_without_local_storage(visit, browser):
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('none') } })"
    )
    write(visit(context), 20)
    context.close()


def test_a_character_shows_what_it_beat_and_another_goes_on_from_there(service, visit):
    page = visit()
    write(page, 60, "ROMEO:\n")
    first, tokens = written(page), plain(service, visit.requests[-1])["tokens"]
    place = next(i for i, token in enumerate(tokens) if i > 2 and token["probability"] < 0.4)
    page.locator(f"#c{7 + place}").click()
    lens = page.get_by_role("complementary")
    drawn, beaten = tokens[place]["probability"], tokens[place]["alternatives"]
    better = sum(other["probability"] > drawn for other in beaten)
    ranks = ["the likeliest", "the second choice", "the third choice"]
    rank = ranks[better] if better < 3 else f"choice number {better + 1}"
    expect(lens).to_contain_text(f"Drawn: {percent(drawn)}, {rank}." if better < 8 else "a far")
    rows = lens.locator("button.row")
    assert rows.count() == 1 + len(beaten)
    shares = [float(text.split()[-2]) for text in lens.locator(".percent").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    chosen = lens.locator("button.row:enabled").first
    other = max(beaten, key=lambda other: other["probability"])
    letter = other["text"]
    assert chosen.get_attribute("data-id") == str(other["id"])
    chosen.click()
    is_written(page, 60)
    encode = service.models["shakespeare"].tokenizer.encode
    assert visit.requests[-1]["prompt"] == encode(first[: 7 + place] + letter)
    assert written(page) == first[: 7 + place] + letter + plain(service, visit.requests[-1])["text"]
    expect(lens).to_contain_text("Chosen by you: ")
    page.get_by_role("button", name="Undo").click()
    assert written(page) == first
    page.get_by_role("button", name="Write on").click()
    is_written(page, 60)
    assert visit.requests[-1]["prompt"] == encode(first)
    assert len(written(page)) == 7 + 120


def test_the_keyboard_alone_is_enough(visit):
    page = visit()
    slide(page, "Length", 60)
    page.get_by_label("Prompt", exact=True).focus()
    page.keyboard.press("Control+Enter")
    is_written(page, 60)
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
    page.keyboard.press("ArrowUp")  # to the line above
    above = int(paper.get_attribute("aria-activedescendant")[1:])
    assert 0 < above < 66
    page.keyboard.press("Home")
    for _ in range(12):  # a character that was written
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("button.row:focus")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(paper).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    is_written(page, 60)
    assert len(visit.requests) == 2 and len(visit.requests[-1]["prompt"]) == 13


@pytest.fixture
def gated():
    """A service whose model writes as many characters as a test lets it."""
    with gated_service(served_model("shakespeare", gated=True, characters=ASCII)) as running:
        yield running


@pytest.mark.parametrize("how", ["Escape", "button"])
def test_it_stops_at_any_time_and_the_service_is_told(how, gated, visit):
    page = visit(service=gated)
    slide(page, "Length", 200)
    page.get_by_role("button", name="Write", exact=True).click()
    gated.model.gate.release(12)
    page.locator("#c18").wait_for()  # the twelfth after the seven of the prompt
    if how == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Stop").click()
    expect(page.locator("#status")).to_have_text("Stopped after 12 characters")
    wait_until(lambda: gated.busy() == (0, 0))
    text = written(page)
    assert len(text) == 7 + 12
    gated.model.gate.release(100_000)
    page.get_by_role("button", name="Write on").click()
    is_written(page, 200)
    assert visit.requests[-1]["prompt"] == gated.models["shakespeare"].tokenizer.encode(text)
    assert gated.model.computed == 12 + 1 + 200  # the one that was in the making


def test_a_composition_of_an_input_method_does_not_submit(visit):
    page = visit()
    slide(page, "Length", 20)
    prompt = page.get_by_label("Prompt", exact=True)
    prompt.focus()
    press = """(e, composing) => e.dispatchEvent(new KeyboardEvent("keydown",
        {key: "Enter", ctrlKey: true, isComposing: composing, bubbles: true}))"""
    prompt.evaluate(press, True)
    expect(page.locator("#status")).to_have_text("")
    prompt.evaluate(press, False)
    is_written(page, 20)
    assert len(visit.requests) == 1


def test_chinese(service, visit):
    page = visit()
    pick(page, "Chinese")
    assert page.get_by_label("Prompt", exact=True).get_attribute("lang") == "zh-Hans"
    write(page, 20, "床前明月光，\n")
    asked = visit.requests[-1]
    text = "床前明月光，\n" + plain(service, asked)["text"]
    assert asked["model"] == "poems" and written(page) == text
    assert page.get_by_role("listbox").get_attribute("lang") == "zh-Hans"
    pick(page, "English")  # each model keeps its own text
    assert written(page) == ""
    pick(page, "Chinese")
    assert written(page) == text


def test_attention_of_any_head(service, visit):
    page = visit()
    write(page, 60, "ROMEO:\n")
    text = written(page)
    page.locator("#c50").click()
    pick(page, "Attention")
    readout = page.locator("#readout")
    expect(readout).to_contain_text("looked at")
    encode = service.models["shakespeare"].tokenizer.encode
    assert visit.requests[-1] == {"model": "shakespeare", "text": encode(text[:50])}
    _, answer = service.ask("/attention", visit.requests[-1])
    heads = [str(i + 1) for i in range(answer["heads"])]
    menu = page.get_by_role("combobox", name="Head")
    assert menu.locator("option").all_inner_texts() == [*heads, "all, averaged"]
    shaded = page.locator("#paper span:not([data-s='0'])[role=option]")
    for layer, head in ((0, 0), (0, 1), (answer["layers"] - 1, 0)):
        page.get_by_role("combobox", name="Layer").select_option(str(layer + 1))
        menu.select_option(str(head + 1))
        row = answer["weights"][layer][head][-1]
        expect(readout).to_contain_text(f": {percent(max(row))}")
        assert shaded.count() == sum(weight >= 0.02 for weight in row)
    menu.select_option("all, averaged")
    rows = [weights[-1] for weights in answer["weights"][-1]]
    mean = [sum(column) / len(rows) for column in zip(*rows)]
    expect(readout).to_contain_text(f": {percent(max(mean))}")
    assert page.locator("#looked li").count() == 5
    page.locator("#map").hover(position={"x": 5, "y": 150})
    expect(readout).to_contain_text("back:")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("listbox")).to_have_attribute("aria-activedescendant", "c51")
    expect(page.locator("#map")).to_have_attribute("aria-label", "Attention of 51 characters")
    assert visit.requests[-1]["text"] == encode(text[:51])


def test_the_map_is_empty_where_the_future_is_and_darker_where_a_head_looked(service, visit):
    page = visit()
    write(page, 20, "ROMEO:\n")
    page.locator("#c20").click()
    pick(page, "Attention")
    expect(page.locator("#map")).to_have_attribute("aria-label", "Attention of 20 characters")
    _, answer = service.ask("/attention", visit.requests[-1])
    last = answer["weights"][0][0][-1]
    most, least = last.index(max(last)), last.index(min(last))
    colours = page.locator("#map").evaluate(
        """(map, cells) => { const pen = map.getContext("2d"), n = map.width / 20;
        return cells.map(([i, j]) =>
            [...pen.getImageData((j + .5) * n, (i + .5) * n, 1, 1).data]) }""",
        [[19, most], [19, least], [3, 15]],
    )
    assert colours[0][0] < colours[1][0] and colours[2] == [0, 0, 0, 0]


def test_a_refusal_names_its_field_and_leaves_the_text_alone(service, visit, monkeypatch):
    page = visit()
    write(page, 40)
    text, prompt = written(page), page.get_by_label("Prompt", exact=True)
    prompt.fill("caf\u00e9")
    page.get_by_role("button", name="Write", exact=True).click()
    alert = page.get_by_role("alert")
    _, answer = service.ask("/generate", {"prompt": "caf\u00e9"})
    message = answer["error"]["message"].removeprefix("prompt: ")
    expect(alert).to_contain_text(f"Prompt: {message}")
    expect(prompt).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    assert written(page) == text
    prompt.fill("O, ")
    with monkeypatch.context() as crowded:
        crowded.setattr(service.desk, "capacity", {"max_running": 0, "max_waiting": 0})
        page.get_by_role("button", name="Write", exact=True).click()
        expect(alert).to_contain_text("The service is busy. Please try again in 1 s.")
    expect(prompt).not_to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Try again").click()
    is_written(page, 40)
    expect(alert).to_have_text("")
    page.get_by_label("Seed").fill("many")
    page.get_by_role("button", name="Write", exact=True).click()
    expect(alert).to_contain_text("Seed: please give a whole number, or nothing.")


def test_a_service_that_fails_or_is_gone_is_told_apart(visit):
    page = visit()
    slide(page, "Length", 40)
    alert = page.get_by_role("alert")
    page.route("**/generate", lambda route: route.abort())
    page.get_by_role("button", name="Write", exact=True).click()
    expect(alert).to_contain_text("No connection to the service.")
    page.unroute("**/generate")
    proxy = {"status": 502, "content_type": "text/html", "body": "<h1>Bad Gateway</h1>"}
    page.route("**/generate", lambda route: route.fulfill(**proxy))
    page.get_by_role("button", name="Try again").click()
    expect(alert).to_contain_text("The service failed (502).")
    page.unroute("**/generate")
    page.get_by_role("button", name="Try again").click()
    is_written(page, 40)


def test_a_lost_connection_keeps_what_was_written(service, visit):
    page = visit()
    slide(page, "Length", 40)
    body = {"prompt": "ROMEO:\n", "max_new_tokens": 40, "alternatives": 8, "stream": True}
    response = service.begin("/generate", body).getresponse()
    blocks = response.read().split(b"\n\n")
    lost = b"\n\n".join([*blocks[:11], blocks[11][:20]])  # what the service sent, cut off
    kind = response.headers["Content-Type"]
    cut = {"status": 200, "content_type": kind, "body": lost}
    page.route("**/generate", lambda route: route.fulfill(**cut), times=1)
    page.get_by_role("button", name="Write", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The connection was lost after 10 characters.")
    assert len(written(page)) == 7 + 10
    page.get_by_role("button", name="Try again").click()  # goes on from there
    is_written(page, 40)
    assert len(written(page)) == 7 + 10 + 40


def test_an_error_in_the_middle_keeps_what_was_written(service, visit, monkeypatch):
    page, model, calls = visit(), service.models["shakespeare"].model, []
    slide(page, "Length", 40)
    read = model.read

    def break_soon(texts):
        calls.append(texts)
        if len(calls) > 10:
            raise FloatingPointError("broken")
        return read(texts)

    with monkeypatch.context() as broken:
        broken.setattr(model, "read", break_soon)
        page.get_by_role("button", name="Write", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("Writing failed.")
    assert len(written(page)) == 7 + 10
    page.get_by_role("button", name="Try again").click()
    is_written(page, 40)
    assert len(written(page)) == 7 + 10 + 40


def test_events_may_come_in_pieces_cut_anywhere(service, visit):
    body = {"prompt": "春", "model": "poems", "max_new_tokens": 9, "seed": 1, "stream": True}
    raw = service.begin("/generate", body).getresponse().read()
    assert raw.isascii()
    found = visit().evaluate(
        """async (raw) => {
            const { events } = await import("/page/service.js"), found = [];
            const chunks = new ReadableStream({ start(control) {
                const bytes = new TextEncoder().encode(raw);
                for (let i = 0; i < bytes.length; i += 17)
                    control.enqueue(bytes.slice(i, i + 17));
                control.close();
            } });
            for await (const event of events(new Response(chunks))) found.push(event);
            return found;
        }""",
        raw.decode("ascii"),
    )
    lines = raw.decode("ascii").split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    assert found == [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]


def test_the_policy_forbids_what_the_pages_do_not_need(service, browser):
    page, refused = browser.new_page(), []
    page.on("console", lambda message: refused.append(message.text))
    for name in ("", "docs"):
        page.goto(address(service) + name)
        expect(page.locator("h1")).to_be_visible()
        assert refused == []
        ran = page.evaluate(
            """() => {
                const make = (tag, text) => Object.assign(document.createElement(tag), text);
                document.body.append(make("script", { textContent: "window.ran = 1" }));
                document.body.append(make("style", { textContent: "h1 { color: rgb(1, 2, 3) }" }));
                document.body.insertAdjacentHTML("beforeend", "<p style='color: red' id='p'>p");
                return [window.ran ?? null, getComputedStyle(document.querySelector("h1")).color,
                    getComputedStyle(p).color];
            }"""
        )
        assert ran[0] is None and ran[1] != "rgb(1, 2, 3)" and ran[2] != "rgb(255, 0, 0)"
        assert len(refused) >= 3 and all("Content Security Policy" in text for text in refused)
        refused.clear()
    width = page.locator("body").evaluate("e => getComputedStyle(e).maxWidth")
    assert width == "800px", "the style of /docs"
    page.close()


ODD = ["constructor", "__proto__", 'it\'s <b>"x"</b>', "a/b c", "静夜"]


def test_models_may_have_any_names(visit):
    with Service(*(served_model(name, characters=ASCII) for name in ODD)) as service:
        page = visit(service=service, model=ODD[0])
        texts = {}
        for name in ODD:
            pick(page, name)
            write(page, 20, prompt=f"of {len(name)}:")
            assert visit.requests[-1]["model"] == name
            texts[name] = written(page)
        again = visit(page.context, service=service, model=ODD[-1])
        for name in ODD:
            pick(again, name)
            prompt = again.get_by_label("Prompt", exact=True)
            assert prompt.input_value() == f"of {len(name)}:"
            pick(page, name)
            assert written(page) == texts[name]
            expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_character_may_be_any(visit):
    characters = '\0\x01\t\r\n\x1b\x85\u2028\u0301<&"\\😀' + ASCII[-26:]
    with Service(served_model("odd", characters=characters)) as service:
        page = visit(service=service, model="odd")
        page.get_by_label("Prompt", exact=True).fill("😀<")
        slide(page, "Temperature", 2)
        write(page, 200)
        assert written(page) == "😀<" + plain(service, visit.requests[-1])["text"]
        assert page.locator("#paper span[role=option]").count() == 202


# Tokens that are no characters


@pytest.fixture(scope="module")
def pairs():
    with Service(served_model("pairs", tokenizer=byte_pairs())) as running:
        yield running


GIVEN = "the cat\n\n on 静"


def test_a_text_is_shown_in_the_tokens_that_the_model_reads_and_writes(pairs, visit):
    page, tokenizer = visit(service=pairs, model="pairs"), byte_pairs()
    for words in ("One token", "for this token", "200 tokens", "The less a token was expected"):
        assert page.get_by_text(words).count() == 1
    write(page, 200, GIVEN, unit="token")
    answer = plain(pairs, visit.requests[-1])
    text = GIVEN + answer["text"]
    assert written(page) == page.locator("#paper").text_content() == text
    paper = page.get_by_role("listbox", name="The text, token by token: arrow keys move")
    spans = paper.locator("span[role=option]")
    tokens = answer["prompt_tokens"] + answer["tokens"]
    assert spans.count() == len(tokenizer.encode(GIVEN)) + 200 == len(tokens)
    labels = spans.evaluate_all("spans => spans.map(span => span.ariaLabel)")
    names = ["the", " cat", "\n\n", " on", " ", *"静".encode()]
    assert names[:5] == [token["name"] for token in tokens[:5]] and len(tokens) == 208
    spoken = ["the", "space cat", "line break line break", "space on", "space"]
    spoken += ["bytes e9", "bytes 9d", "静"]
    assert labels[:8] == [f"{words}, given" for words in spoken]
    shown = "spans => spans.map(span => getComputedStyle(span, '::before').content)"
    for token, before in zip(tokens, spans.evaluate_all(shown)):
        assert (before == "none") == (token["text"] != "")
        assert token["text"] or re.fullmatch(
            '"\u2039[0-9a-f]{2}(\u202f[0-9a-f]{2})*\u203a"', before
        )


def test_branches_and_writing_on_go_on_from_the_very_tokens(pairs, visit):
    page, tokenizer = visit(service=pairs, model="pairs"), byte_pairs()
    write(page, 40, "the cat 静", unit="token")
    answer = plain(pairs, visit.requests[-1])
    given, tokens = answer["prompt_tokens"], answer["tokens"]
    place, half = next(  # where half a character could have come
        (place, other)
        for place, token in enumerate(tokens)
        for other in token["alternatives"]
        if place > 3 and other["text"] == "\ufffd" and other["name"].startswith("bytes:")
    )
    page.locator(f"#c{len(given) + place}").click()
    page.locator(f"button.row[data-id='{half['id']}']").click()
    is_written(page, 40, "token")
    kept = [token["id"] for token in given + tokens[:place]] + [half["id"]]
    assert visit.requests[-1]["prompt"] == kept
    for _ in range(2):
        new = plain(pairs, visit.requests[-1])["tokens"]
        kept += [token["id"] for token in new]
        assert written(page) == page.locator("#paper").text_content() == tokenizer.decode(kept)
        page.get_by_role("button", name="Write on", exact=True).click()
        is_written(page, 40, "token")
        assert visit.requests[-1]["prompt"] == kept
    page.get_by_role("button", name="Undo").click()
    assert written(page) == tokenizer.decode(kept)


def test_it_may_stop_within_a_character_and_write_on(visit):
    text = "the 静夜"
    served = reciting_model(text, gated=True)
    with gated_service(served) as service:
        page = visit(service=service, model="reciting")
        page.get_by_label("Prompt", exact=True).fill("a")
        page.get_by_role("button", name="Write", exact=True).click()
        n = len(byte_pairs().encode(text)) - 1
        served.model.gate.release(n)
        page.locator(f"#c{n}").wait_for()
        page.keyboard.press("Escape")
        expect(page.locator("#status")).to_have_text(f"Stopped after {n} tokens")
        assert written(page) == "athe 静"
        wait_until(lambda: service.busy() == (0, 0))
        served.model.script = iter(byte_pairs().encode("夜")[-1:] * 99)
        served.model.gate.release(100_000)
        slide(page, "Length", 20)
        page.get_by_role("button", name="Write on").click()
        is_written(page, 20, "token")
        assert written(page) == "athe 静夜" + "\ufffd" * 19


def test_attention_looks_at_tokens(pairs, visit):
    page = visit(service=pairs, model="pairs")
    write(page, 20, GIVEN, unit="token")
    ids = [token["id"] for token in plain(pairs, visit.requests[-1])["prompt_tokens"]]
    page.locator("#c7").click()
    pick(page, "Attention")
    expect(page.locator("#readout")).to_contain_text("looked at")
    assert visit.requests[-1] == {"model": "pairs", "text": ids[:7]}
    expect(page.locator("#map")).to_have_attribute("aria-label", "Attention of 7 tokens")
    words = page.locator("#looked .glyph").all_inner_texts()
    shown = [
        "the",
        "\u2423cat",
        "\u21b5\u21b5",
        "\u2423on",
        "\u2423",
        "\u2039e9\u203a",
        "\u20399d\u203a",
    ]
    assert len(words) == 5 and set(words) <= set(shown)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1300])
def test_tokens_can_be_read_and_reached(scheme, width, pairs, browser):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {"color_scheme": scheme, "bypass_csp": True}
    page = browser.new_page(viewport={"width": width, "height": 844}, **options)
    page.goto(address(pairs))
    page.locator("#settings").evaluate("settings => settings.open = true")
    write(page, 60, GIVEN, unit="token")
    page.locator("#c20").click()
    for view in ("Alternatives", "Attention"):
        pick(page, view)
        found = axe.run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert all(contrast >= 4.5 for contrast, _ in page.evaluate(CONTRASTS))
        widest = "Math.max(...[...document.querySelectorAll('#paper *, #lens *')]" + (
            ".filter(e => !e.closest('#context')).map(e => e.getBoundingClientRect().right))"
        )
        assert page.evaluate(widest) <= width
    page.close()


@pytest.mark.parametrize("stored", ["null", "5", '"x"', "[]", '{"prompts": {"a": 1}}', "{"])
def test_what_is_stored_may_be_anything(stored, visit, browser):
    context = browser.new_context()
    context.add_init_script(f"localStorage.setItem('minigrad', {json.dumps(stored)})")
    write(visit(context), 20)
    context.close()


def test_the_page_asks_for_the_key_of_the_service(visit):
    with Service(served_model("letters", characters=ASCII), key="sesame") as service:
        page = visit(service=service, model="letters")
        page.get_by_label("Prompt", exact=True).fill("a")
        page.get_by_role("button", name="Write", exact=True).click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("This service wants to know a key.")
        page.get_by_label("Key", exact=True).fill("semolina")
        page.get_by_role("button", name="Use it").click()
        expect(alert).to_contain_text("This is not the key of the service.")
        page.get_by_label("Key", exact=True).fill("sesame")
        page.get_by_label("Key", exact=True).press("Enter")
        is_written(page, 200)
        page.locator("#c20").click()
        pick(page, "Attention")
        expect(page.locator("#readout")).to_contain_text("looked at")
        page.reload()  # it is kept until the page is closed
        write(page, 20, "b")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
def test_axe_finds_nothing(scheme, width, service, browser):
    """In whatever state the pages are."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {"color_scheme": scheme, "bypass_csp": True}  # axe comes as a script
    page = browser.new_page(viewport={"width": width, "height": 844}, **options)

    def look():
        found = axe.run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []

    page.goto(address(service) + "docs")
    look()
    page.goto(address(service))
    expect(page.get_by_role("radio", name="English")).to_be_checked()
    look()
    page.locator("#settings").evaluate("settings => settings.open = true")
    write(page, 40)
    look()
    page.locator("#c20").click()
    look()
    pick(page, "Attention")
    expect(page.locator("#readout")).to_contain_text("looked at")
    look()
    page.get_by_label("Prompt", exact=True).fill("é")
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("unknown character")
    look()
    page.close()


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
            write(page, 200)
            page.locator("#c20").click()
    context.close()


@pytest.fixture
def quick():
    """A service whose model writes faster than the page can draw."""
    with Service(served_model("shakespeare", characters=ASCII)) as running:
        yield running


def test_a_thousand_characters_stream_smoothly_and_nothing_jumps(quick, visit):
    page = visit(service=quick)
    slide(page, "Length", 1000)
    page.evaluate(
        """() => {
            window.jumps = [], window.frames = [];
            new PerformanceObserver(list => list.getEntries().forEach(entry => {
                for (const { node } of entry.sources) {
                    const element = node?.closest ? node : node?.parentElement; // of a text
                    if (!element?.closest("#paper")) jumps.push(element?.outerHTML ?? "gone");
                }
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
