"""What workers do for servers. Cloning the disks is the work of the drives' own operation."""

from abc import abstractmethod

from django.utils import timezone

from cloudjobs.api.exceptions import Refused
from jobs.exceptions import OperationFailed
from jobs.models import Job
from jobs.progress import Progress
from jobs.registry import Operation
from servers.hypervisor import Hypervisor, HypervisorError, hypervisor
from servers.models import Mount, Server


class CloneServer(Operation):
    """Sums up the clones of a server's disks; the new server is there from the beginning."""

    name = "server_clone"

    def run(self, job: Job, progress: Progress) -> None:
        """A server without disks: there is nothing to copy."""

    def settle(self, job: Job) -> None:
        """The drives settle themselves, and the servers were never busy."""

    def lock(self, job: Job) -> None:
        """Servers come before jobs: who deletes one has it when it wants its jobs."""
        list(Server.objects.locked().filter(pk=job.params["server"]))

    def revive(self, job: Job) -> None:
        """Mount the disks again that went when their jobs were cancelled, where there is place."""
        server = Server.objects.filter(pk=job.params["server"]).first()
        if server is None:
            raise Refused(
                "The new server was deleted; clone the source again instead.", "resources"
            )
        if not server.is_at_rest:
            return
        taken = set(server.mounts.values_list("device", "dev_channel"))
        for disk in job.get_children().filter(state=Job.State.CANCELLED):
            place = disk.params["mount"]
            if (place["device"], place["dev_channel"]) not in taken:
                Mount.objects.create(server=server, drive_id=disk.params["drive"], **place)


class PowerOperation(Operation):
    """Changes whether a server runs; it fails back to what the server was before."""

    is_internal = True
    passing: Server.Status
    before: Server.Status
    after: Server.Status

    def run(self, job: Job, progress: Progress) -> None:
        server = Server.objects.filter(pk=job.params["server"]).first()
        if server is None:  # somebody else has ended this job, and it was deleted since
            raise OperationFailed("The server is not there any more.")
        try:
            self.change(hypervisor(), server)
        except HypervisorError as error:
            raise OperationFailed(str(error)) from error

    def settle(self, job: Job) -> None:
        server = Server.objects.locked().filter(pk=job.params["server"]).first()
        if server is None:
            return
        reached = self.after if job.state == Job.State.SUCCESS else self.before
        since = server.active_since or timezone.now()
        running = reached == Server.Status.RUNNING
        server.become(reached, self.passing, active_since=since if running else None)

    @abstractmethod
    def change(self, machine: Hypervisor, server: Server) -> None:
        """Have the hypervisor do it."""


class StartServer(PowerOperation):
    name = "server_start"
    passing = Server.Status.STARTING
    before, after = Server.Status.STOPPED, Server.Status.RUNNING

    def change(self, machine: Hypervisor, server: Server) -> None:
        machine.start(server)


class StopServer(PowerOperation):
    name = "server_stop"
    passing = Server.Status.STOPPING
    before, after = Server.Status.RUNNING, Server.Status.STOPPED

    def change(self, machine: Hypervisor, server: Server) -> None:
        machine.stop(server)


class ShutDownServer(StopServer):
    name = "server_shutdown"

    def change(self, machine: Hypervisor, server: Server) -> None:
        machine.shut_down(server)
