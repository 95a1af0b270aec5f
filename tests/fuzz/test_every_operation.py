"""A few requests to every operation, made from its schema: some as it allows, some as it forbids.

`python -m tests.fuzz` does the same for long, with more checks.
"""

from collections.abc import Iterator
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from pytest_django import Settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from accounts.tokens import create_token
from cloudjobs.openapi import document
from jobs import waiting
from tests.fuzz.checks import aim, assert_nothing_foreign
from tests.fuzz.world import World, rows_of, run_waiting_jobs

# A 500 is in no document.
ASKED = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
FEW = examples(
    max_examples=3,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
TAGS = sorted(
    {
        operation["tags"][0]
        for operations in document()["paths"].values()
        for operation in operations.values()
    }
)


@pytest.fixture(scope="module")
def schema() -> Any:
    """The document, with the application of this process behind it; nothing asks for gzip."""
    config = SchemathesisConfig.from_dict(
        {
            "headers": {"Accept-Encoding": "identity"},
            "generation": {"with-security-parameters": False},
        }
    )
    made = schemathesis.openapi.from_dict(document(), config=config)
    made.app = get_wsgi_application()
    return made


@pytest.fixture
def kept_connection(db: None) -> Iterator[None]:
    """Keep the test's transaction open over requests, as Django's own client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("tag", TAGS)
def test_operations_answer_as_documented(
    tag: str,
    schema: Any,
    storage: Path,
    kept_connection: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.FAILED_LOGINS = 0
    monkeypatch.setattr(waiting, "PLACES", BoundedSemaphore(0))  # nobody waits for jobs
    world = World()
    _, token = create_token(world.owner, "fuzz")
    for found in schema.include(tag=tag).get_all_operations():
        ask_often(found.ok(), world, {"Authorization": f"Bearer {token}"})
        run_waiting_jobs()
    assert rows_of(world.stranger) == world.untouched


def ask_often(operation: Any, world: World, login: dict[str, str]) -> None:
    """Ask an operation for what it allows and forbids, as the user, and once as nobody."""
    anonymous = {} in operation.definition.raw["security"]
    for mode in MODES:

        @FEW
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            aim(case, world)
            response = case.call(headers=login)
            assert_nothing_foreign(response, world)
            case.validate_response(response, checks=ASKED)
            if not anonymous:
                assert case.call().status_code in {401, 404}  # 404 is a format that there is not

        ask()
