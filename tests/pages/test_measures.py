import pytest
from django import forms

from cloudjobs.pages.fields import SizeField
from cloudjobs.pages.measures import duration_text, moved_text, rate_text, size_text

KIB, MIB, GIB = 1024, 1024**2, 1024**3


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1024, "1 KiB"),
        (1536 * KIB, "1.5 MiB"),
        (1024**2 - 1, "1 MiB"),
        (256 * MIB, "256 MiB"),
        (37.25 * GIB, "37.2 GiB"),
        (5000 * 1024**5, "5000 PiB"),
    ],
)
def test_size_has_three_digits(size: float, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [
        (0, 0, ""),
        (0, 4 * GIB, "0 of 4 GiB"),
        (310 * MIB, 4 * GIB, "0.3 of 4 GiB"),
        (320 * MIB, 320 * MIB, "320 of 320 MiB"),
        (1600 * MIB, 1600 * MIB, "1.6 of 1.6 GiB"),
    ],
)
def test_moved_bytes_are_told_in_the_unit_of_the_whole(done: int, total: int, text: str) -> None:
    assert moved_text(done, total) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (80, "1 min 20 s"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_rate_is_bytes_per_second() -> None:
    assert rate_text(96.4 * MIB) == "96.4 MiB/s"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10 GiB", 10 * GIB),
        ("10gb", 10 * GIB),
        ("1.5", 1536 * MIB),
        ("1,5 G", 1536 * MIB),
        ("512 MiB", 512 * MIB),
        ("4096 B", 4096),
        (" 2 T ", 2 * 1024**4),
    ],
)
def test_size_field_reads_what_people_write(text: str, size: int) -> None:
    assert SizeField().clean(text) == size


@pytest.mark.parametrize("text", ["much", "-1 GiB", "1 XiB", "1e9", "10 GiB 5", "٣ GiB"])
def test_size_field_refuses_the_rest(text: str) -> None:
    with pytest.raises(forms.ValidationError):
        SizeField().clean(text)
