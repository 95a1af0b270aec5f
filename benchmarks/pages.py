"""`pages`: opening `/jobs/` with a long history, against the same page with a short one."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.models import User
from benchmarks.filled import settle
from benchmarks.history import make_history
from benchmarks.measure import Result, interleaved, medians, seconds

MANY, FEW, AT_ONCE = 250_000, 100, 1_000
ROUNDS = 15
BOUND = 0.3  # seconds


def run() -> Result:
    clients = {"ours": reader("many@example.com", MANY), "few": reader("few@example.com", FEW)}
    settle()
    for client in clients.values():
        open_page(client)  # the first one compiles the templates
    figures = interleaved(
        {
            name: lambda each=client: seconds(lambda: open_page(each))
            for name, client in clients.items()
        },
        ROUNDS,
    )
    typical = medians(figures)
    ratio = typical["ours"] / typical["few"]
    return Result(
        name="pages",
        ours=f"{typical['ours'] * 1000:.0f} ms with {MANY:,}",
        floor=f"{typical['few'] * 1000:.0f} ms with {FEW} jobs",
        ratio=ratio,
        target=f"≤ 2 × its time, < {BOUND * 1000:.0f} ms",
        holds=ratio <= 2 and typical["ours"] < BOUND,
        raw={"seconds": figures, "jobs": MANY},
    )


def reader(email: str, jobs: int) -> Client:
    """Return the browser of a user with so many jobs that ended one minute after the other."""
    owner = User.objects.create_user(email)
    for batch in range(-(-jobs // AT_ONCE)):
        ended = timezone.now() - timedelta(minutes=batch)
        make_history(owner.pk, min(jobs, AT_ONCE), 0, ended=ended, links=0)
    client = Client(SERVER_NAME="localhost")
    client.force_login(owner)
    return client


def open_page(client: Client) -> None:
    response = client.get("/jobs/")
    assert response.status_code == 200
    assert response.content.count(b"<tbody") == 50
