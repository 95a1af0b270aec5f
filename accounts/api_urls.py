from django.urls import path

from accounts import api

urlpatterns = [
    path("accounts/action/", api.AccountActionView.as_view(), name="account-action"),
    path("profile/", api.ProfileView.as_view(), name="profile"),
    path("profile/schema/", api.ProfileSchemaView.as_view(), name="profile-schema"),
]
