"""Figures for Prometheus, at `/metrics`.

What several processes count, they count together in files (`folder`, `instruments`); what the
database and the storage know is looked up when somebody asks (`collector`).
"""
