import json
from typing import Any

import pytest
from django.db.models.signals import pre_save
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Profile, User
from tests.wire import API, faults_of, time_json

PROFILE = f"{API}/profile/"


def profile_json(user: User, **differing: Any) -> dict[str, Any]:
    """Return what a new user's profile looks like."""
    return {
        "address": "",
        "api_https_only": False,
        "autotopup_amount": "0.0000000000000000",
        "autotopup_threshold": "0.0000000000000000",
        "bank_reference": "",
        "clone_naming": "NONE",
        "company": "",
        "country": "",
        "currency": "USD",
        "email": user.email,
        "first_name": "",
        "has_autotopup": False,
        "has_tx_autotopup": False,
        "invoicing": True,
        "key_auth": False,
        "language": "EN",
        "last_name": "",
        "mailing_list": True,
        "meta": {},
        "my_notes": "",
        "network_restrictions": None,
        "nickname": "",
        "phone": "",
        "postcode": "",
        "reseller": "",
        "signup_time": time_json(user.joined_at),
        "state": "REGULAR",
        "tax_name": None,
        "tax_rate": None,
        "title": "",
        "town": "",
        "tx_autotopup_amount": "0.0000000000000000",
        "tx_autotopup_threshold": "0.0000000000000000",
        "uuid": str(user.pk),
        "vat": "",
        **differing,
    }


def test_profile_of_a_new_user(api: APIClient, owner: User) -> None:
    response = api.get(PROFILE)
    assert response.status_code == 200
    assert response.json() == profile_json(owner)


def test_everyone_gets_their_own_profile(stranger_api: APIClient, stranger: User) -> None:
    assert stranger_api.get(PROFILE).json()["uuid"] == str(stranger.pk)


def test_anonymous_has_no_profile(anonymous_api: APIClient) -> None:
    assert anonymous_api.get(PROFILE).status_code == 401
    assert anonymous_api.put(PROFILE, {"company": "x"}).status_code == 401


def test_profile_is_narrowed_to_the_fields(api: APIClient) -> None:
    response = api.get(f"{PROFILE}?fields=state,clone_naming")
    assert response.json() == {"clone_naming": "NONE", "state": "REGULAR"}


@pytest.mark.parametrize("naming", ["COUNTER", "DATE", "TIMESTAMP", "NONE"])
def test_clone_naming_is_changed(api: APIClient, owner: User, naming: str) -> None:
    response = api.put(PROFILE, {"clone_naming": naming})
    assert response.status_code == 200
    assert response.json() == profile_json(owner, clone_naming=naming)
    assert Profile.objects.get(user=owner).clone_naming == naming


def test_whole_profile_is_given_back_as_it_was_put(api: APIClient, owner: User) -> None:
    changed = profile_json(
        owner,
        address="Somewhere in time",
        autotopup_amount="200.5000000000000000",
        clone_naming="COUNTER",
        company="Company",
        country="BG",
        has_autotopup=True,
        invoicing=False,
        meta={"key": "value\nwith lines", "empty": ""},
        my_notes="a\nb",
        town="Sofia 💾",
    )
    assert api.put(PROFILE, changed).json() == changed
    assert api.get(PROFILE).json() == changed


def test_change_of_one_profile_leaves_the_others(api: APIClient, stranger: User) -> None:
    api.put(PROFILE, {"clone_naming": "DATE", "company": "x"})
    other = Profile.objects.get(user=stranger)
    assert (other.clone_naming, other.company) == ("NONE", "")


@pytest.mark.parametrize("way", ["API", "page"])
def test_change_leaves_what_another_request_changes(
    api: APIClient, client: Client, owner: User, way: str
) -> None:
    def meanwhile(**kwargs: Any) -> None:
        Profile.objects.update(town="elsewhere")

    client.force_login(owner)
    pre_save.connect(meanwhile, sender=Profile)
    try:
        if way == "API":
            api.put(PROFILE, {"company": "new"})
        else:
            client.post("/profile/", {"company": "new", "clone_naming": "NONE"})
    finally:
        pre_save.disconnect(meanwhile, sender=Profile)
    profile = Profile.objects.get(user=owner)
    assert (profile.company, profile.town) == ("new", "elsewhere")


def test_read_only_fields_are_ignored(api: APIClient, owner: User) -> None:
    given = {
        "bank_reference": "x",
        "currency": "EUR",
        "email": "new@example.com",
        "network_restrictions": "x",
        "reseller": "x",
        "signup_time": "2000-01-01T00:00:00.000000+00:00",
        "state": "NEW_USER",
        "tax_name": "x",
        "tax_rate": "20",
        "uuid": "00000000-0000-4000-8000-000000000000",
        "user": 1,
    }
    response = api.put(PROFILE, given)
    assert response.status_code == 200
    assert response.json() == profile_json(owner)


@pytest.mark.parametrize(
    ("given", "point"),
    [
        ({"clone_naming": "SOMETIMES"}, "clone_naming"),
        ({"clone_naming": "counter"}, "clone_naming"),
        ({"clone_naming": ""}, "clone_naming"),
        ({"clone_naming": None}, "clone_naming"),
        ({"clone_naming": ["NONE"]}, "clone_naming"),
        ({"meta": []}, "meta"),
        ({"meta": "x"}, "meta"),
        ({"meta": None}, "meta"),
        ({"meta": {"k": 1}}, "meta.k"),
        ({"meta": {"k": {}}}, "meta.k"),
        ({"meta": {"k": None}}, "meta.k"),
        ({"meta": {"k": "a\x00"}}, "meta.k"),
        ({"meta": {"k" * 33: "v"}}, "meta." + "k" * 32),
        ({"company": "x" * 256}, "company"),
        ({"company": "a\x00"}, "company"),
        ({"company": "\ud800"}, "company"),
        ({"company": None}, "company"),
        ({"company": {}}, "company"),
        ({"my_notes": "x" * 10_001}, "my_notes"),
        ({"invoicing": "perhaps"}, "invoicing"),
        ({"autotopup_amount": "NaN"}, "autotopup_amount"),
        ({"autotopup_amount": "1E400"}, "autotopup_amount"),
        ({"autotopup_amount": 10**20}, "autotopup_amount"),
        ([], None),
        ("x", None),
    ],
)
def test_bad_value_changes_nothing(
    api: APIClient, owner: User, given: Any, point: str | None
) -> None:
    if isinstance(given, dict):
        given = {"town": "Sofia"} | given
    response = api.generic("PUT", PROFILE, json.dumps(given), content_type="application/json")
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]
    assert api.get(PROFILE).json() == profile_json(owner)


def test_schema_names_every_field_of_a_profile(api: APIClient, owner: User) -> None:
    schema = api.get(f"{PROFILE}schema/").json()
    assert {name: part for name, part in schema.items() if name != "fields"} == {
        "allowed_detail_http_methods": ["get", "put"],
        "allowed_list_http_methods": ["get", "put"],
        "default_format": "application/json",
        "default_limit": 20,
    }
    assert list(schema["fields"]) == sorted(profile_json(owner))
    parts = {"blank", "default", "help_text", "nullable", "readonly", "type", "unique"}
    assert all(set(field) == parts for field in schema["fields"].values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clone_naming", ("string", "NONE", False, False)),
        ("api_https_only", ("boolean", False, False, False)),
        ("invoicing", ("boolean", True, False, False)),
        ("language", ("string", "EN", False, False)),
        ("meta", ("dict", "No default provided.", False, False)),
        ("autotopup_amount", ("decimal", 0, False, False)),
        ("signup_time", ("datetime", "No default provided.", True, False)),
        ("tax_rate", ("decimal", "No default provided.", True, True)),
        ("email", ("string", "No default provided.", True, False)),
        ("state", ("string", "REGULAR", True, False)),
        ("uuid", ("string", "No default provided.", True, False)),
    ],
)
def test_schema_describes(api: APIClient, name: str, expected: tuple[Any, ...]) -> None:
    field = api.get(f"{PROFILE}schema/").json()["fields"][name]
    found = (field["type"], field["default"], field["readonly"], field["nullable"])
    assert found == expected


@pytest.mark.parametrize(("field", "value"), [("vat", 0), ("invoicing", "yes"), ("company", True)])
def test_value_of_another_type_is_refused(api: APIClient, field: str, value: Any) -> None:
    response = api.put(PROFILE, {field: value})
    assert (response.status_code, faults_of(response)) == (400, [("validation", field)])
