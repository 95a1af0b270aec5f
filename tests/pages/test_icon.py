import pytest
from django.test import Client


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("", []),
        ("running=3", [">3<"]),
        ("running=12&failed=1", [">+<", ">1<"]),
        ("running=1,000%2B&failed=0", [">+<"]),
        ("running=<script>&failed=٣", []),
    ],
)
def test_icon_shows_the_counts(client: Client, query: str, texts: list[str]) -> None:
    response = client.get(f"/icon.svg?{query}")
    assert response["Content-Type"] == "image/svg+xml"
    svg = response.content.decode()
    assert svg.count("<text") == len(texts)
    assert all(text in svg for text in texts)
