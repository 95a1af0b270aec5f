"""Who sees secrets: their owners; not the operators in the admin."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tokens import create_token
from keypairs.models import KeyPair
from tests.factories import PASSWORD, ServerFactory
from tests.wire import API


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", PASSWORD))
    return client


def test_operator_does_not_see_a_vnc_password(operator: Client, owner: User) -> None:
    server = ServerFactory(owner=owner, vnc_password="for my eyes only")
    for page in ("", f"{server.pk}/change/"):
        response = operator.get(f"/admin/servers/server/{page}")
        assert response.status_code == 200
        assert "for my eyes only" not in response.content.decode()
    assert operator.get(f"{API}/servers/{server.pk}/").status_code == 404


def test_operator_does_not_see_a_private_key(operator: Client, api: APIClient, owner: User) -> None:
    made = api.post(f"{API}/keypairs/", {"name": "mine", "algorithm_type": "ed25519"}).json()
    (told,) = made["objects"]
    sealed = KeyPair.objects.get().sealed_private_key
    page = operator.get(f"/admin/keypairs/keypair/{told['uuid']}/change/").content.decode()
    assert told["public_key"].split()[1] in page
    assert sealed not in page
    assert told["private_key"].splitlines()[1] not in page
    assert operator.get(f"{API}/keypairs/{told['uuid']}/").status_code == 404


def test_operator_does_not_see_what_a_token_is_found_by(operator: Client, owner: User) -> None:
    token, _ = create_token(owner, "a program")
    page = operator.get(f"/admin/accounts/apitoken/{token.pk}/change/").content.decode()
    assert "a program" in page
    assert token.digest not in page
