"""Reads the environment variables that settings come from.

What a variable cannot be is refused with its name: a process that begins with a wrong number may
delete what it should keep. One that is empty counts as not set.
"""

import os
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import environ
from django.core.exceptions import ImproperlyConfigured

DATABASES = ("django.db.backends.postgresql", "django.db.backends.sqlite3")
REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
LARGEST = 2**31 - 1

reader = environ.Env()


def number(name: str, default: int, least: int = 0, most: int = LARGEST) -> int:
    """Return a whole number between two bounds."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        wanted = f"from {least} on" if most == LARGEST else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} is a whole number {wanted}, not {text!r}.")
    return value


def word(name: str, default: str, words: tuple[str, ...]) -> str:
    """Return one of some words."""
    text = os.environ.get(name, "").strip() or default
    if text not in words:
        raise ImproperlyConfigured(f"{name} is {', '.join(words[:-1])} or {words[-1]}: {text!r}.")
    return text


def networks(name: str, default: list[str]) -> list[IPv4Network | IPv6Network]:
    """Return a list of networks, or of single addresses."""
    texts = reader.list(name, default=default)
    try:
        return [ip_network(text.strip()) for text in texts]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is a list of addresses or networks: {error}") from error


def folder(name: str, default: Path) -> Path:
    """Return a folder that is there, and readable to its owner alone if it had to be made."""
    path = Path(os.environ.get(name, "") or default).resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{name} is a folder, and {path} cannot be made: {error.strerror}."
        raise ImproperlyConfigured(reason) from error
    return path


def database(name: str, default: str) -> dict[str, Any]:
    """Return what Django needs to know of a database. The address may hold a password: no error
    shows it.
    """
    found: dict[str, Any] = {}
    with suppress(ValueError), catch_warnings(action="ignore"):  # either tells the address
        found = reader.db_url_config(os.environ.get(name, "") or default)
    if found.get("ENGINE") not in DATABASES or not found["NAME"]:
        raise ImproperlyConfigured(
            f"{name} is an address such as postgres://user:password@host/name or sqlite:////path; "
            "what is no letter or digit in the password is written as %2F is for a slash."
        )
    return found


def redis_address(name: str) -> str:
    """Return the address of a Redis, or nothing."""
    text = os.environ.get(name, "").strip()
    if text and not text.startswith(REDIS_SCHEMES):
        raise ImproperlyConfigured(f"{name} is an address such as redis://:password@host:6379/0.")
    return text
