"""Which pages in a browser belong to the service."""

from django.conf import settings
from django.utils.http import is_same_domain


def is_own_origin(origin: str, host: str) -> bool:
    """Does a page of this origin belong to the service? As with forms, the operator may add some.

    Programs that are no browsers send their own address, or none.
    """
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    scheme, _, place = origin.partition("://")
    if place.lower() == host.lower():
        return True
    wildcards = (trusted.split("://*", 1) for trusted in settings.CSRF_TRUSTED_ORIGINS)
    return any(
        each[0] == scheme and is_same_domain(place, each[1]) for each in wildcards if len(each) == 2
    )
