from django.apps import AppConfig


class TestsConfig(AppConfig):
    """Makes the operations known that only tests submit."""

    name = "tests"

    def ready(self) -> None:
        from jobs.registry import register
        from tests import operations

        for operation in operations.ALL:
            register(operation)
