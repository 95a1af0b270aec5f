"""Reads the environment variables that settings come from.

What a variable cannot be is refused with its name: a process that begins with a wrong number may
delete what it should keep. One that is empty counts as not set.
"""

import os
import tomllib
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
ON = ("true", "on", "yes", "y", "ok", "1")
OFF = ("", "false", "off", "no", "n", "0")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def texts(name: str, default: list[str]) -> list[str]:
    """Return what stands between commas."""
    found = [part.strip() for part in text(name).split(",")]
    return [part for part in found if part] or default


def switch(name: str) -> bool:
    """Return whether something is on; it is off if nothing is said."""
    said = text(name).lower()
    if said not in (*ON, *OFF):
        raise ImproperlyConfigured(f"{name} is on or off, not {said!r}.")
    return said in ON


def number(name: str, default: int, least: int = 0, most: int = LARGEST) -> int:
    """Return a whole number between two bounds."""
    digits = text(name)
    if not digits:
        return default
    try:
        value = int(digits)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        wanted = f"from {least} on" if most == LARGEST else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} is a whole number {wanted}, not {digits!r}.")
    return value


def word(name: str, default: str, words: tuple[str, ...]) -> str:
    """Return one of some words."""
    said = text(name, default)
    if said not in words:
        raise ImproperlyConfigured(f"{name} is {', '.join(words[:-1])} or {words[-1]}: {said!r}.")
    return said


def networks(name: str, default: list[str]) -> list[IPv4Network | IPv6Network]:
    """Return a list of networks, or of single addresses."""
    try:
        return [ip_network(one) for one in texts(name, default)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is a list of addresses or networks: {error}") from error


def folder(name: str, default: Path) -> Path:
    """Return a folder that is there, and readable to its owner alone if it had to be made."""
    path = Path(text(name) or default).resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{name} is a folder, and {path} cannot be made: {error.strerror}."
        raise ImproperlyConfigured(reason) from error
    return path


def tables(name: str) -> dict[str, Any]:
    """Return the tables of the TOML file at a path; nothing without a path."""
    path = text(name)
    if not path:
        return {}
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"{name} is a file, and {path} cannot be read: {error.strerror}."
        raise ImproperlyConfigured(reason) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise ImproperlyConfigured(f"{name} is TOML, and {path} is not: {error}.") from error
    if not found:
        raise ImproperlyConfigured(f"{name} is a file with tables, and {path} has none.")
    return found


def database(name: str, default: str) -> dict[str, Any]:
    """Return what Django needs to know of a database. The address may hold a password: no error
    shows it.
    """
    found: dict[str, Any] = {}
    with suppress(ValueError), catch_warnings(action="ignore"):  # either tells the address
        found = environ.Env.db_url_config(text(name, default))
    if found.get("ENGINE") not in DATABASES or not found["NAME"]:
        raise ImproperlyConfigured(
            f"{name} is an address such as postgres://user:password@host/name or sqlite:////path; "
            "what is no letter or digit in the password is written as %2F is for a slash."
        )
    return found


def redis_address(name: str) -> str:
    """Return the address of a Redis, or nothing."""
    found = text(name)
    if found and not found.startswith(REDIS_SCHEMES):
        raise ImproperlyConfigured(f"{name} is an address such as redis://:password@host:6379/0.")
    return found


def host() -> str:
    """Return where our processes listen."""
    return text("HOST", "127.0.0.1")


def has_certificate() -> bool:
    """Do our processes speak TLS themselves? The variable is the web server's own."""
    return bool(text("GRANIAN_SSL_CERTIFICATE"))


def address(port: int, scheme: str = "http") -> str:
    """Return the address of a process: `http://127.0.0.1:8000`, or `https://…` if it speaks TLS."""
    place = f"[{host()}]" if ":" in host() else host()
    return f"{scheme}{'s' if has_certificate() else ''}://{place}:{port}"
