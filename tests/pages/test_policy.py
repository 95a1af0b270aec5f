"""What a browser may load, and that no page needs more."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User

PAGES = ["/", "/jobs/", "/drives/", "/drives/create/", "/drives/upload/", "/servers/"]
PAGES += ["/servers/create/", "/profile/", "/profile/password/"]


@pytest.mark.parametrize("page", [*PAGES, "/login/", "/nothing/", "/api/2.0/", "/healthz"])
def test_every_answer_has_a_strict_policy(web: Client, page: str) -> None:
    policy = web.get(page)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in f"{policy};"
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy


def test_admin_has_it_too(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", "secret"))
    assert "script-src 'self'" in client.get("/admin/")["Content-Security-Policy"]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_a_script_or_a_style_of_its_own(web: Client, page: str) -> None:
    html = web.get(page).content.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))


@pytest.mark.parametrize("page", PAGES)
def test_anonymous_is_sent_to_the_login(anonymous_web: Client, page: str) -> None:
    response = anonymous_web.get(page)
    assert response.status_code == 302
    assert response["Location"] == f"/login/?next={page}"


def test_every_template_tells_its_context() -> None:
    folder = Path(settings.BASE_DIR) / "templates"
    silent = [
        str(path)
        for path in folder.rglob("*.html")
        if not path.read_text().startswith("{#") or "Context:" not in path.read_text()
    ]
    ours = [path for path in silent if "/admin/" not in path and "/rest_framework/" not in path]
    assert ours == []
