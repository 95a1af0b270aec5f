"""Fields of forms that are ours."""

import re
from typing import Any

from django import forms

from cloudjobs.pages.measures import UNITS, size_text

SIZE = re.compile(r"([0-9]{1,15}(?:[.,][0-9]{1,3})?)\s*([kmgtp]?)(?:i?b)?", re.IGNORECASE)
DEFAULT_UNIT = "g"


class SizeField(forms.CharField):
    """Bytes as a person writes them: `10 GiB`, `512 MiB`; a bare number is GiB."""

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
            raise forms.ValidationError("A size is a number and a unit, such as 10 GiB.")
        number, letter = match.groups()
        unit = f"{letter or self.unit_of(text)}".upper()
        power = [name[0] for name in UNITS].index(unit)
        return int(float(number.replace(",", ".")) * 1024**power)

    def unit_of(self, text: str) -> str:
        """Return the unit of a number without a prefix: bytes if it says so."""
        return "b" if text.strip().lower().endswith("b") else DEFAULT_UNIT
