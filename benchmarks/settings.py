"""The service's settings with the floors of the benchmarks among its addresses."""

from cloudjobs.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare"
