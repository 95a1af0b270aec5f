from uuid import UUID, uuid4

from rest_framework.test import APIClient

from tests.wire import API


def test_every_response_has_a_request_id(api: APIClient) -> None:
    first, second = (api.get(f"{API}/drives/")["X-REQUEST-ID"] for _ in range(2))
    assert UUID(first) != UUID(second)


def test_refusals_have_a_request_id_too(anonymous_api: APIClient) -> None:
    assert UUID(anonymous_api.get(f"{API}/drives/")["X-REQUEST-ID"])
    assert UUID(anonymous_api.get(f"{API}/nothing/")["X-REQUEST-ID"])


def test_request_id_of_the_client_is_kept(api: APIClient) -> None:
    given = uuid4().hex
    response = api.get(f"{API}/drives/", headers={"x-request-id": given})
    assert response["X-REQUEST-ID"] == given


def test_request_id_that_is_none_is_replaced(api: APIClient) -> None:
    response = api.get(f"{API}/drives/", headers={"x-request-id": "not one"})
    assert UUID(response["X-REQUEST-ID"])
