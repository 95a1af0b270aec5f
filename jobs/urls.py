from django.urls import path

from jobs import steering, views

app_name = "jobs"
urlpatterns = [
    path("", views.job_list, name="list"),
    path("selected/", steering.selected, name="selected"),
    path("<uuid:uuid>/", views.job_detail, name="detail"),
    path("<uuid:uuid>/cancel/", steering.one, {"action": "cancel"}, name="cancel"),
    path("<uuid:uuid>/retry/", steering.one, {"action": "retry"}, name="retry"),
]
