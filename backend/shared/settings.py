"""Every setting of the product, read from `DROPSCOPE_*` environment variables; documented in docs/operations.md."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from backend.shared.errors import StartupError
from backend.shared.setting_words import (
    Folder,
    HostNames,
    Level,
    Networks,
    PageUrl,
    RootPath,
    sentences,
    unknown,
    url_of,
)

DATABASES = url_of(("postgresql", "postgres", "sqlite"), "postgresql://user:password@host/name")
BROKERS = url_of(("redis", "rediss"), "redis://:password@host:6379/0")


class Settings(BaseSettings):
    """A field `lease_s` is the variable `DROPSCOPE_LEASE_S`. Seconds end in `_s`, bytes in `_bytes`."""

    model_config = SettingsConfigDict(
        env_prefix="DROPSCOPE_", frozen=True, extra="ignore", env_ignore_empty=True, allow_inf_nan=False
    )

    home: Folder = Field(
        Path.home() / ".dropscope", description="Folder for the database, artifacts, data sets and caches."
    )
    shared_folder: Folder | None = Field(
        None, description="Folder that the server and all workers see, for artifacts and data sets; unset: the home."
    )
    database_url: Annotated[SecretStr | None, DATABASES] = Field(
        None, description="Postgres URL; unset means SQLite in the home folder."
    )
    broker_url: Annotated[SecretStr | None, BROKERS] = Field(
        None, description="Redis/Valkey URL; unset means the embedded Valkey on a socket."
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on; loopback only unless auth is on.")
    port: int = Field(8321, ge=0, le=65535, description="Port of the web server; 0 picks a free one.")
    allowed_hosts: HostNames = Field(
        ("127.0.0.1", "localhost", "[::1]"),
        min_length=1,
        description="Host headers that are answered, with commas between.",
    )
    root_path: Annotated[str, RootPath] = Field(
        "", description="Path under which a proxy serves the page, as /dropscope; empty where it has a host of its own."
    )
    trusted_proxies: Networks = Field(
        (), description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    auth: bool = Field(
        False, description="on: accounts, roles and tokens; off: whoever reaches the server is its owner."
    )
    access_log: bool = Field(False, description="Write one line a request to the log; share links are left out of it.")
    url: Annotated[str | None, PageUrl] = Field(
        None, description="Server that the command line and the Python client talk to."
    )
    token: SecretStr | None = Field(None, description="API token that the command line and the Python client send.")
    workers: int | None = Field(
        None, ge=0, description="Workers of the embedded stack; unset means one a core, or one a GPU."
    )
    pack_size: int = Field(12, ge=1, le=64, description="Most runs that one worker trains together.")
    lease_s: float = Field(
        30.0, gt=0, description="A run whose lease is not renewed for this long is given to another worker."
    )
    heartbeat_s: float = Field(5.0, gt=0, description="How often a worker renews its lease.")
    reaper_s: float = Field(
        5.0, gt=0, description="How often expired leases are looked for and the doorbell is rung again."
    )
    max_attempts: int = Field(3, ge=1, description="Lost attempts after which a run fails.")
    run_time_limit_s: float = Field(
        6 * 3600.0, gt=0, description="Longest one run may take before it is stopped and failed."
    )
    cancel_grace_s: float = Field(30.0, gt=0, description="How long a trainer may take to stop before it is killed.")
    checkpoint_s: float = Field(30.0, gt=0, description="Longest time between two checkpoints of a run.")
    flush_s: float = Field(1.0, gt=0, description="Longest time a worker holds back metrics before it writes them.")
    disk_floor_bytes: int = Field(
        1 << 30, ge=0, description="Training pauses and uploads are refused below this much free space."
    )
    max_body_bytes: int = Field(
        512 << 10, gt=0, description="Largest JSON body of a study, report or import plan; all others take 16 KiB."
    )
    max_upload_bytes: int = Field(1 << 30, gt=0, description="Largest uploaded data set.")
    upload_idle_s: float = Field(
        45.0, gt=0, description="An unfinished upload that nothing is added to for this long is thrown away."
    )
    studies_per_hour: int = Field(
        60, ge=1, description="Most studies that one person queues or extends in an hour, where accounts are on."
    )
    uploads_per_hour: int = Field(10, ge=1, description="Most uploads that one person begins in an hour.")
    max_runs: int = Field(2000, ge=1, description="Most runs of one study.")
    log_format: Literal["text", "json"] = Field("text", description="json: one object a line, for programs.")
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Level] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR."
    )

    def __init__(self, **given: Any) -> None:
        """Read the environment; raises StartupError with a sentence for each setting that is not what it should be."""
        mistakes = unknown(os.environ, type(self).model_fields)
        try:
            super().__init__(**given)
        except ValidationError as error:
            mistakes += sentences(error.errors(include_url=False, include_input=False))
        if mistakes:
            raise StartupError("; ".join(mistakes))

    @property
    def sqlite_path(self) -> Path:
        """The embedded database."""
        return self.home / "dropscope.db"

    @property
    def resolved_database_url(self) -> str:
        """SQLAlchemy URL of the database in use."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{quote(str(self.sqlite_path))}"  # a ? or % in it is part of the path

    @property
    def broker_socket(self) -> Path:
        """Unix socket of the embedded Valkey (its path must stay under about 100 bytes)."""
        return self.home / "valkey.sock"

    @property
    def resolved_broker_url(self) -> str:
        """Celery URL of the broker in use."""
        return self.broker_url.get_secret_value() if self.broker_url else f"redis+socket://{self.broker_socket}"

    @property
    def shared(self) -> Path:
        """Root of what the server and all workers see: artifacts, data sets, registered models and the cache."""
        return self.shared_folder or self.home

    @property
    def artifacts(self) -> Path:
        """Root of everything that runs leave behind; storage keys are relative to it."""
        return self.shared / "artifacts"

    @property
    def cache(self) -> Path:
        """Converted models and tokenised data; may be deleted at any time."""
        return self.shared / "cache"
