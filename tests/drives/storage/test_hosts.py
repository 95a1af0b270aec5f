import os
import re
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from drives import checks
from drives.storage import hosts
from drives.storage.errors import StorageError, UnknownHost
from drives.storage.file import FileBackend


def config(root: Path, storage_type: str = "dssd", **extra: Any) -> dict[str, Any]:
    backend = "drives.storage.file.FileBackend"
    options = {"root": root, "capacity": 1000, "bandwidth": 500}
    return {"storage_type": storage_type, "backend": backend, "options": options, **extra}


@pytest.fixture
def configured(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_HOSTS = {
        "b": config(tmp_path / "b"),
        "a": config(tmp_path / "a", "zadara", min_size=7, max_size=9),
        "c": config(tmp_path / "c"),
    }


@pytest.mark.usefixtures("configured")
def test_hosts_keep_the_order_of_the_settings() -> None:
    assert [host.name for host in hosts.all_hosts()] == ["b", "a", "c"]
    assert hosts.storage_types() == ["dssd", "zadara"]
    assert [host.name for host in hosts.hosts_of("dssd")] == ["b", "c"]


@pytest.mark.usefixtures("configured")
def test_sizes_have_defaults() -> None:
    default, explicit = hosts.get_host("b"), hosts.get_host("a")
    assert (default.min_size, default.max_size) == (512 * 1024 * 1024, 1000)
    assert (explicit.min_size, explicit.max_size) == (7, 9)


@pytest.mark.usefixtures("configured")
def test_backend_gets_its_options_and_is_made_once(tmp_path: Path) -> None:
    backend = hosts.get_host("b").backend
    assert isinstance(backend, FileBackend)
    assert backend.limiter is not None
    assert (backend.folder.root, backend.limiter.rate) == (tmp_path / "b", 500)
    assert hosts.get_host("b").backend is backend


def test_host_that_names_no_backend_has_files(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_HOSTS = {
        "one": {"storage_type": "dssd", "options": {"root": str(tmp_path / "images")}}
    }
    assert isinstance(hosts.get_host("one").backend, FileBackend)


def test_documented_file_can_be(settings: Settings) -> None:
    text = (settings.BASE_DIR / "docs" / "configuration.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    settings.STORAGE_HOSTS = tomllib.loads(example)
    nvme, archive = hosts.all_hosts()
    assert (nvme.storage_type, nvme.jobs, archive.verify) == ("nvme", 8, True)
    assert not run_checks()


@pytest.mark.usefixtures("configured")
def test_unknown_host_is_named() -> None:
    with pytest.raises(UnknownHost, match="'nowhere'"):
        hosts.get_host("nowhere")


@pytest.mark.usefixtures("configured")
def test_changed_settings_take_effect(settings: Settings, tmp_path: Path) -> None:
    hosts.all_hosts()
    settings.STORAGE_HOSTS = {"new": config(tmp_path / "new")}
    assert [host.name for host in hosts.all_hosts()] == ["new"]


@pytest.mark.usefixtures("configured")
def test_host_that_is_away_keeps_no_other_from_its_work(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    away = config(tmp_path / "file" / "below")
    del away["options"]["capacity"]
    settings.STORAGE_HOSTS = {"away": away, **settings.STORAGE_HOSTS}
    hosts.get_host("b").backend.check()
    assert hosts.get_host("away").max_size == hosts.ANY_SIZE
    with pytest.raises(StorageError):
        hosts.get_host("away").backend.check()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"jobs": "2"}, "['jobs'] is no int: '2'"),
        ({"jobs": -1}, "['jobs'] is below 0: -1"),
        ({"jobs": True}, "['jobs'] is no int: True"),
        ({"verify": "no"}, "['verify'] is no bool: 'no'"),
        ({"min_size": 1.5}, "['min_size'] is no int: 1.5"),
        ({"job": 2}, "has 'job'; there is only storage_type, backend"),
        ({"storage_type": ""}, "['storage_type'] needs 1 to 32 characters"),
        ({"backend": "drives.nothing.There"}, "No module named 'drives.nothing'"),
        ({"options": {}}, "missing 1 required positional argument: 'root'"),
        ({"options": {"root": "images"}}, "root is an absolute path, not 'images'"),
        ({"options": {"root": "/r", "bandwith": 1}}, "unexpected keyword argument 'bandwith'"),
        ({"options": {"root": "/r", "bandwidth": "1"}}, "bandwidth is a whole number of bytes"),
        ({"options": {"root": "/r", "capacity": -1}}, "capacity is a whole number of bytes"),
        ({"options": {"root": "/r", "capacity": 2**70}}, "capacity is a whole number of bytes"),
        ({"options": {"root": "/r\0"}}, "root is an absolute path"),
        ({"options": {"root": "/r", "reflink": "no"}}, "reflink is true or false, not 'no'"),
        ({"options": {"root": "/r", "direct": 3}}, "direct is true or false, not 3"),
        ({"min_size": 100, "max_size": 10}, "has no size between 100 and 10 bytes"),
    ],
)
@pytest.mark.usefixtures("configured")
def test_check_names_what_a_host_cannot_be(
    settings: Settings, changes: dict[str, Any], named: str
) -> None:
    settings.STORAGE_HOSTS["a"] |= changes
    (found,) = (one for one in run_checks() if one.id.startswith("drives."))
    assert found.msg.startswith("STORAGE_HOSTS['a']")
    assert named in found.msg
    with pytest.raises(ImproperlyConfigured, match=re.escape(named)):
        hosts.all_hosts()


@pytest.mark.parametrize("nothing", [{}, [], "dssd-1"])
def test_check_asks_for_a_host(settings: Settings, nothing: object) -> None:
    settings.STORAGE_HOSTS = nothing
    assert [one.id for one in run_checks() if one.id.startswith("drives.")] == ["drives.E001"]


@pytest.mark.usefixtures("configured")
def test_check_finds_hosts_that_share_a_folder(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_HOSTS["c"] = config(tmp_path / "a" / ".." / "b")
    (found,) = (one for one in run_checks() if one.id.startswith("drives."))
    assert found.msg == f"STORAGE_HOSTS has {tmp_path / 'b'} as the root of b, c."


@pytest.mark.usefixtures("configured")
def test_check_waits_for_no_host_that_hangs(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, realpath = Event(), os.path.realpath

    def hang(path: Any) -> str:
        answers.wait(60)
        return realpath(path)

    monkeypatch.setattr(os.path, "realpath", hang)
    monkeypatch.setattr(checks, "SECONDS", 0.1)
    settings.STORAGE_HOSTS["c"] = config(tmp_path / "a" / ".." / "b")
    (found,) = (one for one in run_checks() if one.id.startswith("drives."))
    answers.set()
    assert found.msg.endswith("as the root of b, c.")


@pytest.mark.usefixtures("configured")
def test_check_follows_a_link_that_leads_to_itself_nowhere(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    settings.STORAGE_HOSTS["c"] = config(tmp_path / "loop")
    assert not [one for one in run_checks() if one.id.startswith("drives.")]


@pytest.mark.parametrize(("size", "rounded"), [(0, 0), (1, 16384), (16384, 16384), (16385, 32768)])
def test_sizes_round_up_to_16_kib(size: int, rounded: int) -> None:
    assert hosts.round_up_size(size) == rounded


def test_hosts_on_one_file_system_share_a_volume(tmp_path: Path) -> None:
    (one, other) = (FileBackend(tmp_path / name) for name in ("one", "other"))
    with TemporaryDirectory(dir="/dev/shm") as memory:
        assert one.volume() == other.volume()
        assert one.volume() != FileBackend(memory).volume()
