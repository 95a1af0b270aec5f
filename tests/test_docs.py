"""What the documentation says of the repository is so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLES = [(ROOT / page).read_text() for page in ("docs/reliability.md", "docs/security.md")]
TESTS_NAMED = re.findall(r"`(\w+/test_\w+\.py)`", "".join(TABLES))
SETTINGS = [(ROOT / "cloudjobs" / name).read_text() for name in ("settings.py", "protection.py")]
VARIABLES = set(re.findall(r'\benv(?:ironment)?(?:\.\w+)?\(\s*"(\w+)"', "".join(SETTINGS)))


@pytest.mark.parametrize("test", sorted(set(TESTS_NAMED)))
def test_test_that_is_named_exists(test: str) -> None:
    assert (ROOT / "tests" / test).is_file()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_page_is_reached_from_the_readme(page: Path) -> None:
    assert f"docs/{page.name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("variable", sorted(VARIABLES))
def test_variable_is_in_the_table(variable: str) -> None:
    rows = re.findall(r"^\| (.*?) \|", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
    assert f"`{variable}`" in " ".join(rows)


def test_unit_starts_what_make_run_starts() -> None:
    procfile = dict(
        re.findall(r"^(\w+): .*?\.venv/bin/(.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    )
    for name, command in procfile.items():
        unit = (ROOT / f"deploy/systemd/cloudjobs-{name}.service").read_text()
        assert f"/opt/cloudjobs/.venv/bin/{re.sub(':-[^}]+', '', command)}\n" in unit
