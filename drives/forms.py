"""What a person says of a drive. Forms look at the form of it; what may be, the actions decide."""

from typing import Any

from django import forms

from accounts.models import User
from cloudjobs.pages.fields import SizeField
from drives.actions import DriveSpec
from drives.models import BandwidthLimit, Drive
from drives.storage import all_hosts, storage_types

SIZE_HELP = "A number and a unit, such as 10 GiB or 512 MiB."
MEDIA = [("disk", "Disk"), ("cdrom", "CD")]
MOST_AVOIDED = 200  # drives to choose from


def storage_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in storage_types()]


def same_storage_choices() -> list[tuple[str, str]]:
    return [("", "As the source"), *storage_choices()]


class DriveForm(forms.Form):
    """An empty drive."""

    name = forms.CharField(max_length=255)
    size = SizeField(help_text=SIZE_HELP)
    media = forms.ChoiceField(choices=MEDIA, label="Seen as")  # type: ignore[assignment]
    storage_type = forms.ChoiceField(choices=storage_choices)

    def spec(self) -> DriveSpec:
        return DriveSpec(**self.cleaned_data)


class UploadForm(forms.Form):
    """An image of one's own."""

    image = forms.FileField(label="Raw disk image")
    name = forms.CharField(max_length=255)
    media = forms.ChoiceField(choices=MEDIA, label="Seen as")  # type: ignore[assignment]
    storage_type = forms.ChoiceField(choices=storage_choices)

    def spec(self) -> DriveSpec:
        given = {name: value for name, value in self.cleaned_data.items() if name != "image"}
        return DriveSpec(size=0, **given)


class CloneForm(forms.Form):
    """What may differ in a clone."""

    name = forms.CharField(
        max_length=255,
        required=False,
        help_text="Without one, your profile decides how clones are called.",
    )
    size = SizeField(required=False, help_text="Not smaller than the source.")
    storage_type = forms.ChoiceField(choices=same_storage_choices, required=False)
    verify = forms.BooleanField(
        required=False,
        label="Verify it",
        help_text="The copy is read again and compared with its source, which takes its time.",
    )
    avoid = forms.ModelMultipleChoiceField(
        queryset=Drive.objects.none(),
        required=False,
        label="Keep away from",
        help_text="The clone goes to another storage host than these drives, where one has room.",
        widget=forms.SelectMultiple(attrs={"size": 4}),
    )

    def __init__(self, source: Drive, owner: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["avoid"]
        mine = Drive.objects.owned_by(owner).order_by("name", "pk")
        newest = mine.values_list("pk", flat=True)[:MOST_AVOIDED]
        reachable = Drive.objects.reachable_by(owner).order_by("name", "pk")
        field.queryset = reachable.filter(pk__in=[source.pk, *newest])
        field.label_from_instance = lambda drive: f"{drive.name} ({drive.storage_host})"

    def wishes(self) -> dict[str, Any]:
        """Return what differs, as the action takes it."""
        names = ("name", "size", "storage_type", "verify")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name]}


class BandwidthForm(forms.ModelForm):
    """What a storage host may move each second."""

    storage_host = forms.ChoiceField(choices=lambda: [(h.name, h.name) for h in all_hosts()])

    class Meta:
        model = BandwidthLimit
        fields = ("storage_host", "bandwidth")
