"""From the set-up link to a team: accounts, sessions, roles, and how each of them ends."""

from typing import Any

import pytest

from backend.accounts import service as accounts
from backend.accounts.auth import COOKIE
from backend.shared.team_tables import BrowserSession, Invitation, User
from tests.backend.make_studies import study
from tests.team.people import API, PASSWORD, URL, Team, past

FROM_HERE = {"Origin": URL}


def _new(secret: str, email: str = "ada@example.org", **changes: str) -> dict[str, str]:
    return {"secret": secret, "email": email, "name": "Ada", "password": PASSWORD, **changes}


def _cookie(answer: Any) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={answer.cookies[COOKIE]}", **FROM_HERE}


def test_from_set_up_link_to_a_member_who_signs_out(any_team: Team) -> None:
    client = any_team.client
    secret = accounts.setup_secret(any_team.database)
    assert secret is not None
    first = client.post(f"{API}/auth/setup", json=_new(secret), headers=FROM_HERE)
    assert first.status_code == 200, first.text
    assert (first.json()["role"], first.json()["how"], first.json()["auth"]) == ("admin", "session", True)
    attributes = first.headers["set-cookie"].lower()
    assert "httponly" in attributes
    assert "samesite=lax" in attributes
    assert "secure" not in attributes
    admin = _cookie(first)
    client.cookies.clear()

    assert client.post(f"{API}/auth/setup", json=_new(secret, "b@example.org")).status_code == 401
    assert accounts.setup_secret(any_team.database) is None

    invited = client.post(f"{API}/invitations", json={"role": "member"}, headers=admin)
    assert invited.status_code == 201
    assert invited.json()["path"] == f"/invite#{invited.json()['secret']}"
    member = client.post(f"{API}/invitations/accept", json=_new(invited.json()["secret"], "Grace@Example.org "))
    assert member.status_code == 200, member.text
    assert (member.json()["role"], member.json()["email"]) == ("member", "grace@example.org")
    client.cookies.clear()
    again = client.post(f"{API}/invitations/accept", json=_new(invited.json()["secret"], "c@example.org"))
    assert again.status_code == 401
    assert "ask for a new one" in again.json()["detail"]

    wrong = client.post(f"{API}/auth/login", json={"email": "grace@example.org", "password": "x" * 12})
    unknown = client.post(f"{API}/auth/login", json={"email": "nobody@example.org", "password": "x" * 12})
    assert (wrong.status_code, wrong.json()["detail"]) == (401, unknown.json()["detail"])
    right = client.post(
        f"{API}/auth/login",
        json={"email": "GRACE@example.org", "password": PASSWORD},
        headers={"Origin": "https://127.0.0.1"},
    )
    assert right.status_code == 200
    assert "secure" in right.headers["set-cookie"].lower()
    grace = _cookie(right)
    client.cookies.clear()
    assert client.get(f"{API}/studies", headers=grace).status_code == 200
    assert client.post(f"{API}/auth/logout", headers=grace).status_code == 204
    assert client.get(f"{API}/studies", headers=grace).status_code == 401


def test_only_the_newest_set_up_link_works(team: Team) -> None:
    old, new = accounts.setup_secret(team.database), accounts.setup_secret(team.database)
    assert old is not None
    assert new is not None
    assert team.client.post(f"{API}/auth/setup", json=_new(old)).status_code == 401
    with team.database.write() as session:
        for row in session.query(Invitation):
            row.expires_at = past()
    assert team.client.post(f"{API}/auth/setup", json=_new(new)).status_code == 401


def test_what_is_typed_is_checked_before_the_link_is_spent(team: Team) -> None:
    secret = accounts.setup_secret(team.database)
    assert secret is not None
    for change, pointer in (
        ({"email": "no address"}, "/email"),
        ({"password": "short"}, "/password"),
        ({"password": "ada@example.org"}, "/password"),
        ({"name": "  "}, "/name"),
    ):
        answer = team.client.post(f"{API}/auth/setup", json=_new(secret) | change)
        assert answer.status_code == 422, change
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert team.client.post(f"{API}/auth/setup", json=_new(secret)).status_code == 200


def test_a_session_slides_and_ends(team: Team) -> None:
    viewer = team.person("viewer")
    with team.database.write() as session:
        row = session.query(BrowserSession).filter_by(user_id=viewer.id).one()
        row.last_used_at = row.created_at.replace(year=row.created_at.year - 1)
        before = row.expires_at
    assert team.client.get(f"{API}/me", headers=viewer.headers).status_code == 200
    with team.database.write() as session:
        row = session.query(BrowserSession).filter_by(user_id=viewer.id).one()
        assert row.expires_at > before
        row.expires_at = past()
    assert team.client.get(f"{API}/me", headers=viewer.headers).status_code == 401


def test_a_write_with_the_cookie_must_say_its_origin(team: Team) -> None:
    cookie = {"Cookie": team.person("admin").headers["Cookie"]}
    answer = team.client.post(f"{API}/invitations", json={}, headers=cookie)
    assert answer.status_code == 403
    assert "Origin" in answer.json()["detail"]
    assert team.client.post(f"{API}/invitations", json={}, headers=cookie | FROM_HERE).status_code == 201


def test_a_role_changes_at_once_and_the_last_admin_stays(team: Team) -> None:
    admin, member = team.person("admin"), team.person("member")
    path = f"{API}/users/{member.id}"
    assert team.client.post(f"{API}/invitations", json={}, headers=member.headers).status_code == 403
    assert team.client.patch(path, json={"role": "admin"}, headers=admin.headers).status_code == 200
    assert team.client.post(f"{API}/invitations", json={}, headers=member.headers).status_code == 201
    gone = team.client.patch(f"{API}/users/{admin.id}", json={"active": False}, headers=member.headers)
    assert gone.json()["active"] is False
    assert team.client.get(f"{API}/me", headers=admin.headers).status_code == 401
    last = team.client.patch(path, json={"role": "viewer"}, headers=member.headers)
    assert last.status_code == 409
    assert "last admin" in last.json()["detail"]
    with team.database.read() as session:
        assert session.get_one(User, member.id).deactivated_at is None


def test_addresses_are_for_admins(team: Team) -> None:
    admin, viewer = team.person("admin"), team.person("viewer")
    shown = {u["id"]: u["email"] for u in team.client.get(f"{API}/users", headers=viewer.headers).json()["items"]}
    assert shown[admin.id] is None
    assert shown[viewer.id] == f"{viewer.id}@example.org"
    listed = team.client.get(f"{API}/users", headers=admin.headers).json()["items"]
    assert all(user["email"] for user in listed)


def test_a_changed_password_ends_the_other_sessions(team: Team) -> None:
    secret = accounts.setup_secret(team.database)
    assert secret is not None
    here = _cookie(team.client.post(f"{API}/auth/setup", json=_new(secret)))
    team.client.cookies.clear()
    login = {"email": "ada@example.org", "password": PASSWORD}
    there = _cookie(team.client.post(f"{API}/auth/login", json=login))
    team.client.cookies.clear()
    change = {"old": PASSWORD, "new": "four other words now"}
    wrong = team.client.post(f"{API}/auth/password", json=change | {"old": "no"}, headers=here)
    assert wrong.status_code == 422
    assert team.client.post(f"{API}/auth/password", json=change, headers=here).status_code == 204
    assert team.client.get(f"{API}/me", headers=here).status_code == 200
    assert team.client.get(f"{API}/me", headers=there).status_code == 401
    assert team.client.post(f"{API}/auth/login", json=login).status_code == 401


@pytest.mark.parametrize("route", ["auth/setup", "auth/login", "invitations/accept"])
def test_without_accounts_nobody_signs_in(route: str, team: Team) -> None:
    context = team.app.state.context
    object.__setattr__(context, "settings", team.settings.model_copy(update={"auth": False}))
    answer = team.client.post(
        f"{API}/{route}", json=_new("x") if route != "auth/login" else {"email": "a@b", "password": "x"}
    )
    assert answer.status_code == 409
    assert "DROPSCOPE_AUTH" in answer.json()["detail"]
    assert team.client.get(f"{API}/me").json() == {
        "user_id": "local-owner",
        "workspace_id": "local",
        "role": "admin",
        "how": "local",
        "auth": False,
        "name": "Local owner",
        "email": None,
    }
    refused = team.client.post(f"{API}/tokens", json={"name": "x"})
    assert refused.status_code == 409


def test_a_run_says_who_started_it(any_team: Team) -> None:
    author, reader = any_team.person("member"), any_team.person("viewer")
    made = any_team.client.post(f"{API}/studies", json=study(), headers=author.headers).json()
    run = any_team.client.get(f"{API}/studies/{made['id']}/runs", headers=reader.headers).json()["items"][0]
    detail = any_team.client.get(f"{API}/runs/{run['id']}", headers=reader.headers).json()
    assert detail["started_by"] == "A member"


def test_the_audit_log_tells_who_was_changed_from_what_to_what(team: Team) -> None:
    admin, other = team.person("admin"), team.person("viewer")
    client = team.client
    body = {"role": "member", "name": " Grace "}
    invited = client.post(f"{API}/invitations", json=body, headers=admin.headers).json()
    (listed,) = client.get(f"{API}/invitations", headers=admin.headers).json()["items"]
    assert invited["name"] == listed["name"] == "Grace"
    client.patch(f"{API}/users/{other.id}", json={"role": "member"}, headers=admin.headers)
    client.patch(f"{API}/users/{other.id}", json={"active": False}, headers=admin.headers)
    newest, before, invitation = client.get(f"{API}/audit", headers=admin.headers).json()["items"][:3]
    assert newest["detail"]["account"] == "from active to deactivated"
    assert before["detail"]["role"] == "from viewer to member"
    assert before["detail"]["whom"] == newest["detail"]["whom"]
    assert invitation["detail"] == {"role": "member", "whom": " Grace "}
    mine = client.get(f"{API}/audit", params={"user_id": other.id}, headers=admin.headers).json()["items"]
    assert mine == []
