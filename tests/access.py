"""Who may do what at which address: the few kinds of addresses, and what each answers to whom."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from django.test import Client

from tests.addresses import LIBRARY_UUID, UUID

Statuses = dict[str, frozenset[int]]
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
STAFF = ("clerk", "operator")  # without any right, and with all of them


def one_of(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


@dataclass(frozen=True)
class Kind:
    """Addresses that treat people alike.

    Without a login `anonymous` comes, whatever the method; None asks for no login. `owner` and
    `others` map the methods that an address has to the statuses that may come, `*` those that are
    not named, and `any` whatever the method. Staff are others like any, unless `staff` says what
    they get.
    """

    pattern: str
    anonymous: int | None
    owner: Statuses
    others: Statuses
    staff: Statuses | None = None

    def expected(self, person: str, method: str, allowed: frozenset[str]) -> frozenset[int]:
        """Return the statuses that may come; `allowed` are the methods that the address has."""
        if person == "anonymous" and self.anonymous:
            return one_of(self.anonymous)
        statuses = self.owner if person == "owner" else self.others
        if person in STAFF:
            statuses = self.staff or statuses
        if "any" in statuses:
            return statuses["any"]
        if method not in allowed:
            return one_of(405)
        name = "GET" if method == "HEAD" else method
        return one_of(200) if name == "OPTIONS" else statuses.get(name) or statuses["*"]


# An object is reached, though what is asked of it may be refused for what it is.
REACHED = one_of(200, 201, 202, 204, 302, 400, 403, 415)
DONE: Statuses = {"GET": one_of(200), "*": one_of(200, 202, 204, 403)}
SHOWN: Statuses = {"GET": one_of(200), "*": REACHED}
REACHES: Statuses = {"*": REACHED}
UNKNOWN: Statuses = {"*": one_of(404)}
LISTED: Statuses = {"GET": one_of(200), "POST": one_of(201), "DELETE": one_of(204)}
OWN_ONLY: Statuses = {"GET": one_of(200), "POST": one_of(400), "DELETE": one_of(404)}
REFUSED: Statuses = {"*": one_of(400, 415)}
DOOR: Statuses = {"any": one_of(200, 302, 400, 401, 403, 405)}
CLOSED: Statuses = {"any": one_of(302)}  # the way to the login
HIDDEN: Statuses = {"any": one_of(404)}
FOR_OPERATORS: Statuses = {"GET": one_of(200, 404), "*": one_of(404)}  # by their rights
ANSWERED: Statuses = {"any": one_of(200, 302, 400, 403, 404, 405)}

API = r"/api/2\.0"
OBJECTS = "drives|jobs|keypairs|pubkeys|servers|snapshots|tags"
FACTS = "balance|capabilities|cloud_status|currentusage|locations|pricing|profile"
EMPTY = "fwpolicies|ips|licenses|subscriptions|vlans"
BELOW = "action|download|runtime|(drives|servers|snapshots)(/detail)?|ips|vlans"

# An address fits exactly one of them, so a new one has to be put where it belongs.
KINDS = {
    "probe": Kind(r"/(healthz|readyz|icon\.svg|favicon\.ico)", None, SHOWN, SHOWN),
    "document": Kind("/api/(schema|docs)/", None, SHOWN, SHOWN),
    "door": Kind(rf"(/(admin/)?log(in|out)|{API}/accounts/action)/", None, DOOR, DOOR),
    "page": Kind("/((profile|jobs|drives|servers)/)?", 302, SHOWN, SHOWN),
    "form": Kind(
        "/(profile/(tokens|password)|(drives|servers)/create|drives/upload)/", 302, SHOWN, SHOWN
    ),
    "selection": Kind("/jobs/selected/", 302, REACHES, REACHES),
    "owned page": Kind(
        f"/(profile/tokens|jobs|drives|servers)/{UUID}/([a-z]+/)?", 302, SHOWN, UNKNOWN
    ),
    "admin": Kind("/admin/(?!log(in|out)/).*", 302, CLOSED, CLOSED, ANSWERED),
    "operators' page": Kind("/clusters/", 302, UNKNOWN, UNKNOWN, FOR_OPERATORS),
    "figures": Kind("/metrics", 404, HIDDEN, HIDDEN, {"any": one_of(200, 404, 405)}),
    "fact": Kind(rf"{API}/(({FACTS})/|({EMPTY})/(detail/)?)?", 401, SHOWN, SHOWN),
    "schema": Kind(rf"{API}/({OBJECTS}|capabilities|libdrives|profile)/schema/", 401, SHOWN, SHOWN),
    "key pairs": Kind(rf"{API}/keypairs/", 401, SHOWN, SHOWN),  # a new one names nothing
    "list": Kind(
        rf"{API}/(?!keypairs/$)({OBJECTS})/(detail/|availability_groups/)?", 401, LISTED, OWN_ONLY
    ),
    "new image": Kind(rf"{API}/(initupload|drives/upload(/name)?)/", 401, REACHES, REFUSED),
    "owned object": Kind(
        rf"{API}/({OBJECTS})/(availability_groups/)?{UUID}/(({BELOW})/)?", 401, DONE, UNKNOWN
    ),
    "chunks": Kind(rf"{API}/drives/{UUID}/upload/", 401, REACHES, UNKNOWN),
    "library": Kind(rf"{API}/libdrives/(detail/|{LIBRARY_UUID}/(action/)?)?", 401, SHOWN, SHOWN),
}


def kinds_of(path: str) -> list[str]:
    """Return the kinds that an address fits."""
    return [name for name, kind in KINDS.items() if re.fullmatch(kind.pattern, path)]


@dataclass(frozen=True)
class Asked:
    """A request, the kind of its address, and the methods that the address has."""

    kind: str
    method: str
    address: str
    body: str = field(repr=False)
    allowed: frozenset[str] = field(repr=False)

    def send(self, client: Client) -> Any:
        return client.generic(self.method, self.address, self.body, "application/json")

    def about(self, uuid: str, other: str) -> "Asked":
        """Return the same request about another object."""
        return replace(self, address=self.address.replace(uuid, other))
