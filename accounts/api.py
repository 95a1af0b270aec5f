"""`/profile/` and `/accounts/action/`."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.auth import login, logout
from django.middleware.csrf import get_token
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.event_logins import COOKIE, COOKIE_PATH, COOKIE_SECONDS, login_of, seal_login
from accounts.models import Profile
from accounts.serializers import ProfileSerializer
from cloudjobs.api.authentication import RememberedBasicAuthentication, check_credentials
from cloudjobs.api.exceptions import Invalid
from cloudjobs.api.fields import StrictCharField, only_fields
from cloudjobs.api.openapi.components import component
from cloudjobs.api.openapi.exchanges import Exchange
from cloudjobs.api.schema import describe_resource
from cloudjobs.api.strangers import strangers_turn


class ProfileView(APIView):
    """The profile of the user who asks."""

    openapi_tag = "account"
    exchanges: ClassVar[dict[str, Exchange]] = {
        "get": Exchange(ProfileSerializer),
        "put": Exchange(
            ProfileSerializer, body=ProfileSerializer, example={"clone_naming": "COUNTER"}
        ),
    }

    def get(self, request: Request) -> Response:
        context = {"only_fields": only_fields(request)}
        return Response(ProfileSerializer(self.profile(), context=context).data)

    def put(self, request: Request) -> Response:
        """Change the fields that are given; the others keep their values."""
        serializer = ProfileSerializer(self.profile(), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data)

    def profile(self) -> Profile:
        user: Any = self.request.user
        return Profile.objects.select_related("user").get(user=user)


class ProfileSchemaView(APIView):
    """What the profile looks like."""

    openapi_tag = "account"
    exchanges: ClassVar[dict[str, Exchange]] = {"get": Exchange(component("ResourceSchema"))}

    def get(self, request: Request) -> Response:
        schema = describe_resource(
            ProfileSerializer(),
            list_methods=["get", "put"],
            detail_methods=["get", "put"],
            filtering=None,
            ordering=None,
            older_style=True,
        )
        return Response(schema)


class LoginSerializer(serializers.Serializer[Any]):
    """The body of `do=login`."""

    username = StrictCharField(max_length=254)
    password = StrictCharField(max_length=1024, trim_whitespace=False)


class AccountActionView(APIView):
    """`POST /accounts/action/?do=…`: the session cookie and its end, and the cookie for events.

    Logging in asks for no CSRF token, as there is no session yet that could be misused.
    """

    action_methods: ClassVar[dict[str, str]] = {
        "login": "log_in",
        "logout": "log_out",
        "check_login": "check_login",
        "authenticate_asynchronous": "admit_to_events",
    }
    openapi_tag = "account"
    exchanges: ClassVar[dict[str, Exchange]] = {
        "login": Exchange(
            component("ActionDone"),
            body=LoginSerializer,
            example={"username": "somebody@example.com", "password": "…"},
            needs_login=False,
        ),
        "logout": Exchange(component("ActionDone")),
        "check_login": Exchange(component("ActionDone")),
        "authenticate_asynchronous": Exchange(component("ActionDone"), headers=("Set-Cookie",)),
    }

    def post(self, request: Request) -> Response:
        name = self.action_name()
        if name not in self.action_methods:
            raise Invalid(f"The parameter do names one of: {', '.join(self.action_methods)}.", "do")
        method: Callable[[Request], Response] = getattr(self, self.action_methods[name])
        return method(request)

    def log_in(self, request: Request) -> Response:
        """Begin a session; its cookie comes with the answer."""
        with strangers_turn():
            said = request.data
        serializer = LoginSerializer(data=said)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        user = check_credentials(given["username"], given["password"], request)
        login(request._request, user, backend="django.contrib.auth.backends.ModelBackend")
        get_token(request._request)  # sends the CSRF cookie along
        return self.success("login", user.pk)

    def log_out(self, request: Request) -> Response:
        """End the session."""
        uuid = request.user.pk
        logout(request._request)
        return self.success("logout", uuid)

    def check_login(self, request: Request) -> Response:
        """Tell who is logged in."""
        return self.success("check_login", request.user.pk)

    def admit_to_events(self, request: Request) -> Response:
        """Answer with the cookie that opens a web socket; no other site's pages can use it."""
        response = self.success("authenticate_asynchronous", request.user.pk)
        response.set_cookie(
            COOKIE,
            seal_login(login_of(request)),
            max_age=COOKIE_SECONDS,
            path=COOKIE_PATH,
            secure=request.is_secure(),
            httponly=True,
            samesite="Strict",
        )
        return response

    def success(self, action: str, uuid: Any) -> Response:
        return Response({"action": action, "result": "success", "uuid": str(uuid)})

    def action_name(self) -> str:
        return self.request.GET.get("do", "")

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.action_name() == "login" else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.action_name() == "login" else [IsAuthenticated()]

    def get_authenticate_header(self, request: Request) -> str:
        """Return the challenge of all other views; without authenticators there would be none."""
        return RememberedBasicAuthentication().authenticate_header(request)
