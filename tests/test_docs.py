"""What the documentation says of the repository is so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS_NAMED = re.findall(r"`(\w+/test_\w+\.py)`", (ROOT / "docs/reliability.md").read_text())


@pytest.mark.parametrize("test", sorted(set(TESTS_NAMED)))
def test_test_of_a_fault_exists(test: str) -> None:
    assert (ROOT / "tests" / test).is_file()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_page_is_reached_from_the_readme(page: Path) -> None:
    assert f"docs/{page.name}" in (ROOT / "README.md").read_text()


def test_units_start_what_the_procfile_starts() -> None:
    page = (ROOT / "docs/operating.md").read_text()
    for line in (ROOT / "Procfile").read_text().splitlines():
        command = line.split("setpriv --pdeathsig TERM ")[1]
        command = command.replace("${HOST:-127.0.0.1}", "127.0.0.1").replace(
            "${PORT:-8000}", "8000"
        )
        assert f"ExecStart=/srv/cloudjobs/{command}\n" in page
