"""The end of a queue in the database that messages are put into; django-q2's own takes them."""

from typing import Any

from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.models import OrmQ

from cloudjobs.prepared import insert_rows


class DatabaseQueue(ORM):
    """Takes messages by a compiled INSERT: a clone waits for its message to be queued."""

    def enqueue(self, task: Any) -> None:
        """Queue a message; which number the database gives it, nobody asks."""
        insert_rows([OrmQ(key=self.list_key, payload=task, lock=timezone.now())])
