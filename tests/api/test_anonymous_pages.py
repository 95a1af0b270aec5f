"""Every address of the API, asked for by a browser without a login."""

import pytest
from rest_framework.test import APIClient

from tests.addresses import api_paths


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
@pytest.mark.parametrize("path", api_paths())
def test_anonymous_browser_is_asked_to_log_in(
    anonymous_api: APIClient, path: str, method: str
) -> None:
    response = getattr(anonymous_api, method)(path, HTTP_ACCEPT="text/html")
    assert response.status_code in {400, 401, 405, 415}
    if response.status_code == 401:
        assert response["WWW-Authenticate"].startswith("Basic")
