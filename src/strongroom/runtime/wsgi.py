"""What the web server calls for each request."""

import multiprocessing
import os

from django.core.wsgi import get_wsgi_application

from strongroom.runtime import launch

# The web server starts its workers itself, so each asks the kernel to be ended with it: killed -9, it could not.
_server = multiprocessing.parent_process()
if _server is not None and _server.pid is not None:
    launch.die_with_parent(_server.pid)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "strongroom.runtime.django_settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402 only after Django is set up

from strongroom.runtime import compose  # noqa: E402 only after Django is set up

compose.join(settings.STRONGROOM)
