"""Requests made from the OpenAPI document, and what no answer to them may be.

`python -m tests.fuzz` is the long run; the suite has a short one.
"""
