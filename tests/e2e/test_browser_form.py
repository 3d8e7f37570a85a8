"""The form of a new study: what should be known first is said, and plain LoRA's free rivals are a click each."""

import pytest
from playwright.sync_api import Page, expect

from backend.shared.catalogue import find_model
from backend.shared.catalogue.models import model_location, write_manifest
from tests.e2e.chromium import Watched
from tests.e2e.page_server import Served

pytestmark = pytest.mark.browser
WARNING = "Its tokenizer has no end mark: texts end where they are cut."


def test_what_is_known_of_a_model_is_said_where_it_is_chosen(service: Served, watched: Watched) -> None:
    home = service.settings.shared
    known = find_model(home, "minilm-l6")
    assert known is not None
    odd = known.model_copy(update={"id": "odd", "title": "An odd one", "builtin": False, "warnings": (WARNING,)})
    write_manifest(home, odd, model_location(home, "minilm-l6"))
    page = watched.open("/new")
    expect(page.get_by_text(WARNING)).to_have_count(0)
    page.get_by_role("combobox", name="Model").click()
    option = page.get_by_role("option", name="An odd one")
    expect(option).to_contain_text(WARNING)
    option.click()
    expect(page.get_by_role("list", name="Warnings of An odd one")).to_have_text(WARNING)
    expect(page.get_by_role("button", name="Queue 15 runs")).to_be_enabled()


def test_an_arm_that_drops_nothing_is_warned_of_beside_it_and_in_the_summary(watched: Watched) -> None:
    page = watched.open("/new")
    rates = page.get_by_role("group", name="Rates of Adapter dropout")
    rates.get_by_label("Another rate").fill("0")
    rates.get_by_label("Another rate").press("Enter")
    words = "every rate of this arm is 0: nothing is dropped, and it trains as plain LoRA does"
    expect(page.get_by_role("list", name="Warnings of Adapter dropout")).to_have_text(words)
    expect(page.get_by_role("region", name="Summary")).to_contain_text(f"Check first: {words}")
    expect(page.get_by_role("button", name="Queue 20 runs")).to_be_enabled()


def test_free_rivals_are_arms_of_plain_lora_a_click_each(service: Served, watched: Watched) -> None:
    page = watched.open("/new")
    page.get_by_label("Name", exact=True).fill("with rivals")
    rivals = page.get_by_role("region", name="Free rivals")
    for title in ("Two thirds of the epochs", "Half the learning rate", "Label smoothing 0.1", "Half the rank"):
        rivals.get_by_role("checkbox", name=title).check()
    expect(rivals).to_contain_text("No dropout, learning rate 0.001 instead of 0.002.")
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_label("Learning rate", exact=True).fill("0.004")
    expect(rivals).to_contain_text("No dropout, learning rate 0.002 instead of 0.004.")
    rivals.get_by_role("checkbox", name="Half the rank").uncheck()
    _queue(page, 30)
    made = watched.page.request.get(f"{service.url}/api/v1/studies/{page.url.rsplit('/', 1)[1]}").json()
    arms = {arm["label"]: arm for arm in made["arms"]}
    assert list(arms) == [
        "No dropout",
        "Adapter dropout 0.1",
        "HiddenKey 0.1",
        "Two thirds of the epochs",
        "Half the learning rate",
        "Label smoothing 0.1",
    ]
    assert arms["No dropout"]["is_baseline"]
    shorter, slower, smoothed = (arms[label]["spec"]["training"] for label in list(arms)[3:])
    assert (shorter["epochs"], slower["epochs"]) == (5, 8)
    assert slower["learning_rate"] == pytest.approx(0.002)
    assert (smoothed["label_smoothing"], slower["label_smoothing"]) == (pytest.approx(0.1), 0)


def _queue(page: Page, runs: int) -> None:
    page.get_by_role("button", name=f"Queue {runs} runs").click()
    page.wait_for_url("**/studies/*")


def test_a_run_may_stop_early_and_says_which_adapters_it_keeps(service: Served, watched: Watched) -> None:
    page = watched.open("/new")
    page.get_by_label("Name", exact=True).fill("stops early")
    page.get_by_role("button", name="Change", exact=True).click()
    patience = page.get_by_label("Stop early after")
    expect(page.get_by_label("Improvement")).to_be_disabled()
    patience.fill("7")
    expect(patience).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("region", name="Training", exact=True)).to_contain_text("lower patience to 6")
    patience.fill("3")
    page.get_by_label("Improvement").fill("0.01")
    page.get_by_label("Adapters kept").select_option("of the best evaluation")
    page.get_by_label("Best by").select_option("validation accuracy")
    expect(page.get_by_text("a run stops early after 3 evaluations without improvement")).to_be_visible()
    _queue(page, 15)
    made = watched.page.request.get(f"{service.url}/api/v1/studies/{page.url.rsplit('/', 1)[1]}").json()
    asked = {"keep": "best", "keep_by": "score", "patience": 3, "min_delta": 0.01}
    for arm in made["arms"]:
        assert {name: arm["spec"]["training"][name] for name in asked} == asked


def test_a_plan_is_said_in_a_sentence_and_asked_for_in_plain_words(service: Served, watched: Watched) -> None:
    page = watched.open("/new")
    page.get_by_label("Name", exact=True).fill("planned")
    plan = page.get_by_role("region", name="Plan", exact=True)
    expect(plan).to_contain_text("A difference under 0.02 nats does not matter.")
    expect(plan.get_by_label("At most how many seeds?")).to_have_count(0)
    plan.get_by_role("button", name="Change the plan").click()
    plan.get_by_label("Judged by").select_option("validation accuracy")
    expect(plan).to_contain_text("A difference under 1 percentage point does not matter.")
    plan.get_by_label("What difference would matter?").fill("0.03")
    most = plan.get_by_label("At most how many seeds?")
    most.fill("4")
    expect(most).to_have_attribute("aria-invalid", "true")
    most.fill("12")
    looks = plan.get_by_label("Verdicts after how many seeds?")
    looks.fill("5, many")
    expect(plan).to_contain_text("Numbers of seeds, with commas between them")
    looks.fill("5, 8, 12")
    expect(plan).to_contain_text("after 5, 8 and 12 seeds")
    expect(plan.get_by_role("table", name="What this plan can find").get_by_role("row")).to_have_count(5)
    _queue(page, 15)
    made = watched.page.request.get(f"{service.url}/api/v1/studies/{page.url.rsplit('/', 1)[1]}").json()
    asked = {"metric": "validation/accuracy", "smallest": 0.03, "seeds": 12, "looks": [5, 8, 12]}
    assert {name: made["spec"]["plan"][name] for name in asked} == asked


def test_a_study_may_be_made_without_a_plan(service: Served, watched: Watched) -> None:
    page = watched.open("/new")
    page.get_by_label("Name", exact=True).fill("explores")
    plan = page.get_by_role("region", name="Plan", exact=True)
    plan.get_by_role("button", name="Change the plan").click()
    plan.get_by_label("No plan: I only explore").check()
    expect(plan).to_contain_text("None: this study explores, and no verdicts are drawn.")
    expect(page.get_by_role("region", name="The study as YAML")).to_contain_text("plan: null")
    _queue(page, 15)
    made = watched.page.request.get(f"{service.url}/api/v1/studies/{page.url.rsplit('/', 1)[1]}").json()
    assert made["spec"]["plan"] is None
