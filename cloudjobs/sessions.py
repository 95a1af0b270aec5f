"""Sessions in the database, for keys that can be one."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

LEAST_LENGTH = 8  # characters, as Django has it


class SessionStore(DatabaseStore):
    """Asks the database only for keys of letters and digits, as it makes them itself.

    PostgreSQL breaks off at a cookie with a NUL in it.
    """

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key and len(key) >= LEAST_LENGTH and key.isascii() and key.isalnum())
