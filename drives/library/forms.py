"""What an operator says of a drive of the library."""

from typing import Any

from django import forms

from drives.actions import DriveSpec
from drives.forms import MEDIA, storage_choices
from drives.models import LibraryEntry


class WordsField(forms.CharField):
    """A list of words, written with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        words = (word.strip() for word in super().clean(value).split(","))
        return list(dict.fromkeys(word for word in words if word))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class EntryForm(forms.ModelForm):
    """What is told of a drive."""

    category = WordsField(required=False, help_text="Such as: general, webserver")
    url = forms.URLField(required=False, assume_scheme="https", help_text="Where more is told")

    class Meta:
        model = LibraryEntry
        fields = (
            "os",
            "distribution",
            "version",
            "arch",
            "image_type",
            "category",
            "description",
            "install_notes",
            "url",
            "paid",
        )


class UploadForm(EntryForm):
    """An image, and what is told of it."""

    image = forms.FileField(label="Raw disk image")
    name = forms.CharField(max_length=255)
    media = forms.ChoiceField(choices=MEDIA, label="Seen as")  # type: ignore[assignment]
    storage_type = forms.ChoiceField(choices=storage_choices)

    field_order = ("image", "name", "media", "storage_type")

    def spec(self) -> DriveSpec:
        given = self.cleaned_data
        return DriveSpec(given["name"], 0, given["media"], given["storage_type"])

    def description(self) -> dict[str, Any]:
        """Return the fields of the entry."""
        own = ("image", "name", "media", "storage_type")
        return {name: value for name, value in self.cleaned_data.items() if name not in own}
