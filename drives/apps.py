from django.apps import AppConfig


class DrivesConfig(AppConfig):
    name = "drives"

    def ready(self) -> None:
        from drives import operations
        from jobs.registry import register

        register(operations.CreateDrive)
        register(operations.CloneDrive)
        register(operations.ResizeDrive)
        register(operations.DeleteDrive)
