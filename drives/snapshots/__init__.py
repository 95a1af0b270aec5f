"""Snapshots: what a drive's image was at one moment, to make drives of."""
