"""What protects the service, and whether its other processes answer."""

import os
import resource
import ssl
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from urllib.error import HTTPError

from django.conf import settings
from django.core.checks import Tags, run_checks
from django.core.checks.messages import ERROR, CheckMessage

from accounts.models import User
from cloudjobs import environment
from cloudjobs.doctor.examination import Finding, ok, problem, warning
from servers.management.commands.create_demo import EMAIL, PASSWORD

ANSWER_SECONDS = 3
BAD_REQUEST = 400
FEW_FILES = 1024
LONGEST_ANSWER = 500
WITHOUT_TLS = {"security.W004", "security.W008", "security.W012", "security.W016"}


def check_protection() -> Iterator[Finding]:
    """What `check --deploy` finds; all that comes of TLS being off is said once."""
    found = run_checks(tags=[Tags.security], include_deployment_checks=True)
    found = [one for one in found if not one.is_silenced()]
    if settings.TLS == "off":
        found = [one for one in found if one.id not in WITHOUT_TLS]
        yield warning(
            "There is no TLS: passwords travel in the open.",
            "TLS=proxy behind nginx, or a certificate: docs/configuration.md. On one machine "
            "alone it does not matter.",
        )
    yield from map(said_of, found)
    if "*" in settings.ALLOWED_HOSTS:
        yield warning("ALLOWED_HOSTS takes any name.", "List those under which it is reached.")
    if not found:
        yield ok("Django finds nothing else that is open.")


def check_settings() -> Iterator[Finding]:
    """What keeps `manage.py` from starting; the web server would start with it."""
    wrong = [one for one in run_checks() if one.level >= ERROR and not one.is_silenced()]
    yield from map(said_of, wrong)
    if not wrong:
        yield ok("No setting is wrong.")


def said_of(message: CheckMessage) -> Finding:
    text = " ".join(f"{message.msg} ({message.id})".split())
    say = problem if message.level >= ERROR else warning
    return say(text, message.hint or "docs/configuration.md has the variable for it.")


def check_secrets() -> Iterator[Finding]:
    """The secret key is nobody else's to read."""
    path = settings.CLOUDJOBS_HOME / "secret_key"
    if path.exists() and path.stat().st_mode & 0o077:
        yield problem(f"Others may read {path}.", f"chmod 600 {path}, and take a new SECRET_KEY.")
    else:
        yield ok("The secret key is readable to the service alone.")


def check_demo() -> Iterator[Finding]:
    """Nobody logs in with the password that everyone knows."""
    user = User.objects.filter(email=EMAIL, is_active=True).first()
    if user and user.check_password(PASSWORD):
        yield warning(
            f"The demo account {EMAIL} has its well-known password.",
            f"`manage.py changepassword {EMAIL}`, if anybody else can reach the service.",
        )
    else:
        yield ok("There is no demo account with its well-known password.")


def check_files() -> Iterator[Finding]:
    """Each socket and each image that is copied takes a descriptor."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    if limit < FEW_FILES:
        advice = (
            "LimitNOFILE= in the unit, or `ulimit -n`; the units may have other limits than you."
        )
        yield warning(f"A process may open {limit} files only.", advice)
    else:
        yield ok(f"A process may open {limit} files; this one has {used}.")


def check_events() -> Iterator[Finding]:
    """The process of events answers, if it runs on this machine."""
    address = f"{environment.address(settings.EVENTS_PORT)}/healthz"
    status, text = asked(address)
    if status == 200:
        yield ok(f"{address} answers.")
    else:
        yield warning(
            f"{address} does not answer: {text}",
            "Start `manage.py events`. If it runs on another machine, ask there; if with another "
            "PORT or EVENTS_PORT, ask with the same.",
        )


def check_ready(url: str) -> Iterator[Finding]:
    """The web server says that it is ready."""
    address = f"{url.rstrip('/')}/readyz"
    status, text = asked(address)
    if status == 200:
        yield ok(f"{address} says that it is ready.")
    elif status == BAD_REQUEST:
        yield problem(
            f"{address} refuses to be asked by this name (400).",
            "Ask by one that is in ALLOWED_HOSTS, or add this one to them.",
        )
    else:
        yield problem(
            f"{address} says: {text}", "Is it running? nginx does not pass this on: ask past it."
        )


def asked(address: str) -> tuple[int, str]:
    """Return status and body of what is there; 0 and the reason if nothing is.

    No certificate is looked at: what is asked for is no secret, and it is often asked by an address
    that the certificate is not for.
    """
    if not address.startswith(("http://", "https://")):
        return 0, "This is no address of a web server, such as http://127.0.0.1:8000."
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(address, timeout=ANSWER_SECONDS, context=context) as answer:  # noqa: S310  http and https only
            return answer.status, answer.read(LONGEST_ANSWER).decode(errors="replace")
    except HTTPError as error:
        return error.code, f"{error.code} {error.read(LONGEST_ANSWER).decode(errors='replace')}"
    except (OSError, HTTPException, ValueError) as error:
        return 0, str(error)
