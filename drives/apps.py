from django.apps import AppConfig


class DrivesConfig(AppConfig):
    name = "drives"

    def ready(self) -> None:
        from drives import checks, operations, placement  # noqa: F401  checks register themselves
        from drives.models import Drive, Snapshot
        from drives.querysets import KIND, SNAPSHOTS
        from drives.snapshots import operations as snapshots
        from drives.storage import limits_of_jobs
        from drives.uploads.actions import purge_uploads
        from jobs.asking import register_question
        from jobs.limits import register_lane_limits
        from jobs.registry import register, register_purge
        from tags import registry as tags

        register(operations.CreateDrive)
        register(operations.CloneDrive)
        register(operations.ResizeDrive)
        register(operations.DeleteDrive)
        tags.register(KIND, Drive.objects.owned_by)
        tags.register(SNAPSHOTS, Snapshot.objects.owned_by)
        register(snapshots.CreateSnapshot)
        register(snapshots.CloneSnapshot)
        register(snapshots.DeleteSnapshot)
        register_purge(purge_uploads)
        register_lane_limits(limits_of_jobs)
        register_question(placement.ask_storage)
