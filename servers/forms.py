"""What a person says of a server. Forms look at the form of it; what may be, the actions decide."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q

from accounts.models import User
from cloudjobs.pages.fields import SizeField
from drives.forms import DrivesField, VerifyField
from drives.models import Drive
from servers.actions import CloneWishes, ServerSpec
from servers.models import Mount, Nic, Server
from servers.mounting import CHANNELS, MOUNTABLE, MountSpec, NicSpec

CARDS = [("dhcp", "Public, with DHCP"), ("manual", "Public, set up by hand"), ("", "None")]
RECURSE = [
    ("", "Keep all of them"),
    ("disks", "Delete its disks, keep the CDs"),
    ("cdroms", "Delete its CDs, keep the disks"),
    ("all_drives", "Delete all of them"),
]


class ServerForm(forms.Form):
    """A server with drives that nothing else has, and one card in each network."""

    name = forms.CharField(max_length=255)
    cpu = forms.IntegerField(label="CPU, MHz", min_value=1, initial=2000)
    smp = forms.IntegerField(label="Cores", min_value=1, required=False)
    mem = SizeField(label="Memory", initial="1 GiB", help_text="Such as 512 MiB or 4 GiB.")
    vnc_password = forms.CharField(label="VNC password", max_length=64, strip=False)
    drives = DrivesField(
        queryset=Drive.objects.none(),
        required=False,
        help_text="Disks go onto the virtio bus in this order, CDs onto IDE.",
        widget=forms.CheckboxSelectMultiple,
    )
    card = forms.ChoiceField(choices=CARDS, required=False, label="Network card", initial="dhcp")
    vlan = forms.UUIDField(
        required=False, label="Private network", help_text="The UUID of a VLAN, for a second card."
    )

    def __init__(self, owner: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["drives"]
        mine = Drive.objects.owned_by(owner).filter(status__in=MOUNTABLE)
        field.offer(mine.filter(Q(mounts=None) | Q(media=Drive.Media.CDROM)).distinct())

    def spec(self) -> ServerSpec:
        given = self.cleaned_data
        names = ("name", "cpu", "mem", "vnc_password", *(["smp"] if given["smp"] else []))
        fields = {name: given[name] for name in names}
        return ServerSpec(fields, list(mount_specs(given["drives"])), list(self.cards()))

    def cards(self) -> Iterator[NicSpec]:
        if self.cleaned_data["card"]:
            yield NicSpec(Nic.Model.VIRTIO, self.cleaned_data["card"])
        if self.cleaned_data["vlan"]:
            yield NicSpec(Nic.Model.VIRTIO, vlan=self.cleaned_data["vlan"])


def mount_specs(drives: Any) -> Iterator[MountSpec]:
    """Yield where the drives go: each onto the next channel of its bus; the first disk boots."""
    taken = {Mount.Device.VIRTIO: 0, Mount.Device.IDE: 0}
    for drive in drives:
        is_disk = drive.media == Drive.Media.DISK
        device = Mount.Device.VIRTIO if is_disk else Mount.Device.IDE
        controller, unit = divmod(taken[device], CHANNELS[device][1])
        order = 1 if is_disk and not taken[device] else None
        taken[device] += 1
        yield MountSpec(drive.pk, device, f"{controller}:{unit}", order)


class CloneForm(forms.Form):
    """What may differ in a clone of a server."""

    name = forms.CharField(
        max_length=255,
        required=False,
        help_text="Without one, your profile decides how clones are called.",
    )
    random_vnc_password = forms.BooleanField(required=False, label="A VNC password of its own")
    verify = VerifyField(
        label="Verify the disks",
        help_text="Copies are read again and compared with their sources, which takes its time.",
    )
    avoid = DrivesField(
        queryset=Drive.objects.none(),
        required=False,
        label="Keep away from",
        help_text="The disks go to other storage hosts than these drives, where there is room.",
        widget=forms.SelectMultiple(attrs={"size": 4}),
    )

    def __init__(self, source: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["avoid"]
        field.offer(Drive.objects.owned_by(source.owner_id))

    def wishes(self) -> CloneWishes:
        given = self.cleaned_data
        avoid: frozenset[UUID] = frozenset(drive.pk for drive in given["avoid"])
        return CloneWishes(given["name"], given["random_vnc_password"], given["verify"], avoid)


class DeletionForm(forms.Form):
    """What becomes of a server's drives."""

    recurse = forms.ChoiceField(
        choices=RECURSE, required=False, widget=forms.RadioSelect, label="Its drives"
    )
