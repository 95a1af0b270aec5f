"""The forms of the browsable pages, sent as a browser without JavaScript sends them."""

import re
from base64 import b64encode
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import User
from drives.models import Drive
from jobs.actions import JobSpec, submit
from servers.models import Server
from tests.factories import PASSWORD, DriveFactory, ServerFactory
from tests.wire import API, faults_of

FORM = "application/x-www-form-urlencoded"
PAGE = {"accept": "text/html,*/*;q=0.8"}
TEXT = re.compile(r"<textarea[^>]*>(.*?)</textarea>", re.DOTALL)


class Browser:
    """A browser whose user has logged in; the server checks its CSRF tokens."""

    def __init__(self, user: User) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.client.force_login(user)

    def open(self, path: str) -> str:
        return self.client.get(path, headers=PAGE).content.decode()

    def send(self, page: str, address: str, **changed: str) -> Any:
        """Send the form of the page that goes to this address, with some of its fields changed."""
        form = re.search(rf'action="{re.escape(address)}">(.*?)</form>', page, re.DOTALL)
        assert form, f"no form for {address}"
        fields = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form[1]))
        text = TEXT.search(form[1])
        fields |= {"_content": unescape(text[1]).strip()} if text else {}
        return self.post(address, fields | changed)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Any:
        return self.client.post(path, urlencode(fields), FORM, headers={**PAGE, **headers})


@pytest.fixture
def browser(owner: User, storage: Any) -> Browser:
    return Browser(owner)


@pytest.mark.parametrize("resource", ["drives", "servers", "tags", "keypairs"])
def test_example_of_a_list_makes_an_object(browser: Browser, resource: str) -> None:
    path = f"{API}/{resource}/"
    response = browser.send(browser.open(path), path)
    assert response.status_code == 201
    assert browser.client.get(path).json()["meta"]["total_count"] == 1


def test_object_can_be_sent_back_as_it_is_shown(browser: Browser, owner: User) -> None:
    for thing, resource in (
        (DriveFactory(owner=owner), "drives"),
        (ServerFactory(owner=owner), "servers"),
    ):
        path = f"{API}/{resource}/{thing.pk}/"
        before = browser.client.get(path).json()
        assert browser.send(browser.open(path), path, _method="PUT").status_code == 200
        assert browser.client.get(path).json() == before


def test_object_is_deleted(browser: Browser, owner: User) -> None:
    server = ServerFactory(owner=owner)
    path = f"{API}/servers/{server.pk}/"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.open(path))
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "_method": "DELETE"}
    assert browser.post(path, fields).status_code == 200
    assert not Server.objects.exists()


def test_actions_are_done_from_the_page_of_an_object(browser: Browser, owner: User) -> None:
    drive, server = DriveFactory(owner=owner), ServerFactory(owner=owner)
    page = browser.open(f"{API}/drives/{drive.pk}/")
    assert browser.send(page, f"{API}/drives/{drive.pk}/action/?do=clone").status_code == 202
    assert Drive.objects.filter(name="copy of the disk").exists()
    page = browser.open(f"{API}/servers/{server.pk}/")
    assert browser.send(page, f"{API}/servers/{server.pk}/action/?do=start").status_code == 202


def test_job_is_cancelled(browser: Browser, owner: User) -> None:
    job = submit(JobSpec("test_noted"), owner)
    path = f"{API}/jobs/{job.pk}/"
    response = browser.send(browser.open(path), f"{path}action/?do=cancel")
    assert "cancelled" in response.content.decode()


def test_what_was_sent_in_vain_is_there_to_be_corrected(browser: Browser) -> None:
    path = f"{API}/drives/"
    response = browser.send(browser.open(path), path, _content='{"name": "<b>mine</b>"}')
    assert response.status_code == 400
    (text,) = TEXT.findall(response.content.decode())
    assert unescape(text).strip() == '{"name": "<b>mine</b>"}'


def test_form_without_a_token_is_no_request(browser: Browser) -> None:
    path = f"{API}/drives/"
    fields = {"_content": '{"name": "x", "size": 1073741824, "media": "disk"}'}
    assert browser.post(path, fields).status_code == 403
    response = browser.post(path, fields | {"csrfmiddlewaretoken": "x" * 32}, accept="*/*")
    assert (response.status_code, faults_of(response)) == (
        403,
        [("permission", "csrfmiddlewaretoken")],
    )
    assert not Drive.objects.exists()


def test_password_alone_lets_no_form_pass(owner: User) -> None:
    """A browser sends a password that it knows along, whoever made the form."""
    client = Client(enforce_csrf_checks=True)

    login = b64encode(f"{owner.email}:{PASSWORD}".encode()).decode()
    headers = {"authorization": f"Basic {login}"}
    fields = {"_content": "{}", "csrfmiddlewaretoken": "x" * 32}
    assert client.post(f"{API}/tags/", urlencode(fields), FORM, headers=headers).status_code == 403


def test_large_form_is_refused(browser: Browser) -> None:
    fields = {"_content": "x" * 3 * 1024**2, "csrfmiddlewaretoken": "x" * 32}
    assert browser.post(f"{API}/drives/", fields).status_code == 403


def test_paths_of_objects_are_links(browser: Browser, owner: User) -> None:
    drive = DriveFactory(owner=owner, name="/api/2.0/drives/<x>/")
    path = f"{API}/drives/{drive.pk}/"
    page = browser.open(path)
    assert f'&quot;<a href="{path}">{path}</a>&quot;' in page
    assert f'href="/drives/{drive.pk}/"' in page
    assert f'href="{API}/user/' not in page
    assert "<x>" not in page


def test_list_leads_to_its_next_page(browser: Browser, owner: User) -> None:
    DriveFactory.create_batch(3, owner=owner)
    page = browser.open(f"{API}/drives/?limit=1&offset=1")
    assert f'href="{API}/drives/?limit=1&amp;offset=0">Previous' in page
    assert f'href="{API}/drives/?limit=1&amp;offset=2">Next' in page
