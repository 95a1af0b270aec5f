"""`python -m tests.soak [--minutes N] [--seed N] [--sqlite]`: a day's load, and faults.

Prints what was done and seen; the exit code tells whether anything was not as it must be.
"""

import argparse
import sys
from collections import Counter

import pytest

from tests.soak.run import Outcome, Plan, soak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--users", type=int, default=5)
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL and Redis")
    given = parser.parse_args()
    plan = Plan(given.minutes * 60, given.seed, given.users, embedded=given.sqlite)
    try:
        outcome = soak(plan)
    except pytest.skip.Exception as reason:
        print(f"skipped: {reason}")
        return 2
    report(plan, outcome)
    return 1 if outcome.breaches else 0


def report(plan: Plan, outcome: Outcome) -> None:
    """Print the figures, then what is wrong."""
    ledger = outcome.ledger
    acts: dict[str, Counter[int]] = {}
    for (act, status), count in sorted(ledger.answers.items()):
        acts.setdefault(act, Counter())[status] = count
    median, slowest = ledger.latency()
    kind = "SQLite" if plan.embedded else "PostgreSQL and Redis"
    print(f"{plan.seconds / 60:g} minutes on {kind}, {plan.users} users, seed {plan.seed}")
    print(f"{ledger.answers.total()} answers, median {median:.3f} s, p99 {slowest:.3f} s")
    for act, statuses in acts.items():
        print(f"  {act:16} {dict(statuses)}")
    broken = sum(trouble.is_broken for trouble in ledger.troubles)
    refused = len(ledger.troubles) - broken
    print(f"in outages: {broken} broken connections, {refused} answers 503")
    print("done to it:", ", ".join(f"{name} {count}" for name, count in ledger.done.most_common()))
    print(f"{outcome.purged} trees were purged; at rest after {outcome.resting:.0f} s")
    print("logged:", *(f"\n  {count:6} {what}" for what, count in outcome.logged.most_common()))
    print("each process, second quarter and last quarter:", *outcome.memory, sep="\n  ")
    print(f"{len(outcome.breaches)} breaches", *outcome.breaches, sep="\n* ")


if __name__ == "__main__":
    sys.exit(main())
