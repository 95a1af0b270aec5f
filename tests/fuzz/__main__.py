"""`python -m tests.fuzz [--examples N] [--seed N]`: the long run, in this process, on SQLite.

All checks of schemathesis, as a user and as nobody, each operation by itself and in sequences.
Ends with a table of what was asked and what failed; the exit code tells whether anything did.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from typing import Any

os.environ["CLOUDJOBS_HOME"] = HOME = tempfile.mkdtemp(prefix="cloudjobs-fuzz-")
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.fuzz.settings"
os.environ.pop("DATABASE_URL", None)
os.environ.pop("REDIS_URL", None)

import logging
import shutil

import django

django.setup()

import schemathesis  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from schemathesis import engine  # noqa: E402
from schemathesis.config import SchemathesisConfig  # noqa: E402
from schemathesis.engine import events  # noqa: E402
from schemathesis.transport.wsgi import WSGI_TRANSPORT, WSGITransport  # noqa: E402

from accounts.tokens import create_token  # noqa: E402
from cloudjobs.openapi import document  # noqa: E402
from tests.fuzz.checks import aim, assert_nothing_foreign, is_fault  # noqa: E402
from tests.fuzz.world import World, rows_of, run_waiting_jobs  # noqa: E402

JOBS_EVERY, LOOK_EVERY = 7, 200  # requests
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "411", "413", "415", "416", "429"]
# What is well formed may still ask for what cannot be, such as a clone smaller than its source.
ACCEPTED = ["2xx", "400", "401", "403", "404", "409", "413", "416", "503"]


class Run:
    """One run of the engine, and what it found."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.requests = self.left_out = 0
        self.statuses: Counter[int] = Counter()
        self.checks: Counter[str] = Counter()
        self.failures: dict[str, Counter[str]] = {}
        self.shown: set[str] = set()
        self.errors: list[str] = []

    def execute(self, schema: Any) -> None:
        for event in engine.from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                self.note(event.recorder)
            elif isinstance(event, events.NonFatalError):
                self.errors.append(f"{event.label}: {str(event.value)[:500]}")
            elif isinstance(event, events.FatalError):
                raise event.exception
            elif isinstance(event, events.PhaseFinished):
                print(f"  {event.phase.name.value}: {event.status.value}", flush=True)

    def note(self, recorder: Any) -> None:
        for case_id, nodes in recorder.checks.items():
            for node in nodes:
                self.checks[node.name] += 1
                if node.failure_info is not None:
                    self.note_failure(recorder, case_id, node)

    def note_failure(self, recorder: Any, case_id: str, node: Any) -> None:
        failure = node.failure_info.failure
        self.failures.setdefault(node.name, Counter())[recorder.label] += 1
        key = f"{node.name} {failure.operation} {failure.title}"
        if key not in self.shown:
            self.shown.add(key)
            case = recorder.cases[case_id].value
            response = recorder.interactions[case_id].response
            answer = response.content[:400] if response is not None else None
            print(f"\n* {key}\n  {failure.message[:600]}\n  {case.as_curl_command()[:900]}")
            print(f"  {response.status_code if response else ''} {answer!r}", flush=True)


def config_for(arguments: argparse.Namespace, headers: dict[str, str]) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": arguments.seed,
            "headers": headers,
            "base-url": "http://localhost/",
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ACCEPTED},
                "negative_data_rejection": {"expected-statuses": REFUSED},
                "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},
            },
            "generation": {
                "max-examples": arguments.examples,
                "database": "none",
                "no-shrink": True,
                "with-security-parameters": False,
            },
            "phases": {"stateful": {"max-steps": 8}},
            "suppress-health-check": ["all"],
        }
    )


class InProcess(WSGITransport):
    """Reaches the application in this process; what concerns a network is left out."""

    def send(self, case: Any, **kwargs: Any) -> Any:
        for name in ("max_redirects", "verify", "cert", "proxies"):
            kwargs.pop(name, None)
        return super().send(case, **kwargs)


def install(run: Run) -> None:
    """Have every request aimed, and every answer looked at."""

    @schemathesis.hook
    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        aim(case, run.world)

    @schemathesis.hook
    def after_call(context: Any, case: Any, response: Any) -> None:
        run.requests += 1
        run.statuses[response.status_code] += 1
        run.world.note(response.content)
        if run.requests % JOBS_EVERY == 0:
            run_waiting_jobs()
        if run.requests % LOOK_EVERY == 0 and run.world.is_full:
            run.world.begin_anew()
        if run.requests % 1000 == 0:
            print(f"  {run.requests} requests", flush=True)

    @schemathesis.hook
    def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
        kept = is_fault(failure, case)
        run.left_out += not kept
        return kept

    @schemathesis.check
    def nothing_foreign(ctx: Any, response: Any, case: Any) -> None:
        assert_nothing_foreign(response, run.world)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="for each operation and phase")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.disable(logging.ERROR)
    call_command("migrate", verbosity=0)
    world = World()
    run = Run(world)
    WSGI_TRANSPORT.__class__ = InProcess
    install(run)
    _, token = create_token(world.owner, "fuzz")
    begun = time.monotonic()
    for who, headers in (("user", {"Authorization": f"Bearer {token}"}), ("nobody", {})):
        print(f"as {who}", flush=True)
        if not headers:
            arguments.examples = max(1, arguments.examples // 5)
        schema = schemathesis.openapi.from_dict(document(), config=config_for(arguments, headers))
        schema.app = get_wsgi_application()
        run.execute(schema)
    if rows_of(world.stranger) != world.untouched:
        run.errors.append("objects of the other user have changed")
    report(run, time.monotonic() - begun)
    return 1 if run.failures or run.errors else 0


def report(run: Run, seconds: float) -> None:
    statuses = dict(sorted(run.statuses.items()))
    print(f"\n{run.requests} requests in {seconds:.0f} s; statuses: {statuses}")
    for name, count in sorted(run.checks.items()):
        failed = run.failures.get(name, Counter())
        print(f"{name:32} {count:8} checked {sum(failed.values()):6} failed  {dict(failed) or ''}")
    print(f"{run.left_out} failures of what the document cannot say were left out")
    for error in run.errors:
        print(f"error: {error}")


if __name__ == "__main__":
    try:
        code = main()
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
    sys.exit(code)
