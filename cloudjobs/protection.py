"""The settings that keep people out of what is not theirs; a part of `cloudjobs/settings.py`.

What they defend against, and what not, is told in docs/security.md.
"""

import base64
import hashlib

from csp.constants import NONE, SELF, UNSAFE_HASHES

from cloudjobs import environment

HOUR, DAY = 3600, 24 * 3600


def style_hash(style: str) -> str:
    """Return the source by which a policy allows one style attribute, and no other."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"'sha256-{digest}'"


# --- TLS ------------------------------------------------------------------------------------

# Who speaks it: `server`, the web server itself; `proxy`, one in front of it; `off`, nobody.
by_default = "server" if environment.has_certificate() else "off"
TLS = environment.word("TLS", by_default, ("off", "server", "proxy"))
IS_TLS, IS_PROXIED = TLS != "off", TLS == "proxy"

# Nobody but these says from where, and how, a request came; see cloudjobs.proxies.
TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES", ["127.0.0.1", "::1"])
NUM_PROXIES = environment.number("NUM_PROXIES", int(IS_PROXIED))
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_PROXIED else None

SECURE_SSL_REDIRECT = IS_TLS
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^metrics$", "^readyz$"]  # asked past the proxy
SECURE_HSTS_SECONDS = environment.number("HSTS_SECONDS", HOUR) if IS_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = environment.switch("HSTS_SUBDOMAINS")
# Whether browsers are to know a domain, or what is below it, is for its owner to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# --- Users, sessions, cookies ---------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "accounts:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "cloudjobs.sessions"
SESSION_COOKIE_AGE = environment.number("SESSION_DAYS", 14, 1, 36_500) * DAY
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_TLS

METRICS_TOKEN = environment.text("METRICS_TOKEN")  # for /metrics; without it staff alone reads it

# --- Limits ---------------------------------------------------------------------------------

BASIC_PASSWORD_REMEMBERED_SECONDS = 300
# 0 means any number.
REQUESTS_PER_MINUTE = environment.number("REQUESTS_PER_MINUTE", 10_000)
DELETES_PER_MINUTE = environment.number("DELETES_PER_MINUTE", 1_000)
FAILED_LOGINS = environment.number("FAILED_LOGINS", 10)
FAILED_LOGIN_SECONDS = environment.number("FAILED_LOGIN_SECONDS", 300, least=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024**2

# --- What a browser may load ----------------------------------------------------------------

# Style attributes of the admin: these, by their hashes, and no other.
FOREIGN_STYLES = [f"padding-left:{8 + 24 * level}px" for level in range(8)]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "style-src-attr": [UNSAFE_HASHES, *(style_hash(style) for style in FOREIGN_STYLES)],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
