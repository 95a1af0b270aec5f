from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "servers"

    def ready(self) -> None:
        from jobs.registry import register
        from servers import operations
        from servers.models import Server
        from servers.querysets import KIND
        from tags import registry as tags

        register(operations.CloneServer)
        register(operations.StartServer)
        register(operations.StopServer)
        register(operations.ShutDownServer)
        tags.register(KIND, Server.objects.owned_by)
