"""Deployments: the settings as an operator's variables make them, in force for one test."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from pytest_django import Settings

from cloudjobs import protection

Deploy = Callable[..., None]


def loaded_anew() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deployed", str(protection.__file__))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def deploy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Return what puts `cloudjobs/protection.py` in force as it is under these variables."""

    def put(**variables: str | Path) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        deployed = loaded_anew()
        for name, value in vars(deployed).items():
            if name.isupper() and value != getattr(protection, name):
                setattr(settings, name, value)
        proxies = {"NUM_PROXIES": deployed.NUM_PROXIES}
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **proxies}

    for name in ("TLS", "GRANIAN_SSL_CERTIFICATE", "TRUSTED_PROXIES", "NUM_PROXIES"):
        monkeypatch.delenv(name, raising=False)
    return put
