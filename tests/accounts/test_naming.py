from datetime import UTC, datetime

import pytest

from accounts.naming import name_clone

MOMENT = datetime(2014, 6, 5, 9, 45, 56, tzinfo=UTC)


def named(source: str, naming: str, *others: str) -> str:
    """Return the clone's name; the owner has the source and the other names."""
    names = {source, *others}

    def taken(beginning: str) -> set[str]:
        return {name for name in names if name.startswith(beginning)}

    return name_clone(source, naming, MOMENT, taken)


@pytest.mark.parametrize("source", ["x", "x_1", "x-2014-06-04", "💾", "x" * 255])
def test_none_keeps_the_name(source: str) -> None:
    assert named(source, "NONE") == source


@pytest.mark.parametrize(
    ("source", "others", "expected"),
    [
        ("x", [], "x_1"),
        ("x_1", [], "x_2"),
        ("x_9", [], "x_10"),
        ("x", ["x_1", "x_2"], "x_3"),
        ("x", ["x_2"], "x_1"),
        ("x_1", ["x", "x_2", "x_4"], "x_3"),
        ("x", ["y_1", "xx_1"], "x_1"),
        ("x_", [], "x__1"),
        ("x_a", [], "x_a_1"),
        ("a_1_b", [], "a_1_b_1"),
        ("_5", [], "_6"),
        ("x_٣", [], "x_٣_1"),
        ("100%_", [], "100%__1"),
    ],
)
def test_counter_takes_the_next_free_number(source: str, others: list[str], expected: str) -> None:
    assert named(source, "COUNTER", *others) == expected


@pytest.mark.parametrize(
    ("source", "others", "expected"),
    [
        ("x", [], "x-2014-06-05"),
        ("x-2014-06-04", [], "x-2014-06-05"),
        ("x-2014-06-04_3", [], "x-2014-06-05"),
        ("x-2014-06-04 10:11:12", [], "x-2014-06-05"),
        ("x-2014-06-05", [], "x-2014-06-05_1"),
        ("x-2014-06-05", ["x-2014-06-05_1"], "x-2014-06-05_2"),
        ("x", ["x-2014-06-05"], "x-2014-06-05_1"),
        ("x_1", [], "x_1-2014-06-05"),
        ("2014-06-04", [], "2014-06-04-2014-06-05"),
    ],
)
def test_date_is_put_behind_the_name(source: str, others: list[str], expected: str) -> None:
    assert named(source, "DATE", *others) == expected


@pytest.mark.parametrize(
    ("source", "others", "expected"),
    [
        ("x", [], "x-2014-06-05 09:45:56"),
        ("x-2014-06-05 09:45:55", [], "x-2014-06-05 09:45:56"),
        ("x-2014-06-05", [], "x-2014-06-05 09:45:56"),
        ("x-2014-06-05 09:45:56", [], "x-2014-06-05 09:45:56_1"),
        (
            "x-2014-06-05 09:45:56",
            ["x-2014-06-05 09:45:56_1"],
            "x-2014-06-05 09:45:56_2",
        ),
    ],
)
def test_timestamp_is_put_behind_the_name(source: str, others: list[str], expected: str) -> None:
    assert named(source, "TIMESTAMP", *others) == expected


@pytest.mark.parametrize("naming", ["COUNTER", "DATE", "TIMESTAMP"])
@pytest.mark.parametrize("length", [240, 253, 254, 255])
def test_long_name_gives_way_to_what_is_put_behind_it(naming: str, length: int) -> None:
    name = named("x" * length, naming)
    assert name.startswith("x" * 230)
    assert not name.endswith("x")
    assert len(name) <= 255


@pytest.mark.parametrize("naming", ["COUNTER", "DATE", "TIMESTAMP"])
def test_clones_of_a_long_name_are_told_apart(naming: str) -> None:
    source, names = "x" * 255, list[str]()
    for _ in range(12):
        names.append(named(source, naming, *names))
    assert len(set(names)) == 12
    assert max(map(len, names)) <= 255


@pytest.mark.parametrize("naming", ["DATE", "TIMESTAMP"])
def test_counter_behind_the_stamp_of_a_long_name_leaves_the_stamp_whole(naming: str) -> None:
    stamped = named("x" * 255, naming)
    stamp = stamped.lstrip("x")
    assert named(stamped, naming).endswith(f"{stamp}_1")
