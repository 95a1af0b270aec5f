"""The API's root, for people who look around."""

from rest_framework.test import APIClient

ROOT = "/api/2.0/"


def test_root_leads_to_everything(api: APIClient) -> None:
    addresses = api.get(ROOT).json()
    lists = {"drives", "jobs", "keypairs", "libdrives", "pubkeys", "servers", "snapshots", "tags"}
    about = {"capabilities", "cloud_status", "locations", "profile"}
    money = {"balance", "currentusage", "licenses", "pricing", "subscriptions"}
    assert set(addresses) == lists | about | money | {"fwpolicies", "ips", "vlans"}
    assert {api.get(address).status_code for address in addresses.values()} == {200}


def test_root_tells_a_browser_what_it_is(api: APIClient) -> None:
    page = api.get(ROOT, HTTP_ACCEPT="text/html").content.decode()
    assert "<h1>API</h1>" in page
    assert "each resource tells about itself" in page
