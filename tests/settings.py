"""Django settings of the tests: the real ones, on a home of their own that goes away with the process.

SQLite; PostgreSQL where STRONGROOM_TEST_DATABASE is a `postgresql://` URL (see `tests/postgres.py`).
"""

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="strongroom-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["STRONGROOM_HOME"] = _home
os.environ["STRONGROOM_DATABASE_URL"] = os.environ.get("STRONGROOM_TEST_DATABASE", "")
os.environ.setdefault("STRONGROOM_ENGINE", "memory")
os.environ.setdefault("STRONGROOM_FIXITY_THREADS", "1")  # what dies at a chosen moment must die there

from strongroom.runtime.django_settings import *  # noqa: E402, F403 the home must be decided first

INSTALLED_APPS = [*INSTALLED_APPS, "tests.database"]  # noqa: F405
# A file, not memory: several threads write in the tests as they do in life.
if not STRONGROOM.database_url:  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": f"{_home}/test.sqlite3"}  # noqa: F405
# Nothing here is signed in by password; a slow hash would only slow the tests.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
