"""Strongroom's settings, with the administration site of Django beside the console."""

from copy import deepcopy

from strongroom.runtime.django_settings import *  # noqa: F403 settings are all names of a module
from strongroom.runtime.django_settings import CONTENT_SECURITY_POLICY as _POLICY
from strongroom.runtime.django_settings import INSTALLED_APPS as _APPS
from strongroom.runtime.django_settings import TEMPLATES as _TEMPLATES

INSTALLED_APPS = [*_APPS, "django.contrib.admin"]
ROOT_URLCONF = "bench.peer"
TEMPLATES = deepcopy(_TEMPLATES)
TEMPLATES[0]["OPTIONS"]["context_processors"].append("django.contrib.auth.context_processors.auth")  # type: ignore[index]
CONTENT_SECURITY_POLICY = _POLICY
