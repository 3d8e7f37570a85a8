"""Plans as asked: what is filled in, and what is refused with which sentence, where."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings
from backend.shared.specs import PlanSpec, StudySpec
from backend.studies.expand import expand
from tests.backend.make_studies import API, post, study

THREE = [{"method": "none"}, {"method": "hiddenkey", "rate": 0.1}, {"method": "dropkey", "rate": 0.1}]


def plan_of(settings: Settings, plan: dict[str, Any] | None = None, **changes: Any) -> PlanSpec | None:
    """The plan that a study is stored with."""
    body = {"arms": THREE, "seeds": 5} | changes | ({} if plan is None else {"plan": plan})
    return expand(settings, StudySpec.model_validate(study(**body))).or_raise().study.plan


def test_a_study_that_says_nothing_is_looked_at_once(sqlite_settings: Settings) -> None:
    """By its loss, at its own seeds, against its own baseline; on test rows where there are some."""
    expected = PlanSpec(baseline="No dropout", metric="validation/loss", smallest=0.02, seeds=5, looks=(5,))
    assert plan_of(sqlite_settings) == expected
    with_test = plan_of(sqlite_settings, test_rows=64, baseline="hiddenkey")
    assert with_test is not None
    assert (with_test.metric, with_test.baseline) == ("test/loss", "HiddenKey 0.1")


@pytest.mark.parametrize("changes", [{"seeds": 2}, {"arms": THREE[:1]}, {"plan": None}])
def test_what_can_decide_nothing_has_no_plan(sqlite_settings: Settings, changes: dict[str, Any]) -> None:
    """Two seeds, one arm, and whoever only explores: no plan, and no complaint."""
    body = study(**{"arms": THREE, "seeds": 5} | changes)
    assert expand(sqlite_settings, StudySpec.model_validate(body)).or_raise().study.plan is None


def test_what_is_left_out_follows(sqlite_settings: Settings) -> None:
    """Looks at the first seeds and the most; each metric its own smallest difference."""
    more = plan_of(sqlite_settings, {"seeds": 12, "metric": "validation/accuracy"})
    assert more is not None
    assert (more.looks, more.smallest, more.seeds) == ((5, 12), 0.01, 12)
    late = plan_of(sqlite_settings, {"seeds": 8}, seeds=1)
    assert late is not None
    assert late.looks == (8,)
    own = plan_of(sqlite_settings, {"looks": [3, 4, 5], "smallest": 0.5, "arms": ["dropkey"], "clock": "stopped"})
    assert own is not None
    assert (own.looks, own.smallest, own.arms, own.clock) == ((3, 4, 5), 0.5, ("DropKey 0.1",), "stopped")


@pytest.mark.parametrize(
    ("plan", "changes", "pointer", "words"),
    [
        ({}, {"seeds": 1}, "/seeds", "one seed cannot show how differences spread"),
        ({"seeds": 2}, {"seeds": 2}, "/plan/seeds", "2 seeds cannot show"),
        ({"seeds": 4}, {}, "/plan/seeds", "the study has 5 seeds and its plan uses 4"),
        ({"seeds": 65}, {}, "/plan/seeds", "64 seeds at most"),
        ({"looks": [3, 8]}, {}, "/plan/looks/1", "a look at 8 seeds is beyond the plan's 5"),
        ({"looks": [5, 3]}, {}, "/plan/looks/1", "looks rise, and 3 comes after 5"),
        ({"looks": [4, 4, 5]}, {}, "/plan/looks/1", "write each number once"),
        ({"looks": [2, 5]}, {}, "/plan/looks/0", "a look at 2 seeds decides nothing"),
        ({"looks": [3]}, {}, "/plan/looks", "the last look is at 3 seeds and the plan goes to 5"),
        ({"smallest": 0}, {}, "/plan/smallest", "above 0, not 0"),
        ({"smallest": -0.1}, {}, "/plan/smallest", "above 0, not -0.1"),
        ({"metric": "validation/pearson"}, {}, "/plan/metric", "the task classification is not judged by"),
        ({"metric": "test/loss"}, {}, "/plan/metric", "no test rows to judge by"),
        ({"metric": "gap"}, {}, "/plan/metric", "falls where less is learned"),
        ({"metric": "speed"}, {}, "/plan/metric", "take one of validation/loss, validation/accuracy"),
        ({"baseline": "nobody"}, {}, "/plan/baseline", "no arm is called 'nobody'"),
        ({"arms": ["dropkey", "nobody"]}, {}, "/plan/arms/1", "no arm is called 'nobody'"),
        ({"arms": ["none"]}, {}, "/plan/arms/0", "No dropout is what the others are judged against"),
        ({}, {"arms": THREE[:1]}, "/plan", "a single arm has nothing to be judged against"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(
    sqlite_settings: Settings, plan: dict[str, Any], changes: dict[str, Any], pointer: str, words: str
) -> None:
    """One sentence each: what is wrong, where, what to do."""
    with pytest.raises(InvalidInput) as refused:
        plan_of(sqlite_settings, plan, **changes)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert words in refused.value.message


def test_a_study_keeps_its_plan_when_it_grows(sqlite_client: TestClient) -> None:
    """More seeds and arms than planned change nothing of what was declared; arms that come later are not judged."""
    study_id = post(sqlite_client, arms=THREE, seeds=3, plan={"seeds": 4})["id"]
    before = sqlite_client.get(f"{API}/studies/{study_id}").json()["spec"]["plan"]
    assert (before["looks"], before["arms"]) == ([3, 4], None)
    more = {"seeds": 6, "arms": [{"method": "hiddencut", "rate": 0.1}]}
    answer = sqlite_client.post(f"{API}/studies/{study_id}/extend", json=more)
    assert answer.status_code == 202, answer.text
    assert answer.json()["spec"]["plan"] == before | {"arms": ["HiddenKey 0.1", "DropKey 0.1"]}
    assert sqlite_client.patch(f"{API}/studies/{study_id}", json={"baseline": "dropkey"}).status_code == 200
    assert sqlite_client.get(f"{API}/studies/{study_id}").json()["spec"]["plan"]["baseline"] == before["baseline"]


def test_an_unplanned_study_stays_unplanned(sqlite_client: TestClient) -> None:
    """A study of two seeds gets no plan by growing: it was looked at already."""
    study_id = post(sqlite_client, seeds=2)["id"]
    answer = sqlite_client.post(f"{API}/studies/{study_id}/extend", json={"seeds": 5})
    assert answer.json()["spec"]["plan"] is None


RANKED = [{"method": name, "rank": [4, 8]} for name in ("none", "dropkey")]


def test_where_rank_is_an_axis_each_rank_has_its_baseline(sqlite_settings: Settings) -> None:
    plan = plan_of(sqlite_settings, arms=RANKED)
    assert plan is not None
    assert (plan.baseline, plan.baselines) == ("No dropout · r4", ("No dropout · r4", "No dropout · r8"))
    wider = plan_of(sqlite_settings, arms=RANKED, baseline="No dropout · r8")
    assert wider is not None
    assert (wider.baseline, wider.baselines) == ("No dropout · r8", ("No dropout · r8", "No dropout · r4"))


@pytest.mark.parametrize(
    "arms",
    [
        [*THREE, {"method": "none", "label": "Half the rank", "rank": 4}],
        [{"method": "none"}, {"method": "dropkey", "rank": [4, 8]}],
        [{"method": "none"}, {"method": "dropkey", "rank": 4}, {"method": "none", "rank": 4, "learning_rate": 1e-4}],
    ],
    ids=["a free rival alone at its rank", "no mate", "a mate that differs in more"],
)
def test_one_baseline_for_all_remains_where_rank_is_no_axis(
    sqlite_settings: Settings, arms: list[dict[str, Any]]
) -> None:
    plan = plan_of(sqlite_settings, arms=arms)
    assert plan is not None
    assert plan.baselines is None


def test_baselines_may_be_named_and_a_rank_has_one(sqlite_settings: Settings) -> None:
    alone = plan_of(sqlite_settings, {"baselines": ["No dropout · r4"]}, arms=RANKED)
    assert alone is not None
    assert (alone.baseline, alone.baselines) == ("No dropout · r4", None)
    for plan, pointer, words in (
        ({"baselines": ["No dropout · r4", "DropKey 0.1 · r4"]}, "/plan/baselines/1", "a rank has one baseline"),
        ({"baselines": ["nobody"]}, "/plan/baselines/0", "no arm is called 'nobody'"),
        ({"arms": ["No dropout · r8"]}, "/plan/arms/0", "leave it out of the arms that are judged"),
    ):
        body = study(arms=RANKED, seeds=5, plan=plan)
        found = expand(sqlite_settings, StudySpec.model_validate(body)).problems
        assert [(one.pointer, words in one.message) for one in found] == [(pointer, True)]


def test_the_preview_says_that_each_rank_has_its_own(sqlite_client: TestClient) -> None:
    body = study(arms=RANKED, seeds=5)
    told = sqlite_client.post(f"{API}/studies/preview", json=body).json()["plan"]["sentence"]
    assert told.startswith("2 arms are judged against the baseline of their rank (No dropout · r4, No dropout · r8) by")


def test_an_extended_study_keeps_its_baselines(sqlite_client: TestClient) -> None:
    made = post(sqlite_client, arms=RANKED, seeds=3)
    more = {"arms": [{"method": "hiddenkey", "rank": 8}]}
    assert sqlite_client.post(f"{API}/studies/{made['id']}/extend", json=more).status_code == 202
    plan = sqlite_client.get(f"{API}/studies/{made['id']}").json()["spec"]["plan"]
    assert plan["baselines"] == ["No dropout · r4", "No dropout · r8"]
    assert plan["arms"] == ["DropKey 0.1 · r4", "DropKey 0.1 · r8"]
