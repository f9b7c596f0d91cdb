"""What the web server calls for each request."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "strongroom.runtime.django_settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402 only after Django is set up

from strongroom.runtime import compose  # noqa: E402 only after Django is set up

compose.join(settings.STRONGROOM)
