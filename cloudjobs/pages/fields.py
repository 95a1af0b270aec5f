"""Fields of forms that are ours."""

import re
from typing import Any

from django import forms

from cloudjobs.pages.measures import UNITS, rate_text, size_text

SIZE = re.compile(r"([0-9]{1,15}(?:[.,][0-9]{1,3})?)\s*([kmgtp]?)(?:i?b)?", re.IGNORECASE)


class SizeField(forms.CharField):
    """Bytes as a person writes them: `10 GiB`, `512 MiB`; a bare number is GiB."""

    default_unit = "g"
    fault = "A size is a number and a unit, such as 10 GiB."

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=32, **kwargs)
        self.widget.attrs.setdefault("inputmode", "text")

    def prepare_value(self, value: Any) -> Any:
        return size_text(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        match = SIZE.fullmatch(text.strip())
        if match is None:
            raise forms.ValidationError(self.fault)
        number, letter = match.groups()
        unit = f"{letter or self.unit_of(text)}".upper()
        power = [name[0] for name in UNITS].index(unit)
        return int(float(number.replace(",", ".")) * 1024**power)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare bytes, and not their number with how a person writes it."""
        try:
            return bool(self.clean(data) != initial)
        except forms.ValidationError:
            return True

    def unit_of(self, text: str) -> str:
        """Return the unit of a number without a prefix: bytes if it says so."""
        return "b" if text.strip().lower().endswith("b") else self.default_unit


class RateField(SizeField):
    """Bytes per second as a person writes them: `50 MiB/s`, `50M`; a bare number is bytes."""

    default_unit = "b"
    fault = "A bandwidth is a number and a unit, such as 50 MiB/s."

    def prepare_value(self, value: Any) -> Any:
        """Return a rate in words if they tell every byte of it, so that saving changes nothing."""
        text = rate_text(value) if isinstance(value, int) else ""
        return text if text and self.clean(text) == value else value

    def clean(self, value: Any) -> Any:
        return super().clean((value or "").strip().removesuffix("/s"))
