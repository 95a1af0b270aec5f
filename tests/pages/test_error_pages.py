from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.template.loader import get_template
from django.test import Client

from tests.html import text_of


def test_unknown_address_leads_back(web: Client) -> None:
    response = web.get("/nothing/")
    assert response.status_code == 404
    assert "There is nothing at this address" in text_of(response.content.decode())


def test_unknown_address_says_the_same_to_anonymous(anonymous_web: Client) -> None:
    assert anonymous_web.get("/nothing/").status_code == 404


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "413", "500", "503", "database_away"])
def test_error_page_needs_no_context(name: str) -> None:
    html = get_template(f"{name}.html").render()
    assert 'href="/"' in html


def test_form_without_its_token_is_refused_with_a_page(owner: object) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/login/", {"username": "x", "password": "y"})
    assert response.status_code == 403
    assert "open for too long" in text_of(response.content.decode())


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("path", ["/", "/jobs/", "/admin/", "/login/", "/profile/"])
def test_page_says_that_the_database_is_away(
    web: Client, path: str, error: type[Exception]
) -> None:
    def away(*args: Any) -> None:
        raise error("server closed the connection unexpectedly")

    web.raise_request_exception = False
    with connection.execute_wrapper(away):
        responses = [web.get(path), web.post(path)]
    for response in responses:
        assert response.status_code == 503
        assert response["Retry-After"] == "2"
        assert "The database does not answer" in text_of(response.content.decode())
