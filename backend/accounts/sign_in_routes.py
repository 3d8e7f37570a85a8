"""Routes of signing in: set up the first account, accept an invitation, login, logout, change one's password."""

from fastapi import APIRouter, Depends, Request, Response, status

from backend.edge.context import App, Context
from backend.edge.places import place_of
from backend.shared.errors import Conflict
from backend.shared.team_tables import User

from . import service, sessions
from .auth import COOKIE, Who
from .principal import Principal
from .schemas import Login, Me, NewAccount, PasswordChange

router = APIRouter()
LOCAL_NAME = "Local owner"


def _with_accounts(app: App) -> None:
    if not app.settings.auth:
        raise Conflict("this server has no accounts; start it with DROPSCOPE_AUTH=on")


ACCOUNTS = [Depends(_with_accounts)]


@router.post("/auth/setup", operation_id="auth_setup", tags=["auth"], dependencies=ACCOUNTS)
def setup(new: NewAccount, request: Request, response: Response, app: App) -> Me:
    """Make the first account, an admin, with the link that the server printed; signs in."""
    return _join(new, request, response, app, first=True)


@router.post("/invitations/accept", operation_id="invitations_accept", tags=["auth"], dependencies=ACCOUNTS)
def accept(new: NewAccount, request: Request, response: Response, app: App) -> Me:
    """Make the account that an invitation is for; signs in."""
    return _join(new, request, response, app, first=False)


@router.post("/auth/login", operation_id="auth_login", tags=["auth"], dependencies=ACCOUNTS)
def login(given: Login, request: Request, response: Response, app: App) -> Me:
    """Sign in; ten tries a minute for an address from one place, thirty from one place in all."""
    request.state.audit = {"email": given.email.strip().lower()[:254]}
    app.throttle.count(f"login {place_of(request.scope)} {given.email.strip().lower()}")
    return _start(service.login(app.database, given.email, given.password), request, response, app)


@router.post("/auth/logout", operation_id="auth_logout", tags=["auth"], status_code=status.HTTP_204_NO_CONTENT)
def logout(who: Who, response: Response, app: App) -> None:
    """End this browser's session."""
    with app.database.write() as session:
        sessions.end(session, who)
    response.delete_cookie(COOKIE, path=app.settings.root_path or "/", httponly=True, samesite="lax")


@router.post("/auth/password", operation_id="auth_password", tags=["auth"], status_code=status.HTTP_204_NO_CONTENT)
def password(change: PasswordChange, who: Who, request: Request, app: App) -> None:
    """Change one's own password; other sessions of this person end, and all tokens with the links they made."""
    service.require_accounts(who)
    app.throttle.count(f"password {who.user_id}")
    service.change_password(app.database, who, change.old, change.new)


@router.get("/me", operation_id="me_get", tags=["me"])
def me(who: Who, app: App) -> Me:
    """Who is asking, and with which rights."""
    return _me(who, app)


def _join(new: NewAccount, request: Request, response: Response, app: Context, *, first: bool) -> Me:
    user_id = service.accept(app.database, new.secret, new.email, new.name, new.password, first=first)
    return _start(user_id, request, response, app)


def _start(user_id: str, request: Request, response: Response, app: Context) -> Me:
    with app.database.write() as session:
        _, secret = sessions.start(session, user_id)
        who = sessions.by_session(session, secret)
    assert who is not None  # made in this transaction
    request.state.principal = who
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(sessions.LONGEST.total_seconds()),  # the server ends it sooner where it is not used
        path=app.settings.root_path or "/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://"),
    )
    return _me(who, app)


def _me(who: Principal, app: Context) -> Me:
    with app.database.read() as session:
        user = session.get(User, who.user_id)
    assert who.how != "link"
    return Me(
        user_id=who.user_id,
        workspace_id=who.workspace_id,
        role=who.role,
        how=who.how,
        auth=app.settings.auth,
        name=user.name if user else LOCAL_NAME,
        email=user.email if user else None,
    )
