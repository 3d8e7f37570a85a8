"""API tokens: made once, narrowed by scope, worthless when altered, expired or revoked."""

import pytest
from sqlalchemy import select

from backend.accounts import auth, credentials, sessions
from backend.shared.errors import Unauthorized
from backend.shared.team_tables import ApiToken, Membership
from tests.backend.make_studies import study
from tests.team.people import API, Team, bearer, past


def test_a_token_is_shown_once_and_only_its_hash_is_kept(any_team: Team) -> None:
    member = any_team.person("member")
    made = any_team.client.post(f"{API}/tokens", json={"name": "nightly", "scope": "run"}, headers=member.headers)
    assert made.status_code == 201
    text = made.json()["token"]
    assert credentials.token_id(text) == made.json()["id"]
    listed = any_team.client.get(f"{API}/tokens", headers=member.headers).json()["items"]
    assert "token" not in listed[0]
    with any_team.database.read() as session:
        row = session.scalars(select(ApiToken)).one()
        assert text[22:] not in row.secret_hash
        assert row.secret_hash == credentials.digest(text)
    used = any_team.client.get(f"{API}/me", headers=bearer(text))
    assert (used.status_code, used.json()["how"], used.json()["role"]) == (200, "token", "member")
    assert any_team.client.get(f"{API}/tokens", headers=member.headers).json()["items"][0]["last_used_at"]


def test_a_scope_narrows_and_never_widens(team: Team) -> None:
    admin, viewer = team.person("admin"), team.person("viewer")
    reading = bearer(team.token(admin, "read"))
    assert team.client.get(f"{API}/studies", headers=reading).status_code == 200
    refused = team.client.post(f"{API}/studies", json=study(), headers=reading)
    assert refused.status_code == 403
    assert "scope" in refused.json()["detail"]
    too_much = team.client.post(f"{API}/tokens", json={"name": "x", "scope": "run"}, headers=viewer.headers)
    assert too_much.status_code == 403
    kept = bearer(team.token(admin, "admin"))
    team.client.patch(f"{API}/users/{team.person('admin').id}", json={}, headers=admin.headers)
    assert team.client.get(f"{API}/invitations", headers=kept).status_code == 200
    with team.database.write() as session:
        session.get_one(Membership, admin.id).role = "viewer"
    assert team.client.get(f"{API}/invitations", headers=kept).status_code == 403


def test_a_token_makes_no_credentials(team: Team) -> None:
    token = bearer(team.token(team.person("admin")))
    for method, path in (("POST", "tokens"), ("POST", "invitations"), ("PATCH", f"users/{team.person('viewer').id}")):
        answer = team.client.request(method, f"{API}/{path}", json={"name": "x"}, headers=token)
        assert answer.status_code == 403, path
        assert "sign in" in answer.json()["detail"]


def test_what_does_not_work_is_401(team: Team) -> None:
    member = team.person("member")
    good = team.token(member)
    other = team.token(member)
    flipped = good[:40] + ("a" if good[40] != "a" else "b") + good[41:]
    expired, revoked = team.token(member, expires_at=past()), team.token(member, revoked_at=past())
    mixed = f"{good[:22]}{other[22:]}"
    body = f"{good[:22]}{other[22:65]}"
    forged = body + credentials._checksum(body)  # a right checksum, the id of one token and the secret of another
    for bad in ("", "x", "ds_", flipped, expired, revoked, mixed, forged, good + "\u00e9", good.upper()):
        answer = team.client.get(f"{API}/me", headers={"Authorization": f"Bearer {bad}".encode()})
        assert answer.status_code == 401, bad
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert team.client.get(f"{API}/me", headers={"Authorization": f"Basic {good}"}).status_code == 401
    assert team.client.get(f"{API}/me", headers=bearer("x") | member.headers).status_code == 401
    assert team.client.get(f"{API}/me", headers=bearer(good)).status_code == 200


def test_a_download_is_broken_off(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "ASK_AGAIN_S", 0.0)
    member = team.person("member")
    token = team.token(member)
    with team.database.read() as session:
        who = sessions.by_token(session, token)
    assert who is not None
    pieces = auth.while_allowed(["one", "two", "three"], team.app.state.context, who)
    assert next(pieces) == "one"
    team.change_token(token, revoked_at=past())
    with pytest.raises(Unauthorized):
        next(pieces)


def test_one_revokes_ones_own_and_an_admin_everybodys(team: Team) -> None:
    admin, one, two = team.person("admin"), team.person("member"), team.person("member")
    token = team.token(one, "run")
    path = f"{API}/tokens/{credentials.token_id(token)}"
    assert team.client.delete(path, headers=two.headers).status_code == 404
    assert team.client.get(f"{API}/me", headers=bearer(token)).status_code == 200
    assert team.client.delete(path, headers=admin.headers).status_code == 204
    assert team.client.get(f"{API}/me", headers=bearer(token)).status_code == 401
    assert len(team.client.get(f"{API}/tokens?everybody=true", headers=admin.headers).json()["items"]) == 1
    assert team.client.get(f"{API}/tokens?everybody=true", headers=two.headers).json()["items"] == []
