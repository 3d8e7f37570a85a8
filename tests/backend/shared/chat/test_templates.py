"""Templates render as transformers renders them, within bounds, and what is trained is what the assistant says."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.shared.chat import Reader, Template, TemplateRefused, Unreadable, chosen, own_template
from backend.shared.specs import LossOn
from tests.backend.shared.chat.styles import ENDS, MARKS, STYLES, byte_tokenizer

TOKENIZER = byte_tokenizer()
SPECIALS = {"bos_token": "<s>", "eos_token": "</s>"}
HELLO = [
    {"role": "user", "content": "hello  there"},
    {"role": "assistant", "content": "the answer is\n\nwhat you said ✓"},
    {"role": "user", "content": "and after?"},
    {"role": "assistant", "content": "  the other one"},
]
WITH_SYSTEM = [{"role": "system", "content": "Be brief."}, *HELLO]


def template(style: str) -> Template:
    return Template(STYLES[style], "model", tuple(sorted(SPECIALS.items())), frozenset(MARKS))


def reader(style: str, loss_on: LossOn = "assistant", truncate: Any = "end", limit: int = 10_000) -> Reader:
    return Reader(TOKENIZER, template(style), loss_on, truncate, limit)


@pytest.fixture(scope="module")
def stock() -> Any:
    """The same tokenizer, as transformers has it."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=byte_tokenizer(), **SPECIALS)


@pytest.mark.parametrize("style", [*STYLES])
@pytest.mark.parametrize("turns", [HELLO, HELLO[:3], WITH_SYSTEM], ids=["two rounds", "open", "system"])
def test_a_conversation_is_rendered_and_tokenised_as_transformers_does(style: str, turns: Any, stock: Any) -> None:
    if style == "gemma" and turns is WITH_SYSTEM:
        with pytest.raises(Unreadable, match="The template says: System role not supported"):
            reader(style).read({"messages": turns})
        return
    opens = turns[-1]["role"] == "user"
    asked = {"chat_template": STYLES[style], "add_generation_prompt": opens}
    rendered = template(style).render(turns, opens)
    today = datetime.now().strftime("%d %b %Y")
    assert rendered.text == stock.apply_chat_template(turns, tokenize=False, **asked).replace(today, "26 Jul 2024")
    assert rendered.dated == (style == "dated")
    if opens:
        return
    tagged = style in ("tagged", "dated")
    if style == "dated":
        asked["chat_template"] = STYLES[style].replace("strftime_now('%d %b %Y')", "'26 Jul 2024'")
    found = stock.apply_chat_template(turns, return_dict=True, return_assistant_tokens_mask=tagged, **asked)
    read = reader(style).read({"messages": turns})
    assert read.ids.tolist() == found["input_ids"]
    if tagged:
        assert read.trained.tolist() == [bool(mark) for mark in found["assistant_masks"]]


def said(read: Any) -> list[str]:
    """The texts that are trained, each run of trained tokens as one."""
    runs: list[list[int]] = []
    before = False
    for token, trained in zip(read.ids.tolist(), read.trained.tolist(), strict=True):
        if trained and not before:
            runs.append([])
        if trained:
            runs[-1].append(token)
        before = trained
    return [TOKENIZER.decode(run, skip_special_tokens=False) for run in runs]


WORDS = st.text(st.sampled_from("ab e\n ✓é.?'"), min_size=1, max_size=12).filter(lambda text: bool(text.strip()))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4), st.sampled_from([*STYLES]), st.booleans())
def test_what_is_trained_is_the_assistants_words_and_end_marks(
    rounds: list[tuple[str, str]], style: str, last: bool
) -> None:
    turns = [
        {"role": role, "content": words}
        for asked, answered in rounds
        for role, words in (("user", asked), ("assistant", answered))
    ]
    read = reader(style, "last_assistant" if last else "assistant").read({"messages": turns})
    trims = style in ("llama3", "gemma")
    answers = [answered.strip() if trims else answered for _, answered in rounds]
    if style == "qwen3":
        answers = ["<think>\n\n</think>\n\n" + answers[-1].lstrip("\n")]  # it writes earlier answers otherwise
        assert read.rewritten == (len(rounds) > 1 and not last)
    expected = [answer + ENDS[style] for answer in (answers[-1:] if last else answers)]
    found = said(read)
    if style == "mistral":
        expected = [" " + answer for answer in expected]
    assert _but_for_edges(found, expected)
    for asked, _ in rounds:
        place = read.text.find(asked.strip() if trims else asked)
        inside = (read.offsets[:, 0] < place + len(asked.strip())) & (read.offsets[:, 1] > place)
        if len(rounds) == 1:
            assert not (read.trained & inside).any()


def _but_for_edges(found: list[str], expected: list[str]) -> bool:
    """Equal, but for white space that one token shares with what stands before an answer."""
    return len(found) == len(expected) and all(
        one == other or (other.endswith(one) and not other[: len(other) - len(one)].strip())
        for one, other in zip(found, expected, strict=True)
    )


def test_all_or_the_last_answer_is_trained_where_that_is_asked() -> None:
    assert reader("chatml", "all").read({"messages": HELLO}).trained.all()
    assert said(reader("chatml", "completion").read({"messages": HELLO})) == ["  the other one<|im_end|>"]
    assert said(reader("chatml").read({"prompt": "hello", "completion": "there"})) == ["there<|im_end|>"]
    assert reader("chatml").read({"text": "a book"}).text == "a book</s>"


def test_a_long_conversation_is_cut_as_is_asked() -> None:
    row = {"messages": WITH_SYSTEM}
    whole = reader("chatml").read(row)
    cut = reader("chatml", limit=len(whole.ids) - 3).read(row)
    assert (cut.kept, cut.cut, cut.left_out) == (len(whole.ids) - 3, True, 0)
    assert cut.learned < whole.learned
    shorter = reader("chatml", truncate="oldest_turns", limit=len(whole.ids) - 3).read(row)
    assert (shorter.left_out, shorter.text.count("Be brief."), "hello" in shorter.text) == (2, 1, False)
    assert said(shorter) == ["  the other one<|im_end|>"]
    assert reader("chatml", truncate="drop", limit=len(whole.ids) - 3).read(row).learned == 0
    assert reader("chatml", limit=12).read(row).learned == 0


UNBOUND = {
    "an endless loop": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "loops of lists": "{% set l = range(9999)|list %}" + "{% for a in l %}" * 3 + "{% endfor %}" * 3,
    "a long text": "{% for a in range(99999) %}{{ messages[0].content * 99 }}{% endfor %}",
    "a product": "{{ 'x' * 999999999 }}",
    "doubling": "{% set n = namespace(x='xx') %}{% for a in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "adding": "{% set n = namespace(x='xx') %}{% for a in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "blocks": "{% set n = namespace(x='xx') %}{% for a in range(60) %}{% set y %}{{ n.x }}{{ n.x }}{% endset %}"
    "{% set n.x = y %}{% endfor %}",
    "nesting": "{% set n = namespace(x=[]) %}{% for a in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "padding": "{{ 'x'.ljust(999999999) }}",
    "padding by form": "{{ '%999999999d' % 1 }}",
    "replacing": "{% set x = 'x' * 99999 %}{{ x.replace('x', x) }}",
    "replacing by filter": "{% set x = 'x' * 99999 %}{{ x|replace('x', x) }}",
    "powers": "{{ 9 ** 9 ** 9 }}",
    "numbers": "{% set n = namespace(x=9) %}{% for a in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a filter": "{{ 'x'|center(999999999) }}",
    "the way out": "{{ ''.__class__.__mro__ }}",
    "the way out by a function": "{{ raise_exception.__globals__['x'] }}",
    "a broken one": "{% for a in %}",
    "a name that is missing": "{{ tools[0].name }}",
    "a text for a number": "{{ messages[0].content / 2 }}",
    "another file": "{% include '/etc/passwd' %}",
}


@pytest.mark.parametrize("case", UNBOUND)
def test_a_template_that_would_take_all_is_refused_in_time(case: str) -> None:
    begun = time.monotonic()
    with pytest.raises(TemplateRefused, match=r"^The template .*[.]$") as refused:
        Template(UNBOUND[case], "model").render(HELLO)
    assert time.monotonic() - begun < 6
    assert "Traceback" not in str(refused.value)


def test_a_template_that_writes_the_last_answer_otherwise_is_refused_by_what_it_does() -> None:
    other = "{% for m in messages %}{{ m.content if m.role == 'user' else 'something else' }}{% endfor %}"
    with pytest.raises(Unreadable, match="cannot be told from the rest"):
        Reader(TOKENIZER, Template(other, "model"), "assistant", "end", 99).read({"messages": HELLO})


def test_a_models_own_template_is_found_where_it_stands(tmp_path: Path) -> None:
    TOKENIZER.save(str(tmp_path / "tokenizer.json"))
    config = tmp_path / "tokenizer_config.json"
    config.write_text(json.dumps({**SPECIALS, "eos_token": {"content": "</s>"}}))
    assert own_template(tmp_path) is None
    with pytest.raises(TemplateRefused, match="no chat template of its own"):
        chosen(tmp_path, "model", adds_bos=False)
    assert chosen(tmp_path, None, adds_bos=True).name == "chatml"
    named = [{"name": "tools", "template": "x"}, {"name": "default", "template": STYLES["mistral"]}]
    config.write_text(json.dumps({**SPECIALS, "chat_template": named}))
    found = own_template(tmp_path)
    assert found == template("mistral")
    assert found is not None
    assert "[INST]" in found.marks
    (tmp_path / "chat_template.jinja").write_text(STYLES["phi"])
    assert chosen(tmp_path, None, adds_bos=False).source == STYLES["phi"]
    (tmp_path / "chat_template.jinja").write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateRefused, match="cannot be read as text"):
        own_template(tmp_path)


@pytest.mark.parametrize("name", ["chatml", "alpaca", "plain"])
def test_our_own_forms_end_answers_with_the_models_mark(name: Any, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(SPECIALS))
    form = chosen(tmp_path, name, adds_bos=True)
    read = Reader(TOKENIZER, form, "assistant", "end", 10_000).read({"messages": WITH_SYSTEM})
    assert said(read) == [HELLO[1]["content"] + "</s>", HELLO[3]["content"] + "</s>"]
    assert read.text.startswith("<s>")
    opened = form.render(WITH_SYSTEM[:2], opens=True).text
    assert read.text.startswith(opened)  # what generation begins with is what training saw
    assert np.array_equal(
        TOKENIZER.encode(opened, add_special_tokens=False).ids, read.ids[: len(TOKENIZER.encode(opened).ids)]
    )


def test_what_closes_a_conversation_is_no_part_of_its_turns() -> None:
    """Phi writes a mark after the last turn only: earlier answers are told all the same."""
    turns = [{"role": role, "content": "?"} for _ in range(3) for role in ("user", "assistant")]
    read = reader("phi").read({"messages": turns})
    assert said(read) == ["?<|end|>"] * 3
    assert not read.rewritten
