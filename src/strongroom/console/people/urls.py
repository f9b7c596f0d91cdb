"""The paths of this area: signing in, the account, invitations and second factors."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
