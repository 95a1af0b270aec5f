from django.urls import path

from servers import views

app_name = "servers"
urlpatterns = [
    path("", views.server_list, name="list"),
    path("create/", views.create, name="create"),
    path("<uuid:uuid>/", views.server_detail, name="detail"),
    path("<uuid:uuid>/clone/", views.clone, name="clone"),
    path("<uuid:uuid>/delete/", views.delete, name="delete"),
    path("<uuid:uuid>/start/", views.power, {"action": "start"}, name="start"),
    path("<uuid:uuid>/stop/", views.power, {"action": "stop"}, name="stop"),
    path("<uuid:uuid>/shutdown/", views.power, {"action": "shutdown"}, name="shutdown"),
]
