"""Chunks sent to links: without a login, one chunk for each, for some minutes."""

import os
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive, Upload
from tests.chunks import CHUNK, FORM, begin, bytes_of, chunks_of, fields, form, send
from tests.factories import MIB
from tests.wire import API, faults_of


def link_of(api: APIClient, drive: Drive, number: int, size: int = CHUNK) -> Any:
    body = {"chunk_number": number, "chunk_size": size}
    return api.post(f"{API}/drives/{drive.pk}/action/?do=upload_chunk", body)


def test_chunks_are_sent_to_links_without_a_login(api: APIClient, anonymous_api: APIClient) -> None:
    data = os.urandom(3 * CHUNK + 7)
    drive = begin(api, len(data))
    for number, slash in ((2, ""), (0, "/"), (1, "")):  # some clients end all addresses with one
        link = link_of(api, drive, number).json()["link"] + slash
        chunk = chunks_of(data)[number + 1]
        octets = "application/octet-stream"
        response = anonymous_api.generic("POST", link, chunk, content_type=octets)
        assert response.status_code == 200
    assert bytes_of(drive, len(data)) == data


def test_chunk_that_is_there_has_no_link(api: APIClient) -> None:
    drive = begin(api, MIB)
    send(api, drive, 1, b"x" * CHUNK, MIB)
    response = link_of(api, drive, 0)
    assert (response.status_code, faults_of(response)) == (416, [("validation", "chunk_number")])


@pytest.mark.parametrize(
    ("body", "point"),
    [
        ({"chunk_size": CHUNK}, "chunk_number"),
        ({"chunk_number": 0}, "chunk_size"),
        ({"chunk_number": -1, "chunk_size": CHUNK}, "chunk_number"),
        ({"chunk_number": 16, "chunk_size": CHUNK}, "chunk_number"),
        ({"chunk_number": 0, "chunk_size": 10}, "chunk_size"),
        ({"chunk_number": 0.0, "chunk_size": CHUNK}, "chunk_number"),
    ],
)
def test_bad_chunk_has_no_link(api: APIClient, body: dict[str, float], point: str) -> None:
    drive = begin(api, MIB)
    response = api.post(f"{API}/drives/{drive.pk}/action/?do=upload_chunk", body)
    assert (response.status_code, faults_of(response)) == (400, [("validation", point)])


def test_link_is_for_its_chunk_and_drive_and_a_few_minutes(
    api: APIClient, anonymous_api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive, other = begin(api, MIB), begin(api, MIB)
    link = link_of(api, drive, 0).json()["link"]
    octets = "application/octet-stream"

    def sent(to: str, length: int = CHUNK) -> int:
        body = b"x" * length
        return anonymous_api.generic("POST", to, body, content_type=octets).status_code

    assert sent(link, CHUNK + 1) == 400
    assert sent(link.replace(str(drive.pk), str(other.pk))) == 401
    assert sent(link + "x") == 401
    monkeypatch.setattr("drives.uploads.links.VALID_SECONDS", -1)
    assert sent(link) == 401
    assert not Upload.objects.exclude(bytes_done=0).exists()


def test_form_sent_to_a_link_holds_its_chunk_and_no_other(
    api: APIClient, anonymous_api: APIClient
) -> None:
    drive = begin(api, MIB)
    link = link_of(api, drive, 0).json()["link"]

    def sent(number: int) -> Any:
        body = form(fields(number, MIB), b"x" * CHUNK)
        return anonymous_api.generic("POST", link, body, content_type=FORM)

    refused = sent(2)
    assert refused.status_code == 400
    assert faults_of(refused) == [("validation", "resumableChunkNumber")]
    assert sent(1).status_code == 200
    assert Upload.objects.get(pk=drive.pk).received == [[0, CHUNK]]


def test_link_does_not_tell_what_is_there(api: APIClient, anonymous_api: APIClient) -> None:
    drive = begin(api, MIB)
    link = link_of(api, drive, 0).json()["link"]
    for number in (1, 2):
        assert anonymous_api.get(link, fields(number, MIB)).status_code == 401
        parameters = "&".join(f"{name}={value}" for name, value in fields(number, MIB).items())
        assert anonymous_api.get(f"{link}&{parameters}").status_code == 401


def test_links_are_for_the_owner(api: APIClient, stranger_api: APIClient, owner: User) -> None:
    drive = begin(api, MIB)
    assert link_of(stranger_api, drive, 0).status_code == 404
    link = link_of(api, drive, 0).json()["link"]
    User.objects.filter(pk=owner.pk).update(is_active=False)
    octets = "application/octet-stream"
    assert APIClient().generic("POST", link, b"x", content_type=octets).status_code == 401
