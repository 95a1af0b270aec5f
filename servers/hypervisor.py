"""What runs servers: a small interface, and its first backend, which only keeps their state.

A backend for QEMU or libvirt is one subclass; the setting `HYPERVISOR` names it.
"""

from abc import ABC, abstractmethod
from ipaddress import IPv4Network

from django.conf import settings
from django.utils.module_loading import import_string

from servers.models import Nic, Server


class HypervisorError(Exception):
    """The hypervisor cannot do it; the message is for the server's owner."""


class Hypervisor(ABC):
    """Runs servers. Each call may be repeated after it was interrupted, so all are idempotent."""

    @abstractmethod
    def start(self, server: Server) -> None:
        """Boot the server. Raises HypervisorError."""

    @abstractmethod
    def stop(self, server: Server) -> None:
        """Take its power away. Raises HypervisorError."""

    @abstractmethod
    def shut_down(self, server: Server) -> None:
        """Ask the guest by ACPI to shut down, and wait for it. Raises HypervisorError."""

    @abstractmethod
    def address_of(self, nic: Nic) -> str | None:
        """Return the public IPv4 address of a card of a running server, None if it has none."""


class StateOnlyHypervisor(Hypervisor):
    """Keeps what servers would be, and runs nothing: every call succeeds at once.

    For labs without virtualisation and for those who test clients. Cards with DHCP get an address
    of `STATE_ONLY_NETWORK`, which nobody routes (198.18.0.0/15 is for benchmarks, RFC 2544).
    """

    def start(self, server: Server) -> None:
        """There is nothing to boot."""

    def stop(self, server: Server) -> None:
        """There is nothing to stop."""

    def shut_down(self, server: Server) -> None:
        """There is no guest to ask."""

    def address_of(self, nic: Nic) -> str | None:
        if nic.conf == Nic.Conf.STATIC:
            return nic.ip
        if nic.conf != Nic.Conf.DHCP:
            return None
        network = IPv4Network(settings.STATE_ONLY_NETWORK)
        return str(network[1 + nic.pk % (network.num_addresses - 2)])


def hypervisor() -> Hypervisor:
    """Return the configured hypervisor."""
    backend: Hypervisor = import_string(settings.HYPERVISOR)()
    return backend
