"""The playground in a real browser, with the real service and the models that come with it."""

import json
import re
from importlib.resources import files

import pytest

from conftest import BROWSER

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
from serving import (  # noqa: E402
    Service,
    answering_model,
    byte_pairs,
    gated_service,
    reciting_model,
    served_model,
    turn_pairs,
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
    one_more = gated.model.computed - 12 - 200  # begun before the service heard of the end
    assert one_more in (0, 1)


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


def axe_finds_nothing(axe, page) -> None:
    """No hindrance on the page as it is now, for those who cannot see it well."""
    found = axe.run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


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
        axe_finds_nothing(axe, page)
        assert all(contrast >= 4.5 for contrast, _ in page.evaluate(CONTRASTS))
        widest = "Math.max(...[...document.querySelectorAll('#paper *, #lens *')]" + (
            ".filter(e => !e.closest('#context')).map(e => e.getBoundingClientRect().right))"
        )
        assert page.evaluate(widest) <= width
    page.close()


# Conversations

TURNS = turn_pairs()


def chatting_model(name: str = "talker", gated: bool = False, block_size: int = 512):
    """Answers by any bytes: its text read again would have other tokens."""
    return served_model(name, gated=gated, tokenizer=TURNS, block_size=block_size)


@pytest.fixture(scope="module")
def talkers():
    letters = served_model("letters", characters=ASCII)
    short = answering_model("yes, \u9759!", "short", block_size=64)
    with Service(chatting_model(), answering_model("yes, \u9759!"), letters, short) as running:
        yield running


@pytest.fixture
def talk(talkers, visit):
    """Opens the conversation view."""

    def open_view(name="talker", context=None, service=talkers, length=20, **options):
        page = visit(context, model="talker", service=service, **options)
        pick(page, name)
        pick(page, "Conversation")
        slide(page, "Length", length)
        page.get_by_label("Seed").fill("7")
        return page

    return open_view


def message(page):
    return page.get_by_label("Message", exact=True)


def say(page, text: str) -> None:
    message(page).fill(text)
    message(page).press("Enter")
    is_answered(page)


def is_answered(page) -> None:
    expect(page.locator("body:not(.running)")).to_have_count(1, timeout=60_000)
    expect(page.locator("#status")).to_have_text(re.compile(r"^\d+ tokens in "))


def turns(page) -> list[str]:
    """What was said, but by the system."""
    return page.locator(".turn:not(.system) .box").all_text_contents()


def press(page, name: str, place: int = -1) -> None:
    """One of the buttons below a turn; of several the last."""
    found = page.get_by_role("button", name=name, exact=True)
    found.nth(place if place >= 0 else found.count() + place).click()


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def test_a_question_is_answered_and_each_token_is_shaded(talkers, visit, talk):
    page = talk()
    say(page, "hi")
    asked = visit.requests[-1]
    assert asked == {
        "model": "talker",
        "messages": [user("hi")],
        "max_new_tokens": 20,
        "temperature": 0.8,
        "top_k": None,
        "top_p": None,
        "seed": 7,
        "alternatives": 8,
        "stream": True,
    }
    answer = plain(talkers, asked)
    assert turns(page) == ["hi", answer["text"]]
    probabilities = [token["probability"] for token in answer["tokens"]]
    shades = [str(sum(p < bound for bound in (0.5, 0.2, 0.05, 0.01))) for p in probabilities]
    chips = page.locator(".assistant [role=option]")
    assert chips.evaluate_all("chips => chips.map(chip => chip.dataset.s)") == shades
    names = "chips => chips.map(chip => chip.ariaLabel.split(', ').at(-1))"
    assert chips.evaluate_all(names) == [percent(p) for p in probabilities]
    assert page.locator(".user [role=option]").evaluate_all(names) == ["given", "given"]
    expect(message(page)).to_have_value("")
    expect(message(page)).to_be_focused()
    heard = page.get_by_role("log").locator("p")
    assert heard.all_text_contents() == ["You: hi", f"Answer: {answer['text']}"]


def test_the_next_question_follows_the_very_tokens_that_were_written(talkers, visit, talk):
    page, end = talk(), [TURNS.special["<|im_end|>"], *TURNS.encode("\n")]
    say(page, "hi")
    first = plain(talkers, visit.requests[-1])
    say(page, "no?")
    assert [m["content"] for m in visit.requests[-2]["messages"]] == ["hi", first["text"], "no?"]
    kept = [token["id"] for token in first["prompt_tokens"] + first["tokens"]] + end
    more = TURNS.encode("<|im_start|>user\nno?<|im_end|>\n<|im_start|>assistant\n", True)
    assert visit.requests[-1]["prompt"] == kept + more
    second = plain(talkers, visit.requests[-1])
    assert turns(page) == ["hi", first["text"], "no?", second["text"]]
    shades = page.locator(".assistant").first.locator("[role=option]:not(.given)")
    assert shades.count() == len(first["tokens"])


def test_an_answer_streams_stops_and_goes_on(visit, talk):
    with gated_service(chatting_model(gated=True)) as service:
        page = talk(service=service)
        message(page).fill("hi")
        message(page).press("Enter")
        expect(page.locator(".user .box")).to_have_text("hi")  # as soon as it was sent
        service.model.gate.release(5)
        expect(page.locator(".assistant [role=option]")).to_have_count(5)
        message(page).fill("and")
        message(page).press("Enter")  # nothing is cut short by what comes next
        assert len(visit.requests) == 1
        page.keyboard.press("Escape")
        expect(page.locator("#status")).to_have_text("Stopped after 5 tokens")
        expect(message(page)).to_have_value("and")
        wait_until(lambda: service.busy() == (0, 0))
        service.model.gate.release(100_000)
        page.get_by_role("button", name="Write on").click()
        is_answered(page)
        asked = visit.requests[-1]
        assert asked["prompt"][-6:-5] == TURNS.encode("\n") and "messages" not in asked
        assert page.locator(".assistant [role=option]").count() > 5
        assert page.locator(".assistant").count() == 1


def test_another_token_of_an_answer_goes_on_from_there(talkers, visit, talk):
    page = talk()
    say(page, "hi")
    say(page, "and")
    before = turns(page)
    first = plain(talkers, {**visit.requests[0]})
    chip = page.locator(".assistant").first.locator("[role=option]").nth(4)
    chip.click()
    lens = page.get_by_role("complementary")
    expect(lens).to_contain_text(f"Drawn: {percent(first['tokens'][4]['probability'])}, ")
    expect(page.locator("#context")).not_to_contain_text("im_start")
    row = lens.locator("button.row:enabled").first
    other = int(row.get_attribute("data-id"))
    row.click()
    is_answered(page)
    kept = [token["id"] for token in first["prompt_tokens"] + first["tokens"][:4]]
    assert visit.requests[-1]["prompt"] == [*kept, other]
    assert len(turns(page)) == 2
    expect(lens).to_contain_text("Chosen by you: ")
    expect(page.locator("#status")).to_contain_text("2 later turns are gone, Undo has them")
    expect(page.locator(".assistant .box")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    assert turns(page) == before


def test_attention_of_an_answer_reaches_into_the_question_and_the_marks(talkers, visit, talk):
    page = talk()
    say(page, "yes no")
    answer = plain(talkers, visit.requests[-1])
    page.locator(".assistant [role=option]").nth(3).click()
    pick(page, "Attention")
    expect(page.locator("#readout")).to_contain_text("looked at")
    ids = [token["id"] for token in answer["prompt_tokens"] + answer["tokens"][:3]]
    assert visit.requests[-1] == {"model": "talker", "text": ids}
    row = talkers.ask("/attention", visit.requests[-1])[1]["weights"][0][0][-1]
    shades = [str(sum(weight >= bound for bound in (0.02, 0.05, 0.15, 0.4))) for weight in row]
    chips = page.locator("#paper [role=option]")
    found = chips.evaluate_all("chips => chips.map(chip => [chip.id, chip.dataset.s])")
    first = len(ids) - len(row)  # that is seen
    for name, shade in found:
        place = int(name[1:]) - first
        assert shade == (shades[place] if 0 <= place < len(row) else "0")
    assert len({shade for _, shade in found}) > 1


def test_the_marks_around_the_turns_can_be_shown(talkers, visit, talk):
    page = talk()
    say(page, "hi")
    text = turns(page)[1]
    page.locator(".assistant [role=option]").nth(3).click()
    marks = page.get_by_role("checkbox", name="Marks around the turns")
    marks.check()
    shown = ["<|im_start|>user\nhi<|im_end|>\n", "<|im_start|>assistant\n" + text]
    assert turns(page) == shown
    place = page.locator("[aria-selected]").get_attribute("id")
    assert page.locator(".assistant [role=option]:not(.given)").nth(3).get_attribute("id") == place
    page.locator(".user .mark").first.click()
    expect(page.get_by_role("complementary")).to_contain_text("the model was given")
    marks.uncheck()
    assert turns(page) == ["hi", text]
    expect(page.locator("[aria-selected]")).to_have_count(0)


def test_a_question_can_be_changed(visit, talk):
    page = talk()
    for text in ("one", "two"):
        say(page, text)
    before = turns(page)
    press(page, "Edit", 0)
    field = page.get_by_role("textbox", name="You, edited")
    expect(field).to_be_focused()
    field.fill("uno")
    field.press("Escape")
    expect(page.locator(".user [data-act=edit]").first).to_be_focused()
    assert turns(page) == before and len(visit.requests) == 3
    page.keyboard.press("Enter")
    field.fill("uno")
    message(page).fill("three")
    message(page).press("Enter")  # would lay the paper anew
    expect(page.locator("#status")).to_have_text("First this change: keep it, or cancel it")
    expect(field).to_be_focused()
    field.press("Enter")
    is_answered(page)
    expect(message(page)).to_have_value("three")
    assert visit.requests[-1]["messages"] == [user("uno")]
    assert turns(page)[0] == "uno" and len(turns(page)) == 2
    page.get_by_role("button", name="Undo").click()
    assert turns(page) == before


def test_an_answer_can_be_changed_and_written_on(talkers, visit, talk):
    page = talk()
    say(page, "one")
    press(page, "Edit")
    field = page.get_by_role("textbox", name="Answer, edited")
    field.fill("yes,\nand")
    field.press("Enter")
    expect(page.locator("#status")).to_have_text("Changed; Write on goes on from there")
    assert turns(page) == ["one", "yes,\nand"]
    page.get_by_role("button", name="Write on").click()
    is_answered(page)
    before = "<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\nyes,\nand"
    assert TURNS.decode(visit.requests[-1]["prompt"]).endswith(before)
    assert turns(page)[1].startswith("yes,\nand") and len(turns(page)[1]) > 8


def test_an_answer_can_be_had_anew(talkers, visit, talk):
    page = talk()
    say(page, "one")
    first = turns(page)
    press(page, "Regenerate")
    is_answered(page)
    assert visit.requests[-1] == visit.requests[-2] and turns(page) == first
    expect(page.locator("#status")).to_contain_text("the same again: change the seed")
    page.get_by_label("Seed").fill("8")
    press(page, "Regenerate")
    is_answered(page)
    assert turns(page)[0] == "one" and turns(page) != first
    assert visit.requests[-1] == {**visit.requests[0], "seed": 8}
    page.get_by_role("button", name="Undo").click()
    assert turns(page) == first


def test_the_system_is_folded_and_can_be_changed(talkers, visit, talk):
    page = talk()
    system = page.locator(".system")
    for text in ("Say no.", "Say <|im_end|>"):
        assert system.get_attribute("open") is None
        system.locator("summary").click()
        press(page, "Edit", 0)
        page.get_by_role("textbox", name="System, edited").fill(text)
        press(page, "Save")
        expect(system.locator("summary")).to_contain_text(text)
        say(page, "hi")
        expect(system.locator("summary")).to_contain_text(text)
        asked = next(body for body in reversed(visit.requests) if "messages" in body)
        assert asked["messages"][0] == {"role": "system", "content": text}
    assert len(turns(page)) == 4


def test_a_busy_service_or_too_long_a_conversation_loses_nothing(talkers, visit, talk, monkeypatch):
    page = talk("short")
    slide(page, "Temperature", 0)
    page.locator(".system summary").click()
    press(page, "Edit", 0)
    page.get_by_role("textbox", name="System, edited").fill("A")
    press(page, "Save")
    with monkeypatch.context() as crowded:
        crowded.setattr(talkers.desk, "capacity", {"max_running": 0, "max_waiting": 0})
        message(page).fill("hi")
        message(page).press("Enter")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("The service is busy. Please try again in 1 s.")
    expect(message(page)).to_have_value("hi")
    assert turns(page) == []
    page.get_by_role("button", name="Try again").click()
    is_answered(page)
    assert turns(page) == ["hi", "yes, \u9759!"] and message(page).input_value() == ""
    message(page).fill("a longer question")
    message(page).press("Enter")
    expect(alert).to_contain_text("Conversation: the model's maximum context length is 64 tokens")
    expect(message(page)).to_have_attribute("aria-invalid", "true")
    expect(message(page)).to_have_value("a longer question")
    assert turns(page) == ["hi", "yes, \u9759!"]
    message(page).fill("")
    page.get_by_role("button", name="New conversation").click()
    assert turns(page) == []
    page.get_by_role("button", name="Undo").click()
    assert turns(page) == ["hi", "yes, \u9759!"]


def test_a_conversation_in_chinese(visit, talk):
    page = talk("answering")
    slide(page, "Temperature", 0)
    for text in ("\u4f60\u597d", "hello"):
        say(page, text)
    assert turns(page) == ["\u4f60\u597d", "yes, \u9759!", "hello", "yes, \u9759!"]
    langs = page.locator(".turn:not(.system) .box").evaluate_all("all => all.map(e => e.lang)")
    assert langs == ["zh-Hans", "zh-Hans", "", "zh-Hans"]
    assert len(visit.requests) == 2  # what is read again has the same tokens
    expect(page.get_by_role("button", name="Write on")).to_be_disabled()  # it came to its end
    message(page).fill("\u9759")
    expect(message(page)).to_have_attribute("lang", "zh-Hans")


def test_a_model_that_was_not_trained_to_answer_says_so(talk, visit):
    page = talk("letters")
    expect(page.get_by_role("region", name="Conversation")).to_contain_text(
        "it was not trained to answer. \u201cmake chat\u201d gets one that was."
    )
    expect(message(page)).to_be_disabled()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    pick(page, "Text")
    write(page, 20, "b")
    pick(page, "talker")
    pick(page, "Conversation")
    expect(message(page)).to_be_enabled()


def tab_to(page, selector: str, key: str = "Tab") -> None:
    for _ in range(40):
        page.keyboard.press(key)
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_a_conversation_by_keyboard_alone(visit, talk):
    page = talk()
    message(page).focus()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    is_answered(page)
    assert turns(page)[0] == "one\ntwo"
    tab_to(page, ".assistant .box", "Shift+Tab")
    box = page.locator(".assistant .box")
    first = int(page.locator(".assistant [role=option]").first.get_attribute("id")[1:])
    expect(box).to_have_attribute("aria-activedescendant", f"c{first}")
    page.keyboard.press("ArrowLeft")  # over the marks, into the question
    asked = page.locator(".user .box")
    expect(asked).to_be_focused()
    assert page.locator(".user [aria-selected]").text_content() == "o"
    page.keyboard.press("Home")
    assert page.locator(".user [aria-selected]").evaluate("e => e.ariaLabel") == "o, given"
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(box).to_have_attribute("aria-activedescendant", f"c{first + 1}")
    page.keyboard.press("Enter")
    expect(page.locator("button.row:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    is_answered(page)
    expect(box).to_be_focused()
    tab_to(page, "[data-act=again]")
    page.keyboard.press("Enter")
    is_answered(page)
    expect(message(page)).to_be_focused()
    tab_to(page, ".user [data-act=edit]", "Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("!")
    page.keyboard.press("Enter")
    is_answered(page)
    assert "two" in turns(page)[0] and "!" in turns(page)[0]


def test_enter_within_a_composition_does_not_send(visit, talk):
    page = talk()
    press_enter = """(e, composing) => e.dispatchEvent(new KeyboardEvent("keydown",
        {key: "Enter", isComposing: composing, bubbles: true, cancelable: true}))"""
    message(page).fill("\u4f60")
    message(page).evaluate(press_enter, True)
    expect(page.locator("#status")).to_have_text("")
    message(page).evaluate(press_enter, False)
    is_answered(page)
    press(page, "Edit", 0)
    field = page.get_by_role("textbox", name="You, edited")
    field.evaluate(press_enter, True)
    expect(field).to_be_visible()
    assert len(visit.requests) == 1


def test_a_conversation_survives_a_reload(talkers, visit, talk):
    page = talk()
    say(page, "hi")
    message(page).fill("and what el")
    before = turns(page)
    page.reload()
    expect(page.get_by_role("radio", name="Conversation")).to_be_checked()
    expect(message(page)).to_have_value("and what el")
    assert turns(page) == before
    page.locator(".assistant [role=option]").nth(2).click()
    expect(page.get_by_role("complementary")).to_contain_text("Drawn: ")
    pick(page, "Text")
    page.get_by_role("button", name="Write", exact=True).click()
    is_answered(page)
    text = written(page)
    page.reload()
    expect(page.locator("#reading")).to_have_text(text)
    pick(page, "Conversation")
    assert turns(page) == before
    page.evaluate("sessionStorage.setItem('minigrad-takes', '[[\"chat talker\", {}]]')")
    page.goto("about:blank")
    page.goto(address(talkers))
    expect(page.get_by_role("radio", name="Conversation")).to_be_checked()


def test_an_answer_can_be_copied(talk):
    page = talk("answering")
    slide(page, "Temperature", 0)
    say(page, "hi")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "Copy")
    expect(page.locator("#status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "yes, \u9759!"


@pytest.mark.parametrize("scheme, width", [("light", 320), ("dark", 1300)])
def test_conversations_can_be_read_and_reached(scheme, width, talkers, browser):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {"color_scheme": scheme, "bypass_csp": True}
    page = browser.new_page(viewport={"width": width, "height": 844}, **options)

    def look():
        axe_finds_nothing(axe, page)
        assert all(contrast >= 4.5 for contrast, _ in page.evaluate(CONTRASTS))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = """() => [...document.querySelectorAll("button, select, textarea, summary")]
            .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 40)
            .map(e => e.outerHTML)"""
        assert page.evaluate(small) == []

    page.goto(address(talkers))
    pick(page, "Conversation")
    look()
    page.locator("#settings").evaluate("settings => settings.open = true")
    page.get_by_label("Seed").fill("7")  # a short answer has no fourth token
    say(page, "wide" * 40)
    look()
    page.locator(".system summary").click()
    press(page, "Edit", 1)
    page.locator(".assistant [role=option]").nth(3).click()
    look()
    page.close()


# The words of the page, in two languages


# Texts, labels and titles of the page, without what models wrote and what things are called.
WORDS = r"""() => {
    const theirs = "script, style, noscript, kbd, #language, #models label, #examples, #context," +
        " #reading, #tip, .glyph, [role=option], .system .soft:not([lang=zh-Hans])";
    const found = [document.title];
    for (const e of document.querySelectorAll("body *:not(#language)")) {
        if (e.matches("script, style, noscript")) continue;
        if (!e.closest(theirs))
            found.push(...[...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data));
        for (const name of ["aria-label", "aria-valuetext", "placeholder", "title", "alt"]) {
            const words = e.getAttribute(name) ?? "", token = e.matches("[role=option], .row");
            found.push(token ? words.replace(/^.*?(, |，)/s, "") : words);
        }
    }
    return found.map(words => words.replace(/\s+/g, " ").trim()).filter(words => words);
}"""
NAMES = r"minigrad|API|Tab|Top-[kp]|python -m minigrad\.serve|“.*?”"


def english(page) -> list[str]:
    """Words that are not Chinese."""
    found = page.evaluate(WORDS)
    assert len(found) > 60
    return [words for words in found if re.search("[A-Za-z]{2}", re.sub(NAMES, "", words))]


def choose(page, name: str) -> None:
    page.locator(f"label[for={name}]").click()


@pytest.fixture
def chinese(talkers, visit):
    """Opens the page as a browser that wants Chinese."""

    def open_page(**options):
        page = visit(model="talker", service=talkers, locale="zh-CN", **options)
        page.locator("#settings").evaluate("settings => settings.open = true")
        slide(page, "长度", 20)
        page.get_by_label("种子").fill("7")
        return page

    return open_page


def is_done(page) -> None:
    expect(page.locator("#status")).to_have_text(
        re.compile(r"^\d+ 个词元，用时 \d+\.\d 秒，每秒 \d+ 个$"), timeout=60_000
    )


def test_the_text_view_speaks_chinese(talkers, chinese, monkeypatch):
    page = chinese()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert english(page) == []
    page.get_by_label("提示词", exact=True).fill("the 静  \n")
    page.get_by_role("button", name="开始写").click()
    is_done(page)
    assert english(page) == []
    assert page.locator("#paper").get_attribute("lang") == "zh-Hans"  # for there is 静
    spoken = page.locator("[role=option]").evaluate_all("all => all.map(e => e.ariaLabel)")
    assert any("空格" in words for words in spoken) and any("换行" in words for words in spoken)
    page.get_by_role("listbox").press("End")
    for name in ("view-alternatives", "view-attention"):
        choose(page, name)
        shown = "#alternatives li" if name == "view-alternatives" else "#layer:enabled"
        page.locator(shown).first.wait_for()
        assert english(page) == []
    expect(page.locator("#readout")).to_contain_text("注意")
    assert english(page) == []
    page.get_by_label("种子").fill("x")
    page.get_by_role("button", name="开始写").click()
    alert = page.get_by_role("alert")
    expect(alert).to_have_text("种子：请填一个整数，或者留空。")
    page.get_by_label("种子").fill("")
    with monkeypatch.context() as crowded:
        crowded.setattr(talkers.desk, "capacity", {"max_running": 0, "max_waiting": 0})
        page.get_by_role("button", name="开始写").click()
        expect(alert).to_have_text("服务正忙。请在 1 秒后重试。重试")
    assert english(page) == []
    page.route("**/generate", lambda route: route.abort())
    page.get_by_role("button", name="重试").click()
    expect(alert).to_contain_text("无法连接服务。")
    assert english(page) == []
    choose(page, "model-2")  # letters
    page.unroute("**/generate")
    page.get_by_label("提示词", exact=True).fill("é")
    page.get_by_role("button", name="开始写").click()
    expect(alert).to_contain_text(re.compile("^提示词: unknown character"))  # the service's words
    page.get_by_label("提示词", exact=True).fill("a")
    page.get_by_role("button", name="开始写").click()
    expect(page.locator("#status")).to_contain_text("20 个字符，用时")
    assert english(page) == []


def test_the_conversation_view_speaks_chinese(chinese):
    page = chinese()
    choose(page, "mode-chat")
    assert english(page) == []
    asked = page.get_by_label("消息", exact=True)
    for text in ("hi", "你好"):
        asked.fill(text)
        asked.press("Enter")
        is_done(page)
    assert english(page) == []
    heard = page.get_by_role("log").locator("p").all_text_contents()
    assert [words[:3] for words in heard[::2]] == ["你：h", "你：你"] and heard[1][:3] == "回答："
    langs = page.locator(".user .box").evaluate_all("all => all.map(e => e.lang)")
    assert langs == ["", "zh-Hans"]
    page.locator(".system summary").click()
    press(page, "编辑", 0)
    assert english(page) == []
    page.get_by_role("textbox", name="编辑：系统").fill("好")
    press(page, "保存")
    page.get_by_role("checkbox", name="显示每轮的标记").check()
    press(page, "重新生成", 0)
    expect(page.locator("#status")).to_contain_text("；后面的 2 轮已移除，可以撤销")
    assert english(page) == []
    page.locator(".assistant [role=option]").last.click()
    assert english(page) == []
    page.get_by_role("button", name="新对话").click()
    assert english(page) == []
    choose(page, "model-2")  # which cannot
    expect(page.locator("#paper")).to_contain_text("没有受过回答问题的训练")
    assert english(page) == []


def test_the_language_can_be_switched_and_nothing_gets_lost(talkers, visit, talk):
    page = talk()
    say(page, "hi")
    page.get_by_label("Seed").fill("many")
    message(page).fill("and")
    message(page).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("please give a whole number")
    press(page, "Edit", 0)
    page.get_by_role("textbox", name="You, edited").fill("hello")
    page.locator(".assistant [role=option]").nth(3).click()
    before, spoken, asked = page.evaluate(WORDS), turns(page), len(visit.requests)
    page.get_by_role("button", name="中文").click()
    assert english(page) == []
    expect(page).to_have_title("minigrad 演练场")
    expect(page.get_by_role("textbox", name="编辑：你")).to_have_value("hello")
    expect(page.locator(".assistant [aria-selected]")).to_have_count(1)
    page.get_by_role("button", name="English").click()
    assert page.evaluate(WORDS) == before and page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("button", name="中文").click()
    page.reload()
    expect(page.get_by_role("radio", name="对话")).to_be_checked()
    expect(page.get_by_role("button", name="重新生成")).to_be_visible()
    assert english(page) == [] and turns(page) == spoken
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert len(visit.requests) == asked


def test_the_language_may_be_switched_while_an_answer_comes(visit, talk):
    with gated_service(chatting_model(gated=True)) as service:
        page = talk(service=service)
        message(page).fill("hi")
        message(page).press("Enter")
        service.model.gate.release(5)
        expect(page.locator(".assistant [role=option]")).to_have_count(5)
        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("button", name="停止")).to_be_visible()
        service.model.gate.release(100_000)
        expect(page.locator("body:not(.running)")).to_have_count(1)
        expect(page.locator("#status")).to_contain_text("个词元，用时")
        assert english(page) == []


@pytest.mark.parametrize(
    "languages, expected",
    [
        (["zh-TW", "en"], "zh-Hans"),
        (["de", "ZH"], "zh-Hans"),
        (["en-GB", "zh"], "en"),
        (["de"], "en"),
        ([], "en"),
    ],
)
def test_the_language_is_the_browsers_first_of_the_two(languages, expected, talkers, browser):
    page = browser.new_page()
    page.add_init_script(
        f"Object.defineProperty(navigator, 'languages', {{ value: {json.dumps(languages)} }})"
    )
    page.goto(address(talkers))
    expect(page.locator("html")).to_have_attribute("lang", expected)
    page.close()


def test_every_word_is_in_the_table_and_every_entry_is_used(talkers, visit):
    page = visit(service=talkers, model="talker")
    table = set(page.evaluate("import('/page/words.js').then(words => [...words.CHINESE.keys()])"))
    marked = page.evaluate(
        """() => fetch("/").then(answer => answer.text()).then(text => {
            const page = new DOMParser().parseFromString(text, "text/html");
            return [...page.querySelectorAll("[data-say]")].flatMap(e =>
                (e.dataset.say || "textContent").split(" ").map(name => e[name]));
        })"""
    )
    used = {" ".join(words.split()) for words in marked}
    scripts = files("minigrad.serve").joinpath("page").glob("*.js")
    code = "".join(path.read_text("utf-8") for path in scripts if path.name != "words.js")
    code = re.sub(r'"\s*\+\s*"', "", code)  # one text in several lines
    literal = r'"((?:[^"\\\n]|\\.)*)"'
    literals = set(re.findall(literal, code))
    said = re.findall(rf"\bsay\((?:[^(){{\"]*{literal})(?:[^(){{\"]*{literal})?", code)
    used |= {words for found in said for words in found if words}
    used = {words.replace("\\u201c", "\u201c").replace("\\u201d", "\u201d") for words in used}
    assert len(said) > 50 and used - {"user", "chat"} - table == set()
    literals = {
        words.replace("\\u201c", "\u201c").replace("\\u201d", "\u201d") for words in literals
    }
    units = {"character", "token"}  # as the service calls them
    assert table - used - literals - units == set()


@pytest.mark.parametrize("scheme, width", [("light", 320), ("dark", 360), ("light", 1300)])
def test_chinese_words_can_be_read_and_reached(scheme, width, talkers, browser):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {"color_scheme": scheme, "bypass_csp": True, "locale": "zh-CN"}
    page = browser.new_page(viewport={"width": width, "height": 844}, **options)

    def look():
        axe_finds_nothing(axe, page)
        assert all(contrast >= 4.5 for contrast, _ in page.evaluate(CONTRASTS))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut = """() => [...document.querySelectorAll("button, label, h1, h2, legend, .soft")]
            .filter(e => e.checkVisibility() && !e.closest(".unseen, summary")
                && (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline"
                || e.getBoundingClientRect().right > innerWidth)).map(e => e.outerHTML)"""
        assert page.evaluate(cut) == []

    page.goto(address(talkers))
    page.locator("#settings").evaluate("settings => settings.open = true")
    slide(page, "长度", 20)
    page.get_by_label("种子").fill("7")  # without it the text may end at once
    look()
    page.get_by_label("提示词", exact=True).fill("the")
    page.get_by_role("button", name="开始写").click()
    is_done(page)
    page.locator("#c5").click()
    look()
    choose(page, "mode-chat")
    page.get_by_label("消息", exact=True).fill("hi")
    page.get_by_label("消息", exact=True).press("Enter")
    is_done(page)
    look()
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
        axe_finds_nothing(axe, page)

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
    assert frames[len(frames) // 2] < 1000  # of which a quiet machine needs 17
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
