"""Hypervisors made for tests."""

from servers.hypervisor import HypervisorError, StateOnlyHypervisor
from servers.models import Server


class RefusingHypervisor(StateOnlyHypervisor):
    """Can do nothing, and says so."""

    def start(self, server: Server) -> None:
        raise HypervisorError("There is no host for it.")

    def stop(self, server: Server) -> None:
        raise HypervisorError("The host does not answer.")

    def shut_down(self, server: Server) -> None:
        raise HypervisorError("The guest does not listen.")
