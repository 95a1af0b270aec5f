from datetime import timedelta

import pytest
from django import forms
from django.utils import timezone

from cloudjobs.pages.fields import RateField, SizeField
from cloudjobs.pages.measures import bytes_in_words, duration_text, moved_text, rate_text, size_text
from cloudjobs.templatetags.measures import moment

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
        (0, "0 s"),
        (0.4, "< 1 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (80, "1 min 20 s"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Between 268435456 and 549755813888 bytes.", "Between 256 MiB and 512 GiB."),
        ("2147483648 bytes are needed, 0 are free.", "2 GiB are needed, 0 are free."),
        (
            "A clone is not smaller than its source, 10780213248 bytes.",
            "A clone is not smaller than its source, 10 GiB (10780213248 bytes).",
        ),
        (
            "10780213248 bytes are needed, 10737418240 are free.",
            "10 GiB (10780213248 bytes) are needed, 10 GiB are free.",
        ),
        ("It has 1024 bytes.", "It has 1024 bytes."),
        ("There is no drive 12345678-1234567.", "There is no drive 12345678-1234567."),
    ],
)
def test_bytes_of_a_message_are_told_in_units(message: str, words: str) -> None:
    assert bytes_in_words(message) == words


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


@pytest.mark.parametrize(("text", "changed"), [("50 MiB/s", False), ("51M", True), ("x", True)])
def test_rate_counts_as_changed_if_its_bytes_are_others(text: str, changed: bool) -> None:
    assert RateField().has_changed(50 * MIB, text) == changed


def test_time_tells_day_and_year_where_they_are_not_the_present_ones() -> None:
    now = timezone.now()
    assert f">{now:%H:%M} UTC<" in moment(now)
    long_ago, yesterday = now - timedelta(days=400), now - timedelta(days=1)
    assert f">{long_ago:%d %b %Y %H:%M} UTC<" in moment(long_ago)
    year = "" if yesterday.year == now.year else " %Y"
    assert yesterday.strftime(f">%d %b{year} %H:%M:%S UTC<") in moment(yesterday, "seconds")
