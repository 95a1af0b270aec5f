import pytest
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD
from tests.html import body_of, text_of


def log_in(client: Client, email: str, password: str = PASSWORD, page: str = "/login/") -> object:
    return client.post(page, {"username": email, "password": password})


def test_login_leads_to_the_overview(anonymous_web: Client, owner: User) -> None:
    response = log_in(anonymous_web, owner.email)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert owner.email in text_of(body_of(anonymous_web.get("/")))


def test_login_leads_to_the_page_that_was_asked_for(anonymous_web: Client, owner: User) -> None:
    response = log_in(anonymous_web, owner.email, page="/login/?next=/jobs/")
    assert response["Location"] == "/jobs/"


def test_login_leads_to_no_other_site(anonymous_web: Client, owner: User) -> None:
    response = log_in(anonymous_web, owner.email, page="/login/?next=https://evil.example.com/")
    assert response["Location"] == "/"


def test_email_is_taken_in_any_case(anonymous_web: Client, owner: User) -> None:
    assert log_in(anonymous_web, owner.email.upper()).status_code == 302


@pytest.mark.parametrize("email", ["", "nobody@example.com", "user\x00@example.com"])
def test_login_of_nobody_is_refused(anonymous_web: Client, owner: User, email: str) -> None:
    html = body_of(log_in(anonymous_web, email))
    assert "Log in" in html
    assert "_auth_user_id" not in anonymous_web.session


def test_wrong_password_is_refused(anonymous_web: Client, owner: User) -> None:
    assert "Please enter a correct" in text_of(body_of(log_in(anonymous_web, owner.email, "no")))


def test_closed_account_is_refused(anonymous_web: Client, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    body_of(log_in(anonymous_web, owner.email))


def test_who_is_logged_in_needs_no_login(web: Client) -> None:
    assert web.get("/login/")["Location"] == "/"


def test_logout_ends_the_session(web: Client) -> None:
    assert web.post("/logout/")["Location"] == "/login/"
    assert web.get("/jobs/").status_code == 302


def test_logout_is_no_link(web: Client) -> None:
    assert web.get("/logout/").status_code == 405
