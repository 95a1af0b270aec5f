"""What `make run` does and says before it starts anything."""

import pytest

from cloudjobs.management.commands.prepare import address


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HOST": "0.0.0.0", "PORT": "80"}, "http://0.0.0.0:80"),
        ({"PORT": "8443", "GRANIAN_SSL_CERTIFICATE": "c.pem"}, "https://127.0.0.1:8443"),
    ],
)
def test_it_tells_where_the_web_server_listens(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: str
) -> None:
    for name in ("HOST", "PORT", "GRANIAN_SSL_CERTIFICATE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert address() == told
