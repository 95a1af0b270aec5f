"""The small soak, in seconds: the same users, faults and invariants. `make soak` takes minutes."""

import pytest

from tests.service import uses_postgresql
from tests.soak.run import Plan, soak

pytestmark = pytest.mark.worker

SHORT = {
    "seconds": 14,
    "users": 4,
    "between_faults": 2,
    "between_upkeep": 5,
    "between_samples": 2,
    "kept": 5,
    "to_stop": 30,
    "hasten": True,
}


def test_service_stays_sound_whatever_users_do_and_whatever_breaks() -> None:
    outcome = soak(Plan(seed=7, embedded=not uses_postgresql(), **SHORT))
    assert outcome.breaches == []
    assert outcome.ledger.answers["clone", 202]
