"""What a share link shows, to whom, for how long; and that it shows nothing else."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from backend.shared.tables import Run, now
from backend.shared.team_tables import Share
from tests.backend.make_studies import study, train
from tests.team.people import API, Person, Team, past

HOSTILE = "<script>alert(1)</script> =1+1 \u202e \U0001f600"
CANARY = "/srv/secret/rows.csv"


@pytest.fixture
def author(any_team: Team) -> Person:
    return any_team.person("member")


def _study(team: Team, who: Person, **changes: Any) -> str:
    answer = team.client.post(f"{API}/studies", json=study(**changes), headers=who.headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def _share(team: Team, who: Person, study_id: str, **changes: Any) -> dict[str, Any]:
    answer = team.client.post(f"{API}/shares", json={"study_id": study_id, **changes}, headers=who.headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_frozen_link_stays_and_a_live_one_goes_on(any_team: Team, author: Person) -> None:
    study_id = _study(any_team, author)
    train(any_team.database, any_team.settings.home)
    frozen = _share(any_team, author, study_id)
    live = _share(any_team, author, study_id, mode="live", show_author=True)
    assert frozen["path"] == f"/s/{frozen['secret']}"
    paths = {one["mode"]: f"{API}/shared/{one['secret']}" for one in (frozen, live)}
    before = {mode: any_team.client.get(f"{path}/comparison").json() for mode, path in paths.items()}
    assert before["frozen"] == before["live"]
    own = any_team.client.get(f"{API}/studies/{study_id}/comparison", headers=author.headers).json()
    assert before["live"] == own

    more = {"arms": [{"method": "dropkey", "rate": 0.1}], "seeds": 3}
    extended = any_team.client.post(f"{API}/studies/{study_id}/extend", json=more, headers=author.headers)
    assert extended.status_code == 202
    after = {mode: any_team.client.get(f"{path}/comparison").json() for mode, path in paths.items()}
    assert after["frozen"] == before["frozen"]
    assert len(after["live"]["arms"]) == 3
    shown = {mode: any_team.client.get(path).json() for mode, path in paths.items()}
    assert (shown["frozen"]["counts"]["total"], shown["live"]["counts"]["total"]) == (4, 9)
    assert (shown["frozen"]["author"], shown["live"]["author"]) == (None, "A member")
    assert len(shown["frozen"]["spec"]["arms"]) == 2
    for path in paths.values():
        figure = any_team.client.get(f"{path}/figures/losses", params={"x": "epoch", "band": "seeds"})
        assert figure.status_code == 200
        assert figure.json()["data"]


def test_every_number_survives_freezing(any_team: Team, author: Person) -> None:
    study_id = _study(any_team, author)
    train(
        any_team.database,
        any_team.settings.home,
        loss=lambda seed, arm, step: float("nan") if step > 4 and arm else 0.5,
    )
    path = f"{API}/shared/{_share(any_team, author, study_id)['secret']}"
    for query in ({}, {"x": "epoch", "metric": "gap", "band": "minmax"}, {"baseline": "hiddenkey"}):
        own = any_team.client.get(f"{API}/studies/{study_id}/comparison", params=query, headers=author.headers)
        assert any_team.client.get(f"{path}/comparison", params=query).json() == own.json()


def test_a_link_ends_by_revocation_and_by_time(any_team: Team, author: Person) -> None:
    study_id = _study(any_team, author)
    first, second = _share(any_team, author, study_id), _share(any_team, author, study_id, mode="live")
    for end in ("revoke", "expire"):
        made = first if end == "revoke" else second
        path = f"{API}/shared/{made['secret']}"
        assert any_team.client.get(path).status_code == 200
        if end == "revoke":
            assert any_team.client.delete(f"{API}/shares/{made['id']}", headers=author.headers).status_code == 204
        else:
            with any_team.database.write() as session:
                session.execute(update(Share).where(Share.id == made["id"]).values(expires_at=past()))
        for rest in ("", "/comparison", "/figures/losses", "/stream"):
            gone = any_team.client.get(path + rest)
            assert gone.status_code == 404
            assert made["secret"] not in gone.text
    listed = any_team.client.get(f"{API}/shares", params={"study_id": study_id}, headers=author.headers).json()["items"]
    assert [one["views"] for one in listed] == [1, 1]
    assert listed[1]["revoked_at"] is not None
    assert "secret" not in listed[0]


def test_links_last_as_long_as_asked_and_90_days_at_most(any_team: Team, author: Person) -> None:
    study_id = _study(any_team, author)
    with any_team.database.read() as session:
        row = session.get_one(Share, _share(any_team, author, study_id)["id"])
    assert abs(row.expires_at - now() - timedelta(days=7)) < timedelta(minutes=1)
    too_long = {"study_id": study_id, "expires_in_days": 91}
    assert any_team.client.post(f"{API}/shares", json=too_long, headers=author.headers).status_code == 422
    other = any_team.person("member", "elsewhere")
    foreign = any_team.client.post(f"{API}/shares", json={"study_id": study_id}, headers=other.headers)
    assert foreign.status_code == 404


@pytest.mark.parametrize("mode", ["frozen", "live"])
def test_a_stranger_reads_no_people_paths_or_sentences_of_failures(mode: str, any_team: Team, author: Person) -> None:
    study_id = _study(any_team, author, name=HOSTILE)
    train(any_team.database, any_team.settings.home, packs=1)
    with any_team.database.write() as session:
        failed = {"status": "failed", "failure_code": "crashed", "message": f"cannot read {CANARY}"}
        session.execute(update(Run).where(Run.status == "queued").values(**failed))
    own = any_team.client.get(f"{API}/studies/{study_id}/comparison", headers=author.headers)
    assert CANARY in own.text
    path = f"{API}/shared/{_share(any_team, author, study_id, mode=mode)['secret']}"
    answers = [any_team.client.get(path + rest) for rest in ("", "/comparison", "/figures/losses", "/figures/ranking")]
    for answer in answers:
        assert answer.status_code == 200
        for hidden in (CANARY, author.id, "A member", "example.org", str(any_team.settings.home), "storage_key"):
            assert hidden not in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Content-Type"].startswith("application/json")
    assert answers[0].json()["name"] == HOSTILE
    more = {"task", "lora", "baseline", "plan", "spec_version", "test_rows", "generation", "start_from"}
    more |= {"also_measure", "also_rows"}
    assert set(answers[0].json()["spec"]) <= set(study()) | more
    assert "<script>" not in json.dumps(answers[2].json()["layout"].get("title", ""))
    page = any_team.client.get("/s/anything")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]


@pytest.mark.parametrize("mode", ["frozen", "live"])
def test_a_stranger_takes_the_numbers_away(mode: str, any_team: Team, author: Person) -> None:
    study_id = _study(any_team, author)
    train(any_team.database, any_team.settings.home, packs=1)
    secret = _share(any_team, author, study_id, mode=mode)["secret"]
    own = any_team.client.get(f"{API}/studies/{study_id}/export.csv", headers=author.headers).text
    answer = any_team.client.get(f"{API}/shared/{secret}/export.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    shared, whole = (list(csv.DictReader(io.StringIO(text))) for text in (answer.text, own))
    assert len(shared) == len(whole) > 0
    assert sorted(shared, key=str) == sorted(whole, key=str)
    train(any_team.database, any_team.settings.home)
    later = any_team.client.get(f"{API}/shared/{secret}/export.csv").text
    assert (later == answer.text) == (mode == "frozen")
    gone = any_team.client.get(f"{API}/shared/{secret[:-3]}abc/export.csv")
    assert gone.status_code == 404


def test_guessing_is_slowed_down_and_readers_are_not(any_team: Team, author: Person) -> None:
    secret = _share(any_team, author, _study(any_team, author))["secret"]
    for _ in range(15):
        assert any_team.client.get(f"{API}/shared/{secret}").status_code == 200
    wrong = [letter for letter in "abcdefghijklmno" if letter != secret[-1]][:14]
    statuses = [any_team.client.get(f"{API}/shared/{secret[:-1]}{letter}").status_code for letter in wrong]
    assert statuses == [404] * 10 + [429] * 4
    assert any_team.client.get(f"{API}/shared/{secret}").status_code == 200


def test_a_link_shows_the_report_only_where_chosen_and_a_frozen_one_as_it_was(any_team: Team, author: Person) -> None:
    study_id = _study(any_team, author)
    asked = {"study_id": study_id, "show_report": True}
    none_yet = any_team.client.post(f"{API}/shares", json=asked, headers=author.headers)
    assert none_yet.status_code == 409
    written = {"title": "What we saw", "text": "It *holds* <script>alert(1)</script>", "version": 0}
    saved = any_team.client.put(f"{API}/studies/{study_id}/report", json=written, headers=author.headers)
    assert saved.status_code == 200, saved.text
    links = {
        "frozen": _share(any_team, author, study_id, show_report=True),
        "live": _share(any_team, author, study_id, show_report=True, mode="live"),
        "bare": _share(any_team, author, study_id),
    }
    later = {"title": "What we saw later", "text": "No.", "version": 1}
    any_team.client.put(f"{API}/studies/{study_id}/report", json=later, headers=author.headers)
    shown = {name: any_team.client.get(f"{API}/shared/{made['secret']}").json() for name, made in links.items()}
    assert shown["bare"]["report"] is None
    assert shown["frozen"]["report"]["title"] == "What we saw"
    assert "<em>holds</em>" in shown["frozen"]["report"]["text_html"]
    assert "<script" not in shown["frozen"]["report"]["text_html"]
    assert shown["live"]["report"]["title"] == "What we saw later"
