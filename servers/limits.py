"""What a server may be made of, as it is configured and as `/capabilities/` tells it."""

from typing import Any

from django.conf import settings

from cloudjobs.api.exceptions import Invalid
from drives.storage import all_hosts, hosts_of, storage_types

MOST_DRIVES = 1024
MOST_NICS = 32


def check_machine(cpu: int, smp: int, mem: int) -> None:
    """Let pass what lies within the limits.

    Raises:
        Invalid: naming the field that does not.
    """
    check("cpu", cpu, "MHz")
    check("mem", mem, "bytes")
    check("smp", smp, "cores")
    limit = settings.SERVER_LIMITS["cpu_per_smp"]
    if not limit["min"] <= cpu / smp <= limit["max"]:
        raise Invalid(
            f"Each core has between {limit['min']} and {limit['max']} MHz; "
            f"{cpu} MHz on {smp} would be {cpu // smp}.",
            "smp",
        )


def check(name: str, value: int, unit: str) -> None:
    limit = settings.SERVER_LIMITS[name]
    if not limit["min"] <= value <= limit["max"]:
        raise Invalid(f"{name} is between {limit['min']} and {limit['max']} {unit}.", name)


def fewest_cores(cpu: int) -> int:
    """Return the cores that a server gets which asks for no number: as few as carry its MHz."""
    return max(1, -(-cpu // settings.SERVER_LIMITS["cpu_per_smp"]["max"]))


def capabilities() -> dict[str, Any]:
    """Return `/capabilities/`: limits of drives by storage type, and of servers."""
    limits = settings.SERVER_LIMITS
    return {
        "default_storage_type": all_hosts()[0].storage_type,
        "drives": {name: drive_sizes(name) for name in storage_types()},
        "hosts": dict.fromkeys(settings.CPU_TYPES, limits),
        "hypervisors": {"kvm": list(settings.CPU_TYPES)},
        "servers": {**limits, "default_start_method": "regular", "start_methods": ["regular"]},
    }


def drive_sizes(storage_type: str) -> dict[str, Any]:
    """Return the bounds of a drive's size in bytes, in the two forms that clients read."""
    hosts = hosts_of(storage_type)
    least, most = min(h.min_size for h in hosts), max(h.max_size for h in hosts)
    return {"min_size": least, "max_size": most, "size": {"min": least, "max": most}}
