"""Who may open a web socket: at this address, from no page of another site, with a login."""

from http import HTTPStatus
from typing import cast

from django.conf import settings
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from accounts.event_logins import COOKIE, COOKIE_PATH, EventLogin, lasting, open_login
from cloudjobs.origins import is_own_origin
from events import figures
from events.hub import Hub
from jobs.outages import AWAY


class Listener(ServerConnection):
    """A socket, and whose it is. One that does not read what it is sent is cut off."""

    login: EventLogin

    def pause_writing(self) -> None:
        """Called when more waits to be written than `write_limit`, whatever it is."""
        super().pause_writing()
        self.transport.abort()


class Doorkeeper:
    """Looks at the request that opens a socket."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    async def admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """Return what answers a request that opens no socket, or None and note whose it is."""
        if path_of(request) == "/healthz":
            return socket.respond(HTTPStatus.OK, "ok\n")
        if path_of(request) == figures.PATH:
            status, text = figures.figures_of(self.hub, request)
            return socket.respond(status, f"{text}\n")
        listener = cast(Listener, socket)
        fault = fault_of(request) or await self.fault_of_login(listener, request)
        if fault is None:
            return None
        status, sentence = fault
        return socket.respond(status, f"{sentence}\n")

    async def fault_of_login(
        self, socket: Listener, request: Request
    ) -> tuple[HTTPStatus, str] | None:
        login = login_in(request)
        try:
            if login is None or not await self.hub.ask(lasting, {login}):
                hint = "get one by POST /api/2.0/accounts/action/?do=authenticate_asynchronous"
                return HTTPStatus.UNAUTHORIZED, f"The cookie {COOKIE} is not valid; {hint}."
        except AWAY:
            return HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer; try again."
        if not self.hub.has_room(login.user):
            return HTTPStatus.TOO_MANY_REQUESTS, "You have too many sockets open."
        socket.login = login
        return None


def fault_of(request: Request) -> tuple[HTTPStatus, str] | None:
    """Return why nobody may open a socket by this request, whoever it is."""
    if path_of(request).rstrip("/") != COOKIE_PATH:
        return HTTPStatus.NOT_FOUND, f"Events are at {COOKIE_PATH}."
    host = ",".join(request.headers.get_all("Host"))
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return HTTPStatus.BAD_REQUEST, "This host is not in ALLOWED_HOSTS."
    if not all(is_own_origin(origin, host) for origin in request.headers.get_all("Origin")):
        return HTTPStatus.FORBIDDEN, "Pages of this origin may not listen."
    return None


def path_of(request: Request) -> str:
    return request.path.partition("?")[0]


def login_in(request: Request) -> EventLogin | None:
    """Return the login that the request's cookie holds, if it does."""
    cookies = parse_cookie("; ".join(request.headers.get_all("Cookie")))
    return open_login(cookies.get(COOKIE, ""))
