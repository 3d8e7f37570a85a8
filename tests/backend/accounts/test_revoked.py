"""Revoked means gone: what a credential or an account made for others ends with it."""

from typing import Any

import pytest

from backend.accounts import passwords, sessions
from backend.shared.errors import Unavailable
from backend.shared.team_tables import Membership, User
from tests.backend.make_studies import API, study
from tests.team.people import PASSWORD, Person, Team, bearer

NEW = "four other words now"


def _study(team: Team, person: Person) -> str:
    made = team.client.post(f"{API}/studies", json=study(seeds=1), headers=person.headers)
    return str(made.json()["id"])


def _link(team: Team, study_id: str, headers: dict[str, str]) -> str:
    made = team.client.post(f"{API}/shares", json={"study_id": study_id}, headers=headers)
    assert made.status_code == 201, made.text
    return f"{API}/shared/{made.json()['secret']}"


def _opens(team: Team, link: str) -> bool:
    status = team.client.get(link).status_code
    assert status in (200, 404)
    return status == 200


def _patch(team: Team, admin: Person, user: Person, **changes: Any) -> None:
    answer = team.client.patch(f"{API}/users/{user.id}", json=changes, headers=admin.headers)
    assert answer.status_code == 200, answer.text


def test_links_that_a_token_made_end_with_it(any_team: Team) -> None:
    member = any_team.person("member")
    study_id, token, other = _study(any_team, member), any_team.token(member), any_team.token(member)
    own = _link(any_team, study_id, member.headers)
    of_token, of_other = (_link(any_team, study_id, bearer(text)) for text in (token, other))
    revoked = any_team.client.delete(f"{API}/tokens/token_{token[3:21]}", headers=member.headers)
    assert revoked.status_code == 204
    assert [_opens(any_team, link) for link in (of_token, of_other, own)] == [False, True, True]


def test_a_link_that_the_audit_log_lacks_ends_with_a_token_of_its_person(
    any_team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    member, other = any_team.person("member"), any_team.person("member")
    study_id, token = _study(any_team, member), any_team.token(member)

    def locked(*_: object) -> None:
        raise Unavailable("the database was locked for more than 10 s by another process; try again in a moment")

    with monkeypatch.context() as busy:
        busy.setattr("backend.accounts.audit.write", locked)
        unlogged = _link(any_team, study_id, bearer(token))
        of_another = _link(any_team, study_id, other.headers)
    own = _link(any_team, study_id, member.headers)
    any_team.client.delete(f"{API}/tokens/token_{token[3:21]}", headers=member.headers)
    assert [_opens(any_team, link) for link in (unlogged, of_another, own)] == [False, True, True]


def test_what_an_account_made_ends_with_it(any_team: Team) -> None:
    admin, leaving = any_team.person("admin"), any_team.person("admin")
    study_id, token = _study(any_team, admin), any_team.token(leaving)
    kept, gone = (_link(any_team, study_id, person.headers) for person in (admin, leaving))
    invited = any_team.client.post(f"{API}/invitations", json={"role": "admin"}, headers=leaving.headers).json()
    _patch(any_team, admin, leaving, active=False)
    assert [_opens(any_team, link) for link in (kept, gone)] == [True, False]
    new = {"secret": invited["secret"], "email": "eve@example.org", "name": "Eve", "password": PASSWORD}
    assert any_team.client.post(f"{API}/invitations/accept", json=new).status_code == 401
    _patch(any_team, admin, leaving, active=True)
    assert any_team.client.get(f"{API}/me", headers=bearer(token)).status_code == 401, "it does not come back"
    assert not _opens(any_team, gone)


def test_invitations_end_with_the_right_to_invite(team: Team) -> None:
    admin, other = team.person("admin"), team.person("admin")
    for inviter, is_kept in ((admin, True), (other, False)):
        team.client.post(f"{API}/invitations", json={}, headers=inviter.headers)
        if not is_kept:
            _patch(team, admin, other, role="member")
        found = team.client.get(f"{API}/invitations", headers=admin.headers).json()["items"]
        assert [one["created_by"] for one in found] == [admin.id]


@pytest.mark.slow
def test_a_changed_password_ends_the_tokens(team: Team) -> None:
    member = team.person("member")
    with team.database.write() as session:
        session.get_one(User, member.id).password_hash = passwords.hashed(PASSWORD)
    token = team.token(member)
    link = _link(team, _study(team, member), bearer(token))
    changed = team.client.post(f"{API}/auth/password", json={"old": PASSWORD, "new": NEW}, headers=member.headers)
    assert changed.status_code == 204
    assert team.client.get(f"{API}/me", headers=member.headers).status_code == 200, "this session goes on"
    assert team.client.get(f"{API}/me", headers=bearer(token)).status_code == 401
    assert not _opens(team, link)


def test_a_password_set_on_the_server_ends_the_tokens(team: Team) -> None:
    member = team.person("member")
    token = team.token(member)
    with team.database.write() as session:
        sessions.end_all(session, member.id)
    assert team.client.get(f"{API}/me", headers=bearer(token)).status_code == 401


@pytest.mark.parametrize(("role", "goes_on"), [("admin", True), ("member", True), ("viewer", False)])
def test_what_runs_goes_on_with_a_role_no_smaller(team: Team, role: str, goes_on: bool) -> None:
    """An upload asks this every few seconds."""
    member = team.person("member")
    token = team.token(member)
    with team.database.read() as session:
        who = sessions.by_token(session, token)
    assert who is not None
    with team.database.write() as session:
        session.get_one(Membership, member.id).role = role
    with team.database.read() as session:
        assert sessions.still_valid(session, who) is goes_on
