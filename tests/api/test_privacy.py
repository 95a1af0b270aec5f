"""What belongs to a user is kept by no cache."""

from base64 import b64encode

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories import PASSWORD


@pytest.mark.parametrize("address", ["/", "/jobs/", "/profile/", "/api/2.0/jobs/", "/nowhere/"])
def test_answer_to_a_logged_in_user_is_not_kept(owner: User, address: str) -> None:
    client = Client()
    client.force_login(owner)
    assert client.get(address).headers["Cache-Control"] == "private, no-store"


def test_answer_to_a_password_is_not_kept(owner: User) -> None:
    client = APIClient()
    login = b64encode(f"{owner.email}:{PASSWORD}".encode()).decode()
    client.credentials(HTTP_AUTHORIZATION=f"Basic {login}")
    assert client.get("/api/2.0/jobs/").headers["Cache-Control"] == "private, no-store"


def test_answer_to_nobody_may_be_kept(db: None, client: Client) -> None:
    assert "Cache-Control" not in client.get("/healthz").headers
