"""What the processes of a service have logged: what the database may no longer tell."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NUMBERS = re.compile(r"[0-9a-f]*\d[0-9a-f-]*")
BUGS = ("operation broke", "Internal Server Error")
LOST = "Every worker that ran it ended"  # how the sentence of `worker_lost` begins


def lines_of(home: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of all logs that are JSON; a killed process may have left half a one."""
    for log in sorted(home.glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            try:
                parsed = json.loads(line)
            except ValueError:
                continue
            if isinstance(parsed, dict):
                yield parsed


def counted(home: Path) -> Counter[str]:
    """Return how often each warning and error was logged, and how jobs ended."""
    counts: Counter[str] = Counter()
    for line in lines_of(home):
        message = NUMBERS.sub("…", str(line.get("message", "")))[:70]
        if line.get("message") == "finished":
            counts[f"job {line.get('outcome')}"] += 1
        elif line.get("level") in {"WARNING", "ERROR", "CRITICAL"}:
            counts[f"{line['level']} {line.get('name')}: {message}"] += 1
    return counts


def bugs_in(home: Path) -> Iterator[str]:
    """Yield what only a bug can have logged."""
    for line in lines_of(home):
        said, error = str(line.get("message")), str(line.get("error") or "")
        if said.startswith(BUGS):
            yield f"{said}: {str(line.get('exc_info'))[-600:]}"
        elif line.get("outcome") == "failed" and not error.startswith(LOST):
            yield f"job {line.get('job')} failed: {error}"
