"""How a setting is read from what a person writes: lists with commas, paths, URLs, names; and what is said of mistakes.

Nothing that is said repeats a value: some of them are passwords.
"""

import difflib
import ipaddress
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

PREFIX = "DROPSCOPE_"
# Ours, but no settings: docker-compose.yml takes the first, our own tests and tools the others.
OTHERS = frozenset({"DOMAIN", "PUBLISH", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "CHROMIUM", "STUDY_DATA"})
_TESTS = "TEST_"
# Kubernetes gives every container such variables for a service that is called "dropscope".
_KUBERNETES = re.compile(r"SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_\w+")
_PLAIN = {
    "bool_parsing": "write on or off",
    "bool_type": "write on or off",
    "int_parsing": "give a whole number",
    "float_parsing": "give a number",
    "finite_number": "give a number that is finite",
}
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def listed(given: Any) -> Any:
    """A list as JSON has it, or with commas between."""
    if not isinstance(given, str):
        return given
    text = given.strip()
    if text.startswith(("[", '"')) and not _NAME.fullmatch(text):
        try:
            found = json.loads(text)
        except ValueError:
            raise ValueError('this is no list; write a,b or ["a","b"]') from None
        return [str(one) for one in found] if isinstance(found, list) else [str(found)]
    return [part.strip() for part in text.split(",") if part.strip()]


def _host(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(
            f"{name[:100]!r} is no name of a host: give names or addresses alone, without http://, port or path, and "
            "IPv6 in brackets"
        )
    return name


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip("[]"), strict=False))
    except ValueError:
        raise ValueError(
            f"{text[:100]!r} is neither an IP address nor a network; name your proxies, for example 127.0.0.1"
        ) from None


def _path(given: Any) -> Any:
    """The place itself, wherever the program goes: `~` is the person's own folder, a relative path starts from here."""
    if not isinstance(given, str | Path):
        return given
    if not str(given).strip():
        raise ValueError("the path is empty")
    try:
        return Path(given).expanduser().absolute()
    except RuntimeError:
        raise ValueError("nobody here has that name after ~") from None


def _level(given: Any) -> Any:
    return given.strip().upper() if isinstance(given, str) else given


def _root_path(value: object) -> object:
    """A path of letters, digits and `-._~`, from its slash to before its last one."""
    text = str(value).strip().rstrip("/")
    if text and not _PATH.fullmatch(text):
        raise ValueError(f"'{text[:60]}' is no path; give one like /dropscope, of letters, digits and - . _ ~")
    return text


def _page_url(given: Any) -> Any:
    if isinstance(given, str) and re.match(r"https?://[^/]", given) is None:
        raise ValueError("give the whole address, for example http://127.0.0.1:8321")
    return given


def url_of(kinds: Sequence[str], example: str) -> BeforeValidator:
    """A URL of one of these schemes."""

    def check(given: Any) -> Any:
        text = given.get_secret_value() if hasattr(given, "get_secret_value") else given
        if not isinstance(text, str):
            return given
        if "://" not in text or text.partition("://")[0].partition("+")[0] not in kinds:
            raise ValueError(f"this kind of URL is not supported; give one such as {example}")
        try:
            _ = urlsplit(text).port
        except ValueError:
            raise ValueError(
                f"give a URL such as {example}; what is not a letter or digit of a password is written as %40 and the "
                "like"
            ) from None
        return given

    return BeforeValidator(check)


HostNames = Annotated[tuple[Annotated[str, BeforeValidator(_host)], ...], NoDecode, BeforeValidator(listed)]
Networks = Annotated[tuple[Annotated[str, BeforeValidator(_network)], ...], NoDecode, BeforeValidator(listed)]
Folder = Annotated[Path, BeforeValidator(_path)]
Level = BeforeValidator(_level)
PageUrl = BeforeValidator(_page_url)
RootPath = BeforeValidator(_root_path)


def unknown(environment: Iterable[str], fields: Iterable[str]) -> list[str]:
    """A sentence for each variable that looks like a setting and is none."""
    known = sorted(field.upper() for field in fields)
    ours = {name.upper().removeprefix(PREFIX) for name in environment if name.upper().startswith(PREFIX)}
    found = []
    for rest in sorted(ours - set(known)):
        if rest in OTHERS or rest.startswith(_TESTS) or _KUBERNETES.fullmatch(rest):
            continue
        near = difflib.get_close_matches(rest, known, n=1, cutoff=0.6)
        hint = f"did you mean {PREFIX}{near[0]}?" if near else "unset it; docs/operations.md lists all settings"
        found.append(f"there is no setting {PREFIX}{rest[:100]}; {hint}")
    return found


def sentences(errors: Iterable[Any]) -> list[str]:
    """What pydantic found wrong with settings, each with its variable."""
    told: dict[str, str] = {}
    for error in errors:
        place = PREFIX + str(error["loc"][0]).upper() if error["loc"] else "the settings"
        text = _PLAIN.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
        told.setdefault(place, f"{place}: {text[:1].lower()}{text[1:]}")
    return list(told.values())
