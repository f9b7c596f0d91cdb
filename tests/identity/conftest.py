"""A real identity provider for a whole run, and Strongroom told of it for one test."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from strongroom import identity
from strongroom.runtime import compose
from tests.identity.provider import CLIENT, SECRET, Provider

WEB_URL = "http://127.0.0.1:8400"  # where the settings of the tests say that Strongroom is


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    running = Provider(tmp_path_factory.mktemp("provider"), WEB_URL)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def told(provider: Provider, settings: Any) -> Iterator[Callable[..., None]]:
    """Sets Strongroom up for that provider, with further settings."""

    def tell(**more: Any) -> None:
        basic = {
            "oidc_issuer": provider.url,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "oidc_name": "the university",
            "oidc_email_domains": ("example.org",),
            "saml_metadata": f"{provider.url}/saml/metadata",
            "saml_name": "the hospital",
            "saml_email_domains": ("example.org",),
        }
        changed = replace(settings.STRONGROOM, **{**basic, **more})
        settings.STRONGROOM = changed
        identity.use(lambda: compose.providers(changed))

    tell()
    yield tell
    identity.use(dict)
