"""`manage.py doctor`: looks at an installation, and says what is wrong and what to do about it.

A check is a function that yields what it finds. It runs in a thread and for a few seconds at most,
as what is broken may hang; and nothing but the database's own check needs the database to answer.
"""

from cloudjobs.doctor.examination import Check, Finding, Level, examine

__all__ = ["Check", "Finding", "Level", "examine"]
