"""Every address of the API, asked for by a browser without a login."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

UUID = "12345678-1234-1234-1234-123456789abc"


def api_paths() -> list[str]:
    """Return a path for each route below /api/."""
    return sorted(set(walk(get_resolver().url_patterns, "/")))


def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> list[str]:
    found = []
    for each in patterns:
        path = prefix + filled(each)
        if isinstance(each, URLResolver):
            found += walk(each.url_patterns, path)
        elif path.startswith("/api/"):
            found.append(path)
    return found


def filled(each: URLPattern | URLResolver) -> str:
    """Return a route with example values in the places of its parameters."""
    route = str(each.pattern).lstrip("^").rstrip("$").replace("<path:name>", "name")
    while "(?P<uuid>" in route:
        begin = route.index("(?P<uuid>")
        route = route[:begin] + UUID + route[route.index(")", begin) + 1 :]
    return route


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
@pytest.mark.parametrize("path", api_paths())
def test_anonymous_browser_is_asked_to_log_in(
    anonymous_api: APIClient, path: str, method: str
) -> None:
    response = getattr(anonymous_api, method)(path, HTTP_ACCEPT="text/html")
    assert response.status_code in {400, 401, 405, 415}
    if response.status_code == 401:
        assert response["WWW-Authenticate"].startswith("Basic")
