"""Variables of the environment: what they may be, and what is said of all else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from cloudjobs import environment

NAME = "CLOUDJOBS_TESTS"
Read = Callable[[], Any]


def days() -> int:
    return environment.number(NAME, 3, least=1, most=30)


def level() -> str:
    return environment.word(NAME, "INFO", ("DEBUG", "INFO"))


def proxies() -> list[str]:
    return [str(one) for one in environment.networks(NAME, ["::1"])]


def database() -> str:
    return str(environment.database(NAME, "sqlite:////tmp/a")["ENGINE"]).rpartition(".")[2]


def redis() -> str:
    return environment.redis_address(NAME)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (days, None, 3),
        (days, " ", 3),
        (days, " 30 ", 30),
        (level, "", "INFO"),
        (level, "DEBUG", "DEBUG"),
        (proxies, None, ["::1/128"]),
        (proxies, "10.0.0.0/8, 127.0.0.1", ["10.0.0.0/8", "127.0.0.1/32"]),
        (database, "", "sqlite3"),
        (database, "postgres://me:a%23b@host/name?sslmode=verify-full", "postgresql"),
        (redis, "", ""),
        (redis, "rediss://:word@host:6379/0", "rediss://:word@host:6379/0"),
    ],
)
def test_it_reads_what_can_be(
    monkeypatch: pytest.MonkeyPatch, read: Read, text: str | None, value: object
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if text is not None:
        monkeypatch.setenv(NAME, text)
    assert read() == value


@pytest.mark.parametrize(
    ("read", "text", "reason"),
    [
        *((days, text, "is a whole number from 1 to 30, not ") for text in ("0", "31", "x", "1.5")),
        (days, "9" * 5000, "is a whole number from 1 to 30, not "),
        (level, "loud", "is DEBUG or INFO: 'loud'"),
        (proxies, "127.0.0.1,nobody", "is a list of addresses or networks: 'nobody'"),
        (database, "nonsense", "is an address such as postgres://"),
        (database, "postgres://me:secret@host", "is an address such as postgres://"),
        (database, "mysql://me:secret@host/name", "is an address such as postgres://"),
        (database, "postgres://me:secret/word@host/name", "is an address such as postgres://"),
        (redis, "host:6379", "is an address such as redis://"),
    ],
)
def test_it_names_what_cannot_be_and_shows_no_password(
    monkeypatch: pytest.MonkeyPatch, read: Read, text: str, reason: str
) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured) as raised:
        read()
    assert str(raised.value).startswith(f"{NAME} {reason}")
    assert "secret" not in str(raised.value)


def test_it_makes_a_folder_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(NAME, str(tmp_path / "home"))
    assert environment.folder(NAME, tmp_path).stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    monkeypatch.setenv(NAME, str(tmp_path / "file" / "home"))
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} is a folder, and .* cannot be made"):
        environment.folder(NAME, tmp_path)
