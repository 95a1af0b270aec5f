"""`/balance/`, `/pricing/` and `/currentusage/`: nothing costs anything, but use is counted."""

from typing import Any, ClassVar

from django.db.models import Count, Sum
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Profile
from cloudjobs.api.openapi.exchanges import Exchange
from cloudjobs.installation import NO_OBJECTS, PAGE, FixedListView
from drives.models import Drive
from drives.storage import storage_types
from servers.models import Nic, Server

NOTHING_OWED = "0.00000000000000000000"

LEVELS = {"type": "object", "maxProperties": 0}
PRICING = {
    **NO_OBJECTS,
    "properties": {**NO_OBJECTS["properties"], "current": LEVELS, "next": LEVELS},
    "required": ["current", "meta", "next", "objects"],
}


class BalanceSchema(serializers.Serializer[Any]):
    """What the user has paid beforehand."""

    balance = serializers.CharField(help_text="A decimal number")
    currency = serializers.CharField()


class UseSchema(serializers.Serializer[Any]):
    """An amount that is in use."""

    burst = serializers.IntegerField(help_text="What no subscription covers")
    subscribed = serializers.IntegerField()
    using = serializers.IntegerField()


class CurrentUsageSchema(serializers.Serializer[Any]):
    """What is in use, by the kind of resource."""

    balance = BalanceSchema()
    usage = serializers.DictField(child=UseSchema())


class BalanceView(APIView):
    """The balance of the user who asks."""

    exchanges: ClassVar[dict[str, Exchange]] = {"get": Exchange(BalanceSchema)}

    def get(self, request: Request) -> Response:
        return Response(balance_of(request.user))


class PricingView(FixedListView):
    """There are no prices, and so no levels of them."""

    exchanges: ClassVar[dict[str, Exchange]] = {"get": Exchange(PRICING, query=PAGE)}

    def beside(self) -> dict[str, Any]:
        return {"current": {}, "next": {}}


class CurrentUsageView(APIView):
    """What the user who asks has in use now."""

    exchanges: ClassVar[dict[str, Exchange]] = {"get": Exchange(CurrentUsageSchema)}

    def get(self, request: Request) -> Response:
        amounts = {**machine_use(request.user), **network_use(request.user)}
        amounts |= storage_use(request.user)
        usage = {name: use(amount) for name, amount in sorted(amounts.items())}
        return Response({"balance": balance_of(request.user), "usage": usage})


def balance_of(user: Any) -> dict[str, str]:
    currency = Profile.objects.values_list("currency", flat=True).get(user=user)
    return {"balance": NOTHING_OWED, "currency": currency}


def use(amount: int) -> dict[str, int]:
    """Return an amount; without subscriptions all of it is burst."""
    return {"burst": amount, "subscribed": 0, "using": amount}


def machine_use(user: Any) -> dict[str, int]:
    """Return MHz and bytes of memory of the servers that are not at rest."""
    running = Server.objects.owned_by(user).exclude(status__in=Server.AT_REST)
    sums = running.aggregate(cpu=Sum("cpu", default=0), mem=Sum("mem", default=0))
    return {name: int(amount) for name, amount in sums.items()}


def storage_use(user: Any) -> dict[str, int]:
    """Return the bytes of the drives, by storage type."""
    mine = Drive.objects.owned_by(user).order_by().values_list("storage_type")
    return {**dict.fromkeys(storage_types(), 0), **dict(mine.annotate(bytes=Sum("size")))}


def network_use(user: Any) -> dict[str, int]:
    """Return how many static addresses and private networks the servers' cards name."""
    cards = Nic.objects.filter(server__owner=user)
    return cards.aggregate(
        ip=Count("ip", distinct=True),
        vlan=Count("vlan", distinct=True),
    )
