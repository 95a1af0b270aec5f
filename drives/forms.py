"""What a person says of a drive. Forms look at the form of it; what may be, the actions decide."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils.functional import lazy
from django.utils.html import escape

from accounts.models import User
from cloudjobs.pages.fields import RateField, SizeField
from cloudjobs.pages.measures import rate_text
from drives.actions import DriveSpec
from drives.models import BandwidthLimit, Drive
from drives.storage import all_hosts, storage_types
from drives.storage.limiter import LEAST_RATE

SIZE_HELP = "A number and a unit, such as 512 MiB; 10 alone means 10 GiB."
RATE_HELP = (
    f"A number and a unit, such as 50 MiB/s, and at least {rate_text(LEAST_RATE)}; "
    "a bare number is bytes per second. Empty: what the settings say."
)
MEDIA = [("disk", "Disk"), ("cdrom", "CD")]
MOST_SHOWN = 200  # drives to choose from


def storage_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in storage_types()]


def same_storage_choices() -> list[tuple[str, str]]:
    return [("", "As the source"), *storage_choices()]


def with_hosts_that_verify(text: str) -> str:
    """Add to a help text on which storage hosts clones are verified whatever their owner wants."""
    hosts = all_hosts()
    names = [host.name for host in hosts if host.verify]
    if not names:
        return text
    which = "All clones" if len(names) == len(hosts) else f"Clones on {escape(', '.join(names))}"
    return f"{text} {which} are verified anyway."


class VerifyField(forms.BooleanField):
    """Whether copies are compared with their sources; the help tells where they always are."""

    def __init__(self, *, label: str, help_text: str) -> None:
        told = lazy(with_hosts_that_verify, str)(help_text)
        super().__init__(required=False, label=label, help_text=told)


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


class DrivesField(forms.ModelMultipleChoiceField):
    """Drives of a user, by name."""

    def label_from_instance(self, obj: Drive) -> str:
        return f"{obj.name} ({obj.storage_host})"

    def offer(self, drives: QuerySet[Drive], *others: UUID) -> None:
        """Let the first of these drives be chosen, and some others."""
        first = drives.order_by("name", "pk").values_list("pk", flat=True)[:MOST_SHOWN]
        self.queryset = Drive.objects.filter(pk__in=[*first, *others]).order_by("name", "pk")


class CloneForm(forms.Form):
    """What may differ in a clone."""

    name = forms.CharField(
        max_length=255,
        required=False,
        help_text="Without one, your profile decides how clones are called.",
    )
    size = SizeField(
        required=False, help_text="Such as 10 GiB; not smaller than the source. Empty: as large."
    )
    storage_type = forms.ChoiceField(choices=same_storage_choices, required=False)
    verify = VerifyField(
        label="Verify it",
        help_text="The copy is read again and compared with its source, which takes its time.",
    )
    avoid = DrivesField(
        queryset=Drive.objects.none(),
        required=False,
        label="Keep away from",
        help_text="The clone goes to another storage host than these drives, where one has room.",
        widget=forms.SelectMultiple(attrs={"size": 4}),
    )

    def __init__(self, source: Drive, owner: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["avoid"]
        field.offer(Drive.objects.owned_by(owner), source.pk)

    def wishes(self) -> dict[str, Any]:
        """Return what differs, as the action takes it."""
        names = ("name", "size", "storage_type", "verify")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name]}


class BandwidthForm(forms.ModelForm):
    """What a storage host may move each second."""

    storage_host = forms.ChoiceField(choices=lambda: [(h.name, h.name) for h in all_hosts()])
    bandwidth = RateField(required=False, help_text=RATE_HELP)

    class Meta:
        model = BandwidthLimit
        fields = ("storage_host", "bandwidth")
