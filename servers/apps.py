from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "servers"

    def ready(self) -> None:
        from jobs.registry import register
        from servers import operations

        register(operations.CloneServer)
        register(operations.StartServer)
        register(operations.StopServer)
        register(operations.ShutDownServer)
