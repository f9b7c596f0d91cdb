"""OpenID Connect: authorization code with PKCE, state and nonce; the provider is found by its discovery document.

Source: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (`iss` in the answer).
"""

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from strongroom.core import groups
from strongroom.core.assertion import Assertion
from strongroom.core.sentences import say
from strongroom.core.vocabulary import IdentityKind
from strongroom.identity import fetching
from strongroom.identity.id_token import Keys, verified
from strongroom.identity.protocol import Leaving

_FRESH_SECONDS = 3600
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Client:
    """What Strongroom is at a provider, and how far it believes it."""

    issuer: str
    client_id: str
    secret: str
    name: str
    scopes: str
    groups_claim: str
    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Client({self.issuer!r}, {self.client_id!r})"


class OpenIdProvider:
    """One OpenID Connect provider, asked for its addresses and keys when they are first needed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._found: tuple[float, Mapping[str, Any]] | None = None
        self._keys = Keys(client.name)

    @property
    def name(self) -> str:
        return self._client.name

    @property
    def counts_as_factor(self) -> bool:
        return bool(self._client.acr or self._client.amr)

    def begin(self, back_url: str, *, is_fresh: bool) -> Leaving:
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": back_url,
            "scope": self._client.scopes,
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": create_s256_code_challenge(kept["verifier"]),
            "code_challenge_method": "S256",
        }
        if self._client.acr:
            asked["acr_values"] = " ".join(self._client.acr)
        if is_fresh:
            asked |= {"prompt": "login", "max_age": "0"}
        endpoint = self._addresses()["authorization_endpoint"]
        return Leaving(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", kept)

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str], back_url: str) -> Assertion:
        self._check_answer(answer, kept)
        tokens = self._redeem(answer["code"], kept["verifier"], back_url)
        claims = verified(
            str(tokens.get("id_token", "")),
            self._keys.at(self._addresses()["jwks_uri"]),
            name=self.name,
            issuer=self._client.issuer,
            client_id=self._client.client_id,
            nonce=kept["nonce"],
            access_token=str(tokens.get("access_token", "")),
        )
        return self._assertion({**self._more(tokens, claims["sub"]), **claims})

    def _check_answer(self, answer: Mapping[str, str], kept: Mapping[str, str]) -> None:
        if not hmac.compare_digest(answer.get("state", "").encode(), kept["state"].encode()):
            raise fetching.refuse(self.name, say("it belongs to another sign-in, or to none that was begun here"))
        is_named = self._addresses().get("authorization_response_iss_parameter_supported") is True
        if ("iss" in answer or is_named) and answer.get("iss") != self._client.issuer:
            raise fetching.refuse(self.name, say("it comes from another provider"), issuer=answer.get("iss"))
        if "error" in answer:
            raise fetching.refuse(self.name, say("it let nobody in"), error=answer["error"][:200])
        if not answer.get("code"):
            raise fetching.refuse(self.name, say("it holds no code"))

    def _redeem(self, code: str, verifier: str, back_url: str) -> Mapping[str, Any]:
        """The tokens for a code. Source: RFC 6749, 4.1.3 and 2.3.1."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back_url,
            "code_verifier": verifier,
            "client_id": self._client.client_id,
        }
        auth = None
        methods = self._addresses().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        # In the form where that is possible: providers do not agree on how a secret is written in the header.
        if self._client.secret and "client_secret_post" in methods:
            form["client_secret"] = self._client.secret
        elif self._client.secret:
            auth = (quote(self._client.client_id, safe=""), quote(self._client.secret, safe=""))
        status, tokens = fetching.post_form(self.name, self._addresses()["token_endpoint"], form, auth)
        if status != 200:
            raise fetching.refuse(self.name, say("its code was used before, has passed, or is not ours"), error=tokens)
        return tokens

    def _more(self, tokens: Mapping[str, Any], subject: str) -> Mapping[str, Any]:
        """What the provider tells besides; only of the very same person. Source: OpenID Connect Core, 5.3.2."""
        endpoint = self._addresses().get("userinfo_endpoint")
        if not endpoint or not tokens.get("access_token"):
            return {}
        told = fetching.get_json(self.name, endpoint, Authorization=f"Bearer {tokens['access_token']}")
        if told.get("sub") != subject:
            raise fetching.refuse(self.name, say("it spoke of two different people"))
        return told

    def _assertion(self, claims: Mapping[str, Any]) -> Assertion:
        said, at = claims.get("amr"), claims.get("auth_time")
        methods = {str(each) for each in said} if isinstance(said, list) else set()
        is_strong = claims.get("acr") in self._client.acr or bool(methods & set(self._client.amr))
        return Assertion(
            kind=IdentityKind.OIDC,
            issuer=self._client.issuer,
            subject=claims["sub"],
            email=_text(claims.get("email")).lower(),
            is_email_verified=claims.get("email_verified") is True,
            name=_text(claims.get("name")) or _text(claims.get("preferred_username")),
            groups=groups.clean(_listed(claims.get(self._client.groups_claim))),
            authenticated_at=datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) else None,
            is_strong=is_strong,
        )

    def _addresses(self) -> Mapping[str, Any]:
        """The discovery document, asked for once an hour. Raises: Unavailable where it is not this issuer's."""
        if self._found is None or time.monotonic() - self._found[0] > _FRESH_SECONDS:
            url = self._client.issuer.rstrip("/") + "/.well-known/openid-configuration"
            told = fetching.get_json(self.name, url)
            if told.get("issuer") != self._client.issuer:
                raise fetching.unavailable(self.name, f"{url} is of the issuer {told.get('issuer')!r}")
            scheme = urlsplit(self._client.issuer).scheme
            for each in _NEEDED:
                if urlsplit(str(told.get(each, ""))).scheme not in ("https", scheme):
                    raise fetching.unavailable(self.name, f"{url} names no {each} that can be trusted")
            self._found = time.monotonic(), told
        return self._found[1]


def _text(said: object) -> str:
    return said.strip() if isinstance(said, str) else ""


def _listed(said: object) -> list[object]:
    """A list; one thing alone counts as a list of one."""
    return said if isinstance(said, list) else [said]
