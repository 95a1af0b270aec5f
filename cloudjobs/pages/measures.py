"""Bytes, speeds and times in words, as short as they can be read."""

import re

NUMBER_OF_BYTES = re.compile(r"(?<![\w-])[0-9]{7,}(?![\w-])")
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


def size_text(size: float) -> str:
    """Return bytes with three digits: `512 B`, `1.5 GiB`, `37.2 GiB`, `256 MiB`."""
    unit = 0
    while round(size, 1) >= 1024 and unit < len(UNITS) - 1:
        size /= 1024
        unit += 1
    number = f"{size:.0f}" if size >= 100 or unit == 0 else f"{size:.1f}".removesuffix(".0")
    return f"{number} {UNITS[unit]}"


def moved_text(done: int, total: int) -> str:
    """Return how many bytes of how many, both in the unit of the whole: `0.3 of 4 GiB`."""
    if not total:
        return ""
    number, unit = size_text(total).split()
    part = done / 1024 ** UNITS.index(unit)
    digits = 0 if part >= 100 or unit == "B" else 1
    text = f"{min(part, float(number)):.{digits}f}".removesuffix(".0")
    return f"{text} of {number} {unit}"


def rate_text(rate: float) -> str:
    """Return bytes per second: `96.4 MiB/s`."""
    return f"{size_text(rate)}/s"


def duration_text(seconds: float) -> str:
    """Return a length of time in its two largest units: `< 1 s`, `42 s`, `1 min 20 s`, `2 h`."""
    whole = max(0, round(seconds))
    for unit, name, part, part_name in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            large, small = whole // unit, whole % unit // part
            return f"{large} {name} {small} {part_name}" if small else f"{large} {name}"
    return f"{whole} s" if whole or seconds <= 0 else "< 1 s"


def bytes_in_words(message: str) -> str:
    """Return a message of the API with its large numbers of bytes as people write them."""
    if " bytes" not in message:
        return message
    words = NUMBER_OF_BYTES.sub(lambda number: exact_size_text(int(number[0])), message)
    return re.sub(r"(?<=iB|s\)) bytes", "", words)


def exact_size_text(size: int) -> str:
    """Return bytes as `10 GiB`, or `10 GiB (10780213248 bytes)`: of two, one may be less."""
    text = size_text(size)
    number, unit = text.split()
    is_exact = float(number) * 1024 ** UNITS.index(unit) == size
    return text if is_exact else f"{text} ({size} bytes)"
