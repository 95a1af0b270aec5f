"""With TLS nothing travels in the open; without it, as on one's own machine, all works too."""

from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.factories import PASSWORD
from tests.protection.conftest import Deploy
from tests.wire import API

BY_PROXY = {"x-forwarded-proto": "https", "host": "testserver"}


def logged_in(client: Client, user: User) -> Any:
    body = {"username": user.email, "password": PASSWORD}
    address = f"{API}/accounts/action/?do=login"
    return client.post(address, body, content_type="application/json")


@pytest.mark.parametrize("variables", [{"TLS": "proxy"}, {"GRANIAN_SSL_CERTIFICATE": "cert.pem"}])
def test_deployment_with_tls_passes_djangos_own_check(
    deploy: Deploy, settings: Settings, variables: dict[str, str]
) -> None:
    settings.SECRET_KEY = get_random_secret_key()
    deploy(**variables)
    faults = checks.run_checks(include_deployment_checks=True)
    assert [fault for fault in faults if not fault.is_silenced()] == []


def test_check_names_what_a_deployment_without_tls_lacks(deploy: Deploy) -> None:
    deploy()
    faults = {fault.id for fault in checks.run_checks(include_deployment_checks=True)}
    assert {f"security.W{number}" for number in ("004", "008", "012", "016")} <= faults


def test_without_tls_plain_http_works(deploy: Deploy, owner: User) -> None:
    deploy()
    client = Client()
    response = logged_in(client, owner)
    assert response.status_code == 200
    assert not any(client.cookies[name]["secure"] for name in ("sessionid", "csrftoken"))
    assert "Strict-Transport-Security" not in response.headers


def test_server_with_tls_keeps_cookies_and_browsers_to_it(deploy: Deploy, owner: User) -> None:
    deploy(GRANIAN_SSL_CERTIFICATE="cert.pem")
    client = Client()
    response = client.post(
        f"{API}/accounts/action/?do=login",
        {"username": owner.email, "password": PASSWORD},
        content_type="application/json",
        secure=True,
    )
    assert response["Strict-Transport-Security"] == "max-age=3600"
    assert all(client.cookies[name]["secure"] for name in ("sessionid", "csrftoken"))


def test_proxy_with_tls_is_taken_at_its_word(deploy: Deploy, owner: User) -> None:
    deploy(TLS="proxy", HSTS_SECONDS="60", HSTS_SUBDOMAINS="on")
    client = Client(headers=BY_PROXY)
    response = logged_in(client, owner)
    assert response["Strict-Transport-Security"] == "max-age=60; includeSubDomains"
    assert client.cookies["sessionid"]["secure"]
    (location,) = client.get(f"{API}/locations/").json()["objects"]
    assert location["api_endpoint"] == "https://testserver/api/2.0/"


def test_what_came_in_the_open_is_sent_to_https(deploy: Deploy, db: None) -> None:
    deploy(TLS="proxy")
    response = Client(headers={"x-forwarded-proto": "http"}).get("/login/?next=/jobs/")
    assert response.status_code == 301
    assert response["Location"] == "https://testserver/login/?next=/jobs/"


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
def test_probes_need_no_tls(deploy: Deploy, storage: object, db: None, probe: str) -> None:
    deploy(TLS="proxy")
    assert Client().get(probe).status_code == 200


def test_nobody_else_speaks_for_the_proxy(deploy: Deploy, db: None) -> None:
    deploy(TLS="proxy")
    statuses = [
        Client(headers=BY_PROXY, REMOTE_ADDR=address).get("/login/").status_code
        for address in ("127.0.0.1", "::1", "192.0.2.7", "", "unix:")
    ]
    assert statuses[2:] == [301, 301, 301]
    assert 301 not in statuses[:2]


def test_proxy_on_another_machine_is_named(deploy: Deploy, db: None) -> None:
    deploy(TLS="proxy", TRUSTED_PROXIES="192.0.2.0/24,2001:db8::1")
    for address, status in {"192.0.2.7": 200, "2001:db8::1": 200, "127.0.0.1": 301}.items():
        client = Client(headers=BY_PROXY, REMOTE_ADDR=address)
        assert client.get("/login/").status_code == status


def test_header_of_a_proxy_means_nothing_without_one(deploy: Deploy, owner: User) -> None:
    deploy()
    client = Client(headers=BY_PROXY)
    client.force_login(owner)
    (location,) = client.get(f"{API}/locations/").json()["objects"]
    assert location["api_endpoint"] == "http://testserver/api/2.0/"


@pytest.mark.parametrize("variable", ["TLS", "TRUSTED_PROXIES"])
def test_misspelt_variable_is_named_at_the_start(deploy: Deploy, variable: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{variable} .*'prxy'"):
        deploy(**{variable: "prxy"})
