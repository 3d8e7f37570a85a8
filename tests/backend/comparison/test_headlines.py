"""The list of studies tells each study's verdict, from what is kept beside it."""

from fastapi.testclient import TestClient
from sqlalchemy import event, update

from backend.comparison.headlines import Headlines
from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.tables import Study
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, train


def _headlines(client: TestClient) -> Headlines:
    parts = client.app.state  # type: ignore[attr-defined]
    parts.headlines.stop()  # the test looks itself
    return Headlines(inside(client).database, parts.comparisons)


def _listed(client: TestClient) -> dict[str, object]:
    (item,) = client.get(f"{API}/studies").json()["items"]
    told: dict[str, object] = item["headline"]
    return told


def test_a_study_that_stands_still_gets_its_verdict_as_headline(
    client: TestClient, database: Database, settings: Settings
) -> None:
    headlines = _headlines(client)
    study_id = post(client, seeds=3)["id"]
    train(database, settings.home)
    assert _listed(client) is None
    headlines.look()
    assert headlines.look() == 1, "it is as it was at the look before"
    verdict = client.get(f"{API}/studies/{study_id}/comparison").json()["verdict"]
    assert _listed(client) == {"text": verdict["headline"], "state": verdict["state"], "current": True}
    assert headlines.look() == 0

    before = client.get(f"{API}/studies/{study_id}").json()["last_activity_at"]
    client.patch(f"{API}/studies/{study_id}", json={"name": "renamed"})
    assert _listed(client)["current"] is False
    assert headlines.look() == 0, "it has just changed"
    assert headlines.look() == 1
    assert _listed(client)["current"] is True
    after = client.get(f"{API}/studies/{study_id}").json()["last_activity_at"]
    assert after > before, "the renaming is activity; the headline is none"

    with database.write() as session:
        session.execute(update(Study).values(headline_by="another release"))
    assert headlines.look() == 1, "words of another release are written anew"


def test_a_study_that_cannot_be_compared_keeps_no_other_from_its_headline(
    client: TestClient, database: Database, settings: Settings
) -> None:
    headlines = _headlines(client)
    broken, sound = (post(client, name=name, seeds=1)["id"] for name in ("broken", "sound"))
    train(database, settings.home)
    with database.write() as session:
        session.execute(update(Study).where(Study.id == broken).values(baseline_arm_id="arm_gone", spec={}))
    assert [headlines.look() for _ in range(4)] == [0, 1, 0, 0]
    with database.read() as session:
        kept = session.get(Study, sound)
        assert kept is not None
        assert kept.headline_state is not None


def test_tags_and_people_are_listed_in_few_queries_however_many_studies(client: TestClient) -> None:
    first = post(client, seeds=1)["id"]
    answer = client.patch(f"{API}/studies/{first}", json={"tags": [" paper ", "Paper", "ranks"]})
    assert answer.json()["tags"] == ["paper", "ranks"], "one word in two spellings is one tag"
    assert client.patch(f"{API}/studies/{first}", json={"tags": ["x" * 41]}).status_code == 422

    def queries() -> int:
        asked: list[str] = []

        def count(connection: object, cursor: object, statement: str, *_: object) -> None:
            asked.append(statement)

        engine = inside(client).database.engine
        event.listen(engine, "before_cursor_execute", count)
        client.get(f"{API}/studies", params={"limit": 1000}).raise_for_status()
        event.remove(engine, "before_cursor_execute", count)
        return len(asked)

    one = queries()
    for at in range(3):
        post(client, name=f"study {at}", seeds=1)
    assert queries() == one
    assert client.get(f"{API}/studies", params={"limit": 1001}).status_code == 422
