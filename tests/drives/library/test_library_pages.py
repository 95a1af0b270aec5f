"""A drive of the library on its page, to which a server's page leads."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from drives.models import Drive, LibraryEntry
from tests.factories import LibraryEntryFactory, MountFactory


@pytest.fixture
def entry(db: None) -> LibraryEntry:
    return LibraryEntryFactory(drive__name="rescue", drive__media="cdrom")


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def test_page_shows_only_own_servers(browser: Client, owner: User, entry: LibraryEntry) -> None:
    MountFactory(drive=entry.drive, server__name="mine", server__owner=owner)
    MountFactory(drive=entry.drive, server__name="of-a-stranger")
    page = browser.get(reverse("drives:detail", args=[entry.pk])).content.decode()
    assert "mine" in page
    assert "of-a-stranger" not in page
    assert reverse("drives:delete", args=[entry.pk]) not in page


def test_it_is_cloned_on_a_page(browser: Client, owner: User, entry: LibraryEntry) -> None:
    address = reverse("drives:clone", args=[entry.pk])
    assert browser.get(address).status_code == 200
    assert browser.post(address, {"name": "", "avoid": [str(entry.pk)]}).status_code == 302
    assert Drive.objects.owned_by(owner).get().name == "rescue"


def test_it_is_not_deleted_on_a_page(browser: Client, entry: LibraryEntry) -> None:
    assert browser.post(reverse("drives:delete", args=[entry.pk])).status_code == 404
