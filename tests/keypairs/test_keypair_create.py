"""Key pairs that the service makes, and those that are given."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.dsa import generate_private_key as generate_dsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.db import connection
from rest_framework.test import APIClient

from keypairs import keys
from keypairs.keys import Keys
from keypairs.models import KeyPair
from tests.conftest import Unchanged
from tests.wire import API, faults_of, keypair_json

KEYPAIRS = f"{API}/keypairs/"
OF_SAMPLE = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDFGtYDl+/Oua9uBXqwcbE84QUBBbDdMMzaZ6MAGg1Bmus9VEW0P8kK"
    "6npZ0SaUnB2xRrBNwCv0Q0uZBJ70UicgsrhBjCXIVa7K6yQYrFzMxfN8saNAjJvGDdWGSvcMxJdpYwXiOQhFan36eJCC"
    "wQjni7I538Ii9chPD8/tyJcBIw=="
)
LOCKED = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABAyutKOih
t9dgv/sdg62ya9AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIGARtdsNEZGIGx+z
fWOKtx/n5LuGL7TAcooX6TZVK5Z9AAAAkMaFGirM8Lmx7w6k2Gb0z4RrL7jnCvHWCX3lAb
IMvuoGyT72bXnTS1QYJm+BqsK1gLe/t6mlQGEJyA6dAlj7OfpyUQfgVaJY+VnNuCMKhEsr
S4HxpNRdz/YQVlD3IyH4l1R7xbIWdEYg38iEGwjYSmfjG9LInUCZoiPfBYUWpOnE6TYOLH
Yvs1pA85TbWuykNg==
-----END OPENSSH PRIVATE KEY-----
"""  # its passphrase is: secret


@pytest.fixture
def given() -> Keys:
    return keys.generate(keys.ED25519)


def create(api: APIClient, **definition: Any) -> Any:
    return api.post(KEYPAIRS, {"objects": [{"name": "test_name", **definition}]})


@pytest.mark.parametrize(
    ("algorithm", "public", "private"),
    [
        ({"algorithm_type": "ed25519"}, "ssh-ed25519 ", "OPENSSH"),
        ({"algorithm_type": "rsa"}, "ssh-rsa ", "RSA"),
        ({}, "ssh-rsa ", "RSA"),
    ],
)
def test_key_pair_is_made(
    api: APIClient, algorithm: dict[str, str], public: str, private: str
) -> None:
    response = create(api, **algorithm)
    pair = KeyPair.objects.get()
    assert (response.status_code, response["Location"]) == (201, f"{KEYPAIRS}{pair.pk}/")
    assert response.json() == {"objects": [keypair_json(pair)]}
    one = response.json()["objects"][0]
    assert one["public_key"].startswith(public)
    assert one["private_key"].startswith(f"-----BEGIN {private} PRIVATE KEY-----\n")
    assert keys.read("", one["private_key"]).public == one["public_key"]


def test_public_key_is_enough(api: APIClient) -> None:
    response = create(api, public_key=OF_SAMPLE)
    shown = response.json()["objects"][0]
    assert shown == keypair_json(KeyPair.objects.get())
    assert (shown["private_key"], shown["public_key"]) == (None, OF_SAMPLE)
    assert shown["fingerprint"] == "e8:ee:43:72:38:09:6d:1e:8e:46:9e:76:80:a3:0a:01"


def test_comment_of_a_public_key_is_kept(api: APIClient, given: Keys) -> None:
    shown = create(api, public_key=f"{given.public} me@home\n").json()["objects"][0]
    assert shown["public_key"] == f"{given.public} me@home"


def test_both_halves_are_kept(api: APIClient, given: Keys) -> None:
    shown = create(api, public_key=given.public, private_key=given.private).json()["objects"][0]
    assert (shown["public_key"], shown["private_key"]) == (given.public, given.private)


def test_public_half_is_found_from_the_private_one(api: APIClient, given: Keys) -> None:
    shown = create(api, private_key=given.private, public_key=None).json()["objects"][0]
    assert (shown["public_key"], shown["private_key"]) == (given.public, given.private)


def test_ecdsa_is_taken(api: APIClient) -> None:
    private = generate_ec(SECP256R1())
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    shown = create(api, private_key=text).json()["objects"][0]
    assert shown["public_key"].startswith("ecdsa-sha2-nistp256 ")


def test_private_key_lies_sealed_in_the_database(api: APIClient, given: Keys) -> None:
    create(api, private_key=given.private)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM keypairs_keypair")
        stored = repr(cursor.fetchall())
    assert given.public in stored
    assert "PRIVATE KEY" not in stored
    assert given.private.splitlines()[1] not in stored


def locked() -> str:
    key = Ed25519PrivateKey.generate()
    locked = BestAvailableEncryption(b"secret")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked).decode()


def dsa() -> str:
    key = generate_dsa(1024)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("definition", "point"),
    [
        ({"name": None}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"algorithm_type": "dsa"}, "algorithm_type"),
        ({"meta": []}, "meta"),
        ({"public_key": 1}, "public_key"),
        ({"public_key": "no key"}, "public_key"),
        ({"public_key": f'command="rm" {OF_SAMPLE}'}, "public_key"),
        ({"public_key": f"{OF_SAMPLE} a\n{OF_SAMPLE} b"}, "public_key"),
        ({"public_key": f"{OF_SAMPLE} {'x' * 4000}"}, "public_key"),
        ({"private_key": "no key"}, "private_key"),
        ({"private_key": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "private_key"),
        ({"private_key": "é"}, "private_key"),
        ({"private_key": locked()}, "private_key"),
        ({"private_key": LOCKED}, "private_key"),
        ({"private_key": dsa()}, "private_key"),
        ({"private_key": keys.generate("ed25519").private, "public_key": OF_SAMPLE}, "public_key"),
    ],
)
def test_bad_keys_are_refused(
    api: APIClient, unchanged: Unchanged, definition: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = create(api, **definition)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]
    assert "BEGIN" not in response.content.decode()


def test_bad_key_in_bulk_is_pointed_at(api: APIClient, unchanged: Unchanged) -> None:
    body = [{"name": "a", "public_key": OF_SAMPLE}, {"name": "b", "public_key": "none"}]
    with unchanged():
        response = api.post(KEYPAIRS, body)
    assert faults_of(response) == [("validation", "objects.1.public_key")]


def test_request_makes_few_keys(api: APIClient, unchanged: Unchanged) -> None:
    with unchanged():
        response = api.post(KEYPAIRS, [{"name": "x"}] * 11)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "objects")]


def test_key_pairs_are_not_for_anonymous(anonymous_api: APIClient, unchanged: Unchanged) -> None:
    with unchanged():
        response = create(anonymous_api)
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]
