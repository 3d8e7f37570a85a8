"""Races through the real queue: who gets more seeds when, who does not, and what survives."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.comparison.race import Races
from backend.queue.reaper import Reaper
from backend.shared.specs import StudySpec
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, study, train

ARMS = [{"method": "none"}, {"method": "dropkey", "rate": 0.1}, {"method": "hiddenkey", "rate": 0.1}]


def loss(seed: int, arm: int, step: int) -> float:
    """DropKey better by far; HiddenKey by what the seeds differ in, so that three seeds cannot tell."""
    return 0.6 + 0.01 * seed - (0.2 + 0.001 * (seed % 3) if arm == 1 else 0.03 * (seed % 3 - 1) if arm == 2 else 0.0)


def racing(client: TestClient, **plan: Any) -> dict[str, Any]:
    return post(client, arms=ARMS, seeds="auto", plan={"looks": [4, 6, 8]} | plan)


def trained(client: TestClient) -> None:
    context = inside(client)
    train(context.database, context.settings.shared, lambda seed, arm, step: loss(seed, _arm(arm), step))


_OF_PACK: list[int] = [0, 1, 2]


def _arm(place: int) -> int:
    """Which arm stands at a place of a pack: packs hold the arms that go on, in their order."""
    return _OF_PACK[place]


@pytest.fixture(autouse=True)
def _whole() -> None:
    _OF_PACK[:] = [0, 1, 2]


def seeds_of(client: TestClient, study_id: str) -> dict[str, int]:
    items = client.get(f"{API}/studies/{study_id}/runs?limit=200").json()["items"]
    found: dict[str, int] = {}
    for run in items:
        found[run["method"]] = found.get(run["method"], 0) + 1
    return found


def plan_of(client: TestClient, study_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{API}/studies/{study_id}/comparison").json()["plan"]
    return found


def test_auto_is_a_race_that_begins_with_its_first_look() -> None:
    made = StudySpec.model_validate(study(seeds="auto"))
    assert made.plan is not None
    assert (made.seeds, made.plan.race) == (5, True)
    own = StudySpec.model_validate(study(seeds="auto", plan={"looks": [3, 9]}))
    assert own.seeds == 3


def test_only_arms_without_a_verdict_go_on_and_no_look_is_skipped(sqlite_client: TestClient) -> None:
    made = racing(sqlite_client)
    study_id, races = made["id"], Races(inside(sqlite_client).database)
    assert made["counts"]["total"] == 12
    assert races.tick() == 0  # its runs have not ended
    trained(sqlite_client)
    plan = plan_of(sqlite_client, study_id)
    assert plan["race"]
    assert "1 of 2 arms has its verdict. The others go on to 6 seeds by themselves" in plan["standing"]
    assert races.tick() == 4  # two seeds more of the baseline and of HiddenKey
    assert seeds_of(sqlite_client, study_id) == {"none": 6, "dropkey": 4, "hiddenkey": 6}
    assert races.tick() == 0
    event = sqlite_client.get(f"{API}/studies/{study_id}").json()
    assert event["spec"]["seeds"] == 6
    _OF_PACK[:] = [0, 2]
    trained(sqlite_client)
    assert Races(inside(sqlite_client).database).tick() == 4  # another service, which knows nothing: a restart
    trained(sqlite_client)
    assert Races(inside(sqlite_client).database).tick() == 0
    assert seeds_of(sqlite_client, study_id) == {"none": 8, "dropkey": 4, "hiddenkey": 8}
    plan = plan_of(sqlite_client, study_id)
    assert plan["standing"] == "The race is over: 1 of 2 arms has its verdict, its last look is drawn."
    arms = sqlite_client.get(f"{API}/studies/{study_id}/comparison").json()["arms"]
    assert [arm["verdict"] and arm["verdict"]["kind"] for arm in arms] == [None, "better_by_more", "cannot_tell"]


def test_a_race_is_over_when_all_have_their_verdicts(sqlite_client: TestClient) -> None:
    made = post(sqlite_client, arms=ARMS[:2], seeds="auto", plan={"looks": [4, 8]})
    trained(sqlite_client)
    assert Races(inside(sqlite_client).database).tick() == 0
    plan = plan_of(sqlite_client, made["id"])
    assert plan["next_look"] is None
    assert "The race is over: 1 of 1 arm has its verdict, no further seeds are needed." in plan["standing"]


def test_pause_archive_and_lost_runs_hold_it_up(sqlite_client: TestClient) -> None:
    study_id = racing(sqlite_client)["id"]
    races = Races(inside(sqlite_client).database)
    trained(sqlite_client)
    sqlite_client.patch(f"{API}/studies/{study_id}", json={"paused": True})
    assert races.tick() == 0
    sqlite_client.patch(f"{API}/studies/{study_id}", json={"paused": False})
    assert races.tick() == 4
    sqlite_client.post(f"{API}/studies/{study_id}/cancel")
    assert races.tick() == 0  # what was cancelled is no result, and is not trained again unasked
    assert seeds_of(sqlite_client, study_id) == {"none": 6, "dropkey": 4, "hiddenkey": 6}


def test_a_study_that_is_no_race_is_left_alone(sqlite_client: TestClient) -> None:
    post(sqlite_client, arms=ARMS, seeds=4, plan={"looks": [4, 8], "seeds": 8})
    trained(sqlite_client)
    assert Races(inside(sqlite_client).database).tick() == 0


def test_the_reaper_asks_and_outlives_an_error(sqlite_client: TestClient) -> None:
    context = inside(sqlite_client)
    asked: list[int] = []

    def broken() -> None:
        asked.append(1)
        raise ValueError("planted")

    assert Reaper(context.database, context.settings, lambda: None, queue_more=broken).tick() == 0
    assert asked == [1]


@pytest.mark.parametrize(
    ("changes", "pointer", "words"),
    [
        ({"plan": {"looks": [8]}}, "/plan/race", "a race adds seeds at looks, and this plan has one"),
        ({"plan": None}, "", "leave plan out"),
        ({"plan": {"looks": [2, 8]}}, "/plan/looks/0", "decides nothing"),
        ({"plan": {"seeds": 3}}, "/plan/race", "at 3 seeds"),
        ({"arms": ARMS[:1]}, "/plan", "a single arm"),
    ],
)
def test_a_race_that_cannot_be_is_refused(
    sqlite_client: TestClient, changes: dict[str, Any], pointer: str, words: str
) -> None:
    answer = sqlite_client.post(f"{API}/studies", json=study(**{"arms": ARMS, "seeds": "auto"} | changes))
    assert answer.status_code == 422, answer.text
    problems = answer.json()["errors"]
    assert any(one["pointer"] == pointer and words in one["detail"] for one in problems), problems


def test_the_preview_counts_the_first_look_and_says_that_it_is_a_race(sqlite_client: TestClient) -> None:
    told = sqlite_client.post(f"{API}/studies/preview", json=study(arms=ARMS, seeds="auto")).json()
    assert told["problems"] == []
    assert told["runs"] == 15
    assert "after 5, 8 and 12 seeds" in told["plan"]["sentence"]
    assert "an arm that has its verdict gets no more" in told["plan"]["sentence"]
