"""Tries are counted by what is tried and from where, and forgotten in time."""

import pytest

from backend.edge.throttle import MOST_KEYS, Throttle
from backend.shared.errors import TooManyRequests
from backend.studies import service as studies
from tests.backend.make_studies import study
from tests.team.people import API, Team


def test_ten_a_minute_then_a_wait_that_is_named() -> None:
    at = 0.0
    throttle = Throttle(clock=lambda: at)
    for _ in range(10):
        throttle.count("login")
        at += 1
    with pytest.raises(TooManyRequests) as refused:
        throttle.count("login")
    assert refused.value.retry_after_s == 50
    throttle.count("login of somebody else")
    at = 60.0
    throttle.count("login")
    with pytest.raises(TooManyRequests):
        throttle.count("login")


def test_memory_is_bounded() -> None:
    throttle = Throttle()
    for number in range(MOST_KEYS + 500):
        throttle.count(str(number))
    assert len(throttle._tries) == MOST_KEYS


@pytest.mark.slow
def test_passwords_are_guessed_ten_times_a_minute(team: Team) -> None:
    def guess(email: str) -> int:
        return team.client.post(f"{API}/auth/login", json={"email": email, "password": "guess"}).status_code

    statuses = [guess("ada@example.org") for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    refused = team.client.post(f"{API}/auth/login", json={"email": "ADA@example.org ", "password": "guess"})
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    others = [guess(f"{number}@example.org") for number in range(25)]
    assert others.count(429) > 0, "one place may not try address after address"


def test_a_person_of_a_team_cannot_fill_the_queue(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    member, other = team.person("member"), team.person("member")
    monkeypatch.setattr(studies, "MOST_QUEUED", 6)
    made = team.client.post(f"{API}/studies", json=study(seeds=2), headers=member.headers)
    assert made.status_code == 202
    grown = team.client.post(f"{API}/studies/{made.json()['id']}/extend", json={"seeds": 4}, headers=member.headers)
    assert grown.status_code == 409
    assert "you have 4 runs waiting and this would add 4" in grown.json()["detail"]
    assert team.client.post(f"{API}/studies", json=study(seeds=3), headers=other.headers).status_code == 202
    for _ in range(team.settings.studies_per_hour - 2):
        assert team.client.post(f"{API}/studies", json=study(model="none"), headers=member.headers).status_code == 422
    refused = team.client.post(f"{API}/studies", json=study(seeds=9), headers=member.headers)
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    for _ in range(team.settings.uploads_per_hour):
        assert team.client.post(f"{API}/uploads", json={"name": "a.csv"}, headers=other.headers).status_code == 201
    assert team.client.post(f"{API}/uploads", json={"name": "a.csv"}, headers=other.headers).status_code == 429
