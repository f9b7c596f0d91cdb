"""Somebody with a browser: one half of it speaks with Strongroom, the other with the identity provider."""

import re
from urllib.parse import urlencode, urlsplit

import httpx
from django.http import HttpResponse
from django.test import Client

from tests.identity.provider import PASSWORD

_FIELD = re.compile(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"')


class Visitor:
    """Cookies of both sides are kept, as a browser does."""

    def __init__(self) -> None:
        self.here = Client()
        self.there = httpx.Client(verify=False, timeout=60)

    def sign_in(self, uid: str, *, next_: str = "/", kind: str = "oidc") -> HttpResponse:
        """Through the provider and back; what Strongroom answers then."""
        return self.come_back(self.to_the_door(uid, next_=next_, kind=kind))

    def to_the_door(self, uid: str, *, next_: str = "/", kind: str = "oidc", path: str = "/sign-in") -> str:
        """The address with which the provider sends somebody back who signed in there."""
        left = self.here.get(f"{path}/{kind}?{urlencode({'next': next_})}")
        assert left.status_code == 302, left.content.decode()
        return self.through(left.headers["Location"], uid)

    def saml_answer(self, uid: str, *, next_: str = "/", path: str = "/sign-in") -> str:
        """What a SAML provider has the browser send to Strongroom, once somebody signed in there."""
        left = self.here.get(f"{path}/saml?{urlencode({'next': next_})}")
        assert left.status_code == 302, left.content.decode()
        return self.saml_through(left.headers["Location"], uid)

    def saml_through(self, url: str, uid: str) -> str:
        """The provider's form, filled in; the answer in the form that it shows then."""
        response = self.there.get(url)
        if "SAMLResponse" not in response.text:
            fields = dict(_FIELD.findall(response.text))
            response = self.there.post(url, data={**fields, "user": uid, "password": PASSWORD})
        return dict(_FIELD.findall(response.text))["SAMLResponse"]

    def send(self, answer: str) -> HttpResponse:
        """What Strongroom says to that answer."""
        return self.here.post("/sign-in/saml/answer", {"SAMLResponse": answer})

    def through(self, url: str, uid: str) -> str:
        """The provider's form, filled in, where it shows one; where it sends the browser then."""
        response = self.there.get(url)
        if response.status_code == 200:
            fields = dict(_FIELD.findall(response.text))
            response = self.there.post(url, data={**fields, "user": uid, "password": PASSWORD})
        assert response.status_code == 302, response.text
        return response.headers["Location"]

    def come_back(self, url: str) -> HttpResponse:
        """What Strongroom answers to that address."""
        parts = urlsplit(url)
        return self.here.get(f"{parts.path}?{parts.query}")
