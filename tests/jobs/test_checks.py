import pytest
from django.core import checks
from django.db import connection, connections

from jobs.checks import check_sqlite

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own settings"),
]


def found() -> list[str]:
    return [message.msg for message in check_sqlite(databases=["default"])]


def test_database_of_the_settings_is_right() -> None:
    assert found() == []


def test_check_runs_with_the_database_checks() -> None:
    messages = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    assert check_sqlite in checks.registry.registry.get_checks()
    assert messages == []


def test_database_is_not_asked_unless_it_is_to_be_checked() -> None:
    assert check_sqlite(databases=None) == []
    assert check_sqlite(databases=[]) == []


@pytest.mark.parametrize(("pragma", "wrong", "right"), [("busy_timeout", 5, 20_000)])
def test_wrong_pragma_is_an_error(pragma: str, wrong: int, right: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {pragma} = {wrong}")
        assert found() == [f"SQLite's {pragma} is {wrong}, not {right}."]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {pragma} = {right}")


def test_transactions_that_do_not_lock_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections["default"], "transaction_mode", None)
    errors = check_sqlite(databases=["default"])
    assert [(error.id, error.level) for error in errors] == [("jobs.E002", checks.ERROR)]
