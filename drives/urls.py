from django.urls import path

from drives import views

app_name = "drives"
urlpatterns = [
    path("", views.drive_list, name="list"),
    path("create/", views.create, name="create"),
    path("upload/", views.upload, name="upload"),
    path("<uuid:uuid>/", views.drive_detail, name="detail"),
    path("<uuid:uuid>/clone/", views.clone, name="clone"),
    path("<uuid:uuid>/delete/", views.delete, name="delete"),
]
