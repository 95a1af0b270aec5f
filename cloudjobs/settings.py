"""Settings, taken from the environment; every variable is optional.

`CLOUDJOBS_HOME` holds all state: the SQLite file, the drive images and the generated secret key.
The variables are listed in docs/configuration.md. What protects the service is in
`cloudjobs/protection.py`, what the API is made of in `cloudjobs/api/settings.py`.
"""

import os
from pathlib import Path
from typing import Any

from django.core.management.utils import get_random_secret_key

from cloudjobs import environment
from cloudjobs.api.settings import REST_FRAMEWORK, SPECTACULAR_SETTINGS  # noqa: F401
from cloudjobs.protection import *  # noqa: F403
from cloudjobs.protection import DAY

BASE_DIR = Path(__file__).resolve().parent.parent
CLOUDJOBS_HOME = environment.folder("CLOUDJOBS_HOME", BASE_DIR / "var")


def kept_secret_key(path: Path) -> str:
    """Return the key in `path`; the first process to come makes it, readable by its user only."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(get_random_secret_key())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was faster, its key is the one that counts
        finally:
            draft.unlink()
    return path.read_text().strip()


SECRET_KEY = environment.text("SECRET_KEY") or kept_secret_key(CLOUDJOBS_HOME / "secret_key")
SECRET_KEY_FALLBACKS = environment.texts("SECRET_KEY_FALLBACKS", [])
DEBUG = environment.switch("DEBUG")
ALLOWED_HOSTS = environment.texts("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = environment.texts("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "events",
    "servers",
    "drives",
    "jobs",
    "keypairs",
    "tags",
    "accounts",
    "cloudjobs",
    "mptt",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_guid",
    "django_htmx",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "cloudjobs.proxies.TrustedProxyMiddleware",  # before anybody reads a header
    "cloudjobs.leftovers.LeftoversMiddleware",  # after everybody who reads a body
    "django_guid.middleware.guid_middleware",
    "cloudjobs.logs.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "cloudjobs.compression.TextGZipMiddleware",
    "cloudjobs.privacy.PrivateAnswersMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",  # no ETag for no-store
    "cloudjobs.api.slashes.TrailingSlashMiddleware",
    "cloudjobs.api.plain_bodies.PlainBodyMiddleware",
    "cloudjobs.api.page_forms.PageFormMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "cloudjobs.pages.strangers.StrangersFormsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "cloudjobs.urls"
WSGI_APPLICATION = "cloudjobs.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------

DATABASES = {
    "default": environment.database("DATABASE_URL", f"sqlite:///{CLOUDJOBS_HOME / 'db.sqlite3'}")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A transaction that reads first and writes later fails at once when another one wrote in
    # between, however long the timeout; IMMEDIATE takes the write lock at the beginning instead.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # A statement is planned once in a connection and not at each run, which was 40 % of the work.
    DATABASES["default"]["OPTIONS"] = {
        "server_side_binding": True,
        "prepare_threshold": 5,
        **DATABASES["default"].get("OPTIONS", {}),
    }
# Opening a connection costs more than the query of an ordinary request.
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Cache and queue ------------------------------------------------------------------------

REDIS_URL = environment.redis_address("REDIS_URL")
# In each process: only right passwords are remembered there, and no request waits for a server.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
# What limits are counted by. A Redis that does not answer holds up one request, not all.
CACHES["counters"] = {**CACHES["default"], "LOCATION": "counters"}
if REDIS_URL:
    CACHES["counters"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.25},
    }

WORKERS = environment.number("WORKERS", max(2, os.cpu_count() or 2), least=1)
DATABASE_QUEUE = {"broker_class": "jobs.broker.DatabaseQueue", "orm": "default", "poll": 0.1}
Q_CLUSTER: dict[str, Any] = {
    "name": "cloudjobs",
    "workers": WORKERS,
    # The lease of a job decides about redelivery, so the queue's own clock must never run out.
    "timeout": 30 * DAY,
    "retry": 31 * DAY,
    "ack_failures": True,
    "max_attempts": 1,
    # Jobs are the history; the queue keeps none.
    "save_limit": -1,
    "catch_up": False,
    "bulk": 1,
    # A worker that is replaced after so many jobs gives back what it has leaked.
    "recycle": 1000,
    **({"redis": REDIS_URL} if REDIS_URL else DATABASE_QUEUE),
}

# --- Jobs and storage -----------------------------------------------------------------------

JOB_LEASE_SECONDS = 30
JOB_MAX_ATTEMPTS = 3  # without getting on; then the job fails
JOBS_PER_USER = environment.number("JOBS_PER_USER", 0)  # that run at once; 0 means any number
UPLOAD_KEPT_HOURS = environment.number("UPLOAD_KEPT_HOURS", 24, 1, 876_000)  # since its last chunk
# In each web process, of its 16 threads; strangers may hold 8 of the others.
WAITING_REQUESTS = environment.number("WAITING_REQUESTS", 4)
JOB_RETENTION_DAYS = environment.number("JOB_RETENTION_DAYS", 3, most=36_500)

MIB = 1024**2


def image_folder(host: str) -> str:
    return str(CLOUDJOBS_HOME / "images" / host)


USUAL_STORAGE_HOSTS: dict[str, Any] = {
    "dssd-1": {
        "storage_type": "dssd",
        "options": {"root": image_folder("dssd-1")},
    },
    "dssd-2": {
        "storage_type": "dssd",
        "options": {"root": image_folder("dssd-2")},
    },
    "nvme-1": {
        "storage_type": "nvme",
        "options": {"root": image_folder("nvme-1")},
    },
    # Stands for slow magnetic storage: 100 MiB/s, and every clone really moves its bytes.
    "zadara-1": {
        "storage_type": "zadara",
        "options": {
            "root": image_folder("zadara-1"),
            "bandwidth": 100 * MIB,
            "reflink": False,
        },
    },
}
STORAGE_HOSTS = environment.tables("STORAGE_HOSTS_FILE") or USUAL_STORAGE_HOSTS

# --- Servers --------------------------------------------------------------------------------

HYPERVISOR = "servers.hypervisor.StateOnlyHypervisor"
STATE_ONLY_NETWORK = "198.18.0.0/15"
CPU_TYPES = ["amd", "intel"]
SERVER_LIMITS = {
    "cpu": {"min": 250, "max": 96_000},  # MHz
    "cpu_per_smp": {"min": 250, "max": 3_000},  # MHz
    "mem": {"min": 256 * MIB, "max": 512 * 1024 * MIB},  # bytes
    "smp": {"min": 1, "max": 32},
}

# --- Location, as the API tells it -----------------------------------------------------------

LOCATION = {
    "id": environment.text("LOCATION_ID", "LOCAL"),
    "display_name": environment.text("LOCATION_NAME", "cloudjobs"),
    "country_code": environment.text("LOCATION_COUNTRY"),
    "documentation_url": environment.text("DOCUMENTATION_URL"),
}

# --- Events ---------------------------------------------------------------------------------

EVENTS_PORT = environment.number("EVENTS_PORT", environment.number("PORT", 8000) + 1, 1, 65_535)
EVENTS_URL = environment.text("EVENTS_URL")  # wss://cloud.example.com/websocket behind a proxy
EVENT_SOCKETS_PER_USER = environment.number("EVENT_SOCKETS_PER_USER", 100)

# --- Language, time, static files -----------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = CLOUDJOBS_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Logs -----------------------------------------------------------------------------------

DJANGO_GUID = {
    "GUID_HEADER_NAME": "X-REQUEST-ID",
    "VALIDATE_GUID": False,  # cloudjobs.proxies has looked at it
    "RETURN_HEADER": True,
    "EXPOSE_HEADER": False,
}
LOG_FORMAT = environment.word("LOG_FORMAT", "json", ("json", "console"))
LOG_LEVEL = environment.word("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "django_guid.log_filters.CorrelationId"},
        "told": {"()": "cloudjobs.logs.TellingFilter"},
        "short": {"()": "cloudjobs.logs.ShortFilter"},
    },
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime} {levelname} {name} {message} {correlation_id}",
            "style": "{",
            "rename_fields": {
                "asctime": "time",
                "levelname": "level",
                "correlation_id": "request_id",
            },
        },
        "console": {"()": "cloudjobs.logs.ConsoleFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["request_id", "told"],
            "formatter": LOG_FORMAT,
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django-q": {"level": "WARNING"},
        "django_guid": {"level": "WARNING"},
        "websockets": {"level": "WARNING"},
        # One line a request comes from cloudjobs.requests; errors keep their traceback.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"filters": ["short"]},
    },
}
