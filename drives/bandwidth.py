"""How much a storage host may move each second, as operators change it while everything runs.

The rows remember it; what counts is what the limiter finds in the folder of the host, where all
processes on all machines look with every chunk.
"""

from django.db import transaction

from drives.models import BandwidthLimit
from drives.storage import get_host
from jobs.asking import after_asking


@after_asking
@transaction.atomic
def limit_bandwidth(host: str, bandwidth: int | None) -> BandwidthLimit:
    """Keep what operators want of a storage host, and let it hold from now on.

    Of two who limit a host at the same moment the later one is heard. The lock of the row keeps
    the row and what the host's limiter finds alike.

    Raises:
        ValidationError: there is no such host, it is away or cannot be limited, or the number
            cannot be.
    """
    wanted = BandwidthLimit(storage_host=host, bandwidth=bandwidth)
    wanted.full_clean(validate_unique=False)
    limit, _ = BandwidthLimit.objects.update_or_create(
        storage_host=host, defaults={"bandwidth": bandwidth}
    )
    wanted.find_limiter().limit(bandwidth)
    return limit


def keep_bandwidth(*hosts: str) -> None:
    """See that these hosts are limited as operators want it, even if a folder was emptied.

    Raises:
        StorageError: a host is away.
    """
    for host in set(hosts):
        backend = get_host(host).backend
        if backend.limiter and not backend.limiter.is_kept:
            backend.check()
            wanted = BandwidthLimit.objects.filter(storage_host=host)
            backend.limiter.limit(wanted.values_list("bandwidth", flat=True).first())
