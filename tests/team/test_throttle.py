"""Tries are counted by what is tried and from where, and forgotten in time."""

import pytest

from backend.services.throttle import MOST_KEYS, Throttle
from backend.shared.errors import TooManyRequests
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


def test_passwords_are_guessed_ten_times_a_minute(team: Team) -> None:
    def guess(email: str) -> int:
        return team.client.post(f"{API}/auth/login", json={"email": email, "password": "guess"}).status_code

    statuses = [guess("ada@example.org") for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    refused = team.client.post(f"{API}/auth/login", json={"email": "ADA@example.org ", "password": "guess"})
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    others = [guess(f"{number}@example.org") for number in range(25)]
    assert others.count(429) > 0, "one place may not try address after address"
