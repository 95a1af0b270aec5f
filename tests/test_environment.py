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


def key() -> str:
    return environment.text(NAME) or "made"


def hosts() -> list[str]:
    return environment.texts(NAME, ["localhost"])


def is_on() -> bool:
    return environment.switch(NAME)


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
        (proxies, "", ["::1/128"]),
        (proxies, "10.0.0.0/8, 127.0.0.1", ["10.0.0.0/8", "127.0.0.1/32"]),
        (database, "", "sqlite3"),
        (database, "postgres://me:a%23b@host/name?sslmode=verify-full", "postgresql"),
        (key, None, "made"),
        (key, " $ecret ", "$ecret"),
        (hosts, None, ["localhost"]),
        (hosts, " ", ["localhost"]),
        (hosts, ", a.example.com ,b", ["a.example.com", "b"]),
        (is_on, None, False),
        (is_on, "", False),
        (is_on, "True", True),
        (is_on, "1", True),
        (is_on, "off", False),
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
        (is_on, "ture", "is on or off, not 'ture'"),
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


def test_it_reads_the_tables_of_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert environment.tables(NAME) == {}
    file = tmp_path / "storage.toml"
    file.write_text("[nvme-1]\njobs = 4\noptions.root = '/srv/images'\n")
    monkeypatch.setenv(NAME, str(file))
    tables = {"nvme-1": {"jobs": 4, "options": {"root": "/srv/images"}}}
    assert environment.tables(NAME) == tables


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is a file, and .* cannot be read: No such file or directory"),
        (b"[nvme-1", "is TOML, and .* is not"),
        (b"name = '\xff'", "is TOML, and .* is not"),
        (b"# nothing yet\n", "is a file with tables, and .* has none"),
    ],
)
def test_it_names_a_file_that_has_no_tables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "storage.toml"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv(NAME, str(file))
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} {reason}"):
        environment.tables(NAME)


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HOST": ""}, "http://127.0.0.1:8000"),
        ({"HOST": "0.0.0.0"}, "http://0.0.0.0:8000"),
        ({"HOST": "::1"}, "http://[::1]:8000"),
        ({"GRANIAN_SSL_CERTIFICATE": "c.pem"}, "https://127.0.0.1:8000"),
    ],
)
def test_it_tells_where_processes_listen(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], address: str
) -> None:
    for name in ("HOST", "GRANIAN_SSL_CERTIFICATE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment.address(8000) == address
    assert environment.address(8001, "ws") == address.replace("http", "ws").replace("8000", "8001")
