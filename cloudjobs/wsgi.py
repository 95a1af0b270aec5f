"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from cloudjobs.metrics.folder import count_together

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudjobs.settings")
count_together()

application = get_wsgi_application()

from jobs.waiting import heed_stop  # noqa: E402  only once the applications are loaded

heed_stop()
