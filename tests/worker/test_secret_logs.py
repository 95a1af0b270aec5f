"""What a person does with secrets leaves none of them in the logs of the web server and workers."""

import base64
import os

import httpx
import pytest

from tests.service import EMAIL, PASSWORD, Service
from tests.worker.drives import clone, finished, upload

pytestmark = pytest.mark.worker
GUESS, TOKEN, VNC = "a guess that is wrong", "cj_" + "t" * 43, "for my eyes only"
RAW = {"Content-Type": "application/octet-stream"}


def test_no_secret_is_in_a_log(service: Service) -> None:
    secrets = [PASSWORD, GUESS, TOKEN, VNC, *basic_headers()]
    with service.client() as api:
        secrets += logins(service, api)
        secrets += keys_and_servers(api)
        secrets += uploads(api)
    logs = "\n".join(path.read_text() for path in service.home.glob("*.log"))
    assert "/api/2.0/keypairs/" in logs  # they do tell what was asked
    assert "Traceback" in logs  # of the page that broke off
    assert [secret for secret in secrets if secret in logs] == []


def basic_headers() -> list[str]:
    pairs = [f"{EMAIL}:{password}" for password in (PASSWORD, GUESS)]
    return [base64.b64encode(pair.encode()).decode() for pair in pairs]


def logins(service: Service, api: httpx.Client) -> list[str]:
    """Log in in every way, rightly and wrongly, and into a page that cannot be drawn."""
    assert service.client(password=GUESS).get("/profile/").status_code == 401
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(f"{api.base_url}profile/", headers=bearer).status_code == 401
    with httpx.Client(base_url=service.url) as browser:
        said = {"username": EMAIL, "password": PASSWORD}
        address = "/api/2.0/accounts/action/?do=login"
        assert browser.post(address, json=said).status_code == 200
        cookies = dict(browser.cookies)
        browser.cookies.delete("sessionid")
        form = said | {"password": GUESS, "csrfmiddlewaretoken": cookies["csrftoken"]}
        page = browser.post("/login/", data=form)
        assert page.status_code == 500  # there are no static files here
        assert "Traceback" not in page.text
    asked = api.post("/accounts/action/", params={"do": "authenticate_asynchronous"}, json={})
    return [*cookies.values(), asked.cookies["async_auth"]]


def keys_and_servers(api: httpx.Client) -> list[str]:
    pair = api.post("/keypairs/", json={"name": "mine", "algorithm_type": "ed25519"}).json()
    machine = {"name": "a", "cpu": 1000, "mem": 256 * 1024**2, "vnc_password": VNC}
    assert api.post("/servers/", json=machine).status_code == 201
    assert api.post("/servers/", json=machine | {"cpu": VNC}).status_code == 400
    return [pair["objects"][0]["private_key"].splitlines()[1]]


def uploads(api: httpx.Client) -> list[str]:
    """Send a chunk by its link, and a whole image that is cloned."""
    wanted = {"name": "a", "media": "disk", "size": 65536}
    (drive,) = api.post("/initupload/", json=wanted).json()["objects"]
    chunk = {"chunk_number": 0, "chunk_size": 65536}
    asked = {"do": "upload_chunk"}
    link = api.post(f"/drives/{drive['uuid']}/action/", params=asked, json=chunk).json()["link"]
    address = api.base_url.join(link)
    assert httpx.post(address, content=bytes(65536), headers=RAW).status_code == 200
    new = clone(api, upload(api, os.urandom(65536), "dssd"))
    assert finished(api, new["jobs"][0]["uuid"])["state"] == "success"
    return [link.split("link=")[1].rstrip("/")]
