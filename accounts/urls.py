from django.contrib.auth import views as auth
from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("profile/", views.profile, name="profile"),
    path("profile/tokens/", views.make_token, name="token-create"),
    path("profile/tokens/<uuid:uuid>/revoke/", views.revoke, name="token-revoke"),
    path("profile/password/", views.PasswordView.as_view(), name="password"),
]
