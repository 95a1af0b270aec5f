"""How checks are run, and what they say."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloudjobs.patience import within

CHECK_SECONDS = 5.0


class Level(StrEnum):
    """How bad it is: a problem keeps people from their work, or will; it fails the command."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What a check found, in a sentence; `advice` says what to do, if anything."""

    level: Level
    text: str
    advice: str = ""


def ok(text: str) -> Finding:
    return Finding(Level.OK, text)


def warning(text: str, advice: str) -> Finding:
    return Finding(Level.WARNING, text, advice)


def problem(text: str, advice: str) -> Finding:
    return Finding(Level.PROBLEM, text, advice)


@dataclass(frozen=True)
class Check:
    """A check by its name; most need a database that answers and has its tables.

    Whether it does, the checks that are its `foundation` find out.
    """

    name: str
    look: Callable[[], Iterator[Finding]]
    needs_database: bool = True
    is_foundation: bool = False


def examine(
    checks: Sequence[Check], seconds: float = CHECK_SECONDS
) -> Iterator[tuple[str, Finding]]:
    """Yield what each check finds, with its name."""
    is_ready, left_out = True, []
    for check in checks:
        if check.needs_database and not is_ready:
            left_out.append(check.name)
            continue
        for finding in findings_of(check, seconds):
            yield check.name, finding
            if check.is_foundation and finding.level == Level.PROBLEM:
                is_ready = False
    if left_out:
        names = ", ".join(dict.fromkeys(left_out))
        yield (
            "not looked at",
            warning(names, "These need the database; ask again when it is ready."),
        )


def findings_of(check: Check, seconds: float) -> list[Finding]:
    """Return what a check finds; that it hangs or breaks is a problem, too."""
    try:
        return within(seconds, lambda: list(check.look()), f"check {check.name}")
    except TimeoutError as error:
        return [problem(f"{error}.", "Whatever it waits for hangs: a server, or a mounted folder.")]
    except Exception as error:
        text = f"{type(error).__name__}: {str(error).strip()}"
        return [problem(text, "It could not be looked at for this reason.")]
