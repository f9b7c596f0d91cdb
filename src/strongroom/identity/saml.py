"""SAML 2.0, Web Browser SSO: a request by redirect, the answer by a form; only signed assertions that we asked for.

python3-saml checks signatures, audience, recipient, times and what was asked. Source: SAML 2.0 Profiles, 4.1.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lxml.etree import LxmlError
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from strongroom.core import groups
from strongroom.core.assertion import Assertion
from strongroom.core.sentences import say
from strongroom.core.vocabulary import IdentityKind
from strongroom.identity import fetching
from strongroom.identity.protocol import Leaving

_FRESH_SECONDS = 3600
_LONGEST = 500_000
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_WRONG = (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError, LxmlError, ValueError, TypeError, KeyError, IndexError)


@dataclass(frozen=True, slots=True)
class Service:
    """What Strongroom is to a provider, where its metadata are, and which attributes say what."""

    entity_id: str
    answer_url: str
    metadata: Callable[[], bytes]
    name: str
    email_attribute: str
    name_attribute: str
    groups_attribute: str
    subject_attribute: str = ""
    is_email_verified: Callable[[str], bool] = lambda _: False
    contexts: tuple[str, ...] = ()


class _Response(OneLogin_Saml2_Response):  # type: ignore[misc]  # ships no types
    """An answer; whatever is asked of it is read from the part that was signed."""

    def was_made_for(self, request_id: str, service: Service) -> bool:
        """Whether what was signed names this request, this address, us, and an end.

        The library holds what stands there against what it should be, but lets pass what is missing, and takes the
        request from the part that need not be signed. Source: SAML 2.0 Profiles, 4.1.4.2 and 4.1.4.3.
        """
        found = self._query_assertion("/saml:Subject/saml:SubjectConfirmation[@Method]/saml:SubjectConfirmationData")
        expected = {"InResponseTo": request_id, "Recipient": service.answer_url}
        bearers = [each for each in found if each.getparent().get("Method") == OneLogin_Saml2_Constants.CM_BEARER]
        return (
            service.entity_id in self.get_audiences()
            and self.get_in_response_to() == request_id
            and bool(bearers)
            and all(each.get("NotOnOrAfter") for each in bearers)
            and all(each.get(name) == value for each in bearers for name, value in expected.items())
        )

    def authenticated_at(self) -> datetime | None:
        """When they proved who they are, as the provider says."""
        for statement in self._query_assertion("/saml:AuthnStatement"):
            try:
                at = datetime.fromisoformat(statement.get("AuthnInstant", ""))
            except ValueError:
                continue
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return None


class SamlProvider:
    """One SAML provider; its metadata are read when they are first needed."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._found: tuple[float, Mapping[str, Any]] | None = None

    @property
    def name(self) -> str:
        return self._service.name

    @property
    def counts_as_factor(self) -> bool:
        return bool(self._service.contexts)

    def begin(self, back_url: str, *, is_fresh: bool) -> Leaving:
        contexts = list(self._service.contexts) if is_fresh else []
        auth = OneLogin_Saml2_Auth(self._request(), old_settings=self._settings(contexts))
        url = auth.login(return_to="", force_authn=is_fresh)
        return Leaving(url, {"request_id": auth.get_last_request_id()})

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str], back_url: str) -> Assertion:
        encoded = answer.get("SAMLResponse", "")
        if not encoded or len(encoded) > _LONGEST:
            raise fetching.refuse(self.name, say("it holds no answer"))
        try:
            response = _Response(self._settings([]), encoded)
            response.is_valid(self._request(), kept["request_id"], raise_exceptions=True)
            if not response.was_made_for(kept["request_id"], self._service):
                raise ValueError("its assertion is not for this request, or not for us")
            return self._assertion(response)
        except _WRONG as problem:
            raise fetching.refuse(
                self.name,
                say("it is not signed as it should be, not for this sign-in, or has passed"),
                problem=str(problem),
            ) from None

    def own_metadata(self) -> bytes:
        """What the provider is told about us: XML. Nobody is asked for anything."""
        told = {**self._ours([]), "idp": {}}
        made = OneLogin_Saml2_Settings(told, sp_validation_only=True).get_sp_metadata()
        return made if isinstance(made, bytes) else str(made).encode()

    def _assertion(self, response: _Response) -> Assertion:
        said = {**response.get_friendlyname_attributes(), **response.get_attributes()}
        email = _first(said, self._service.email_attribute).lower()
        contexts = set(response.get_authn_contexts())
        return Assertion(
            kind=IdentityKind.SAML,
            issuer=self._metadata()["idp"]["entityId"],
            subject=self._subject(response, said),
            email=email,
            is_email_verified=self._service.is_email_verified(email),
            name=_first(said, self._service.name_attribute),
            groups=groups.clean(said.get(self._service.groups_attribute, [])),
            authenticated_at=response.authenticated_at(),
            is_strong=bool(contexts & set(self._service.contexts)),
        )

    def _subject(self, response: _Response, said: Mapping[str, list[str]]) -> str:
        """Who they are for ever. Raises: ValueError where the provider gave a name that is another one each time."""
        if self._service.subject_attribute:
            subject = _first(said, self._service.subject_attribute)
        elif response.get_nameid_format() == _TRANSIENT:
            raise ValueError("its NameID is transient: set STRONGROOM_SAML_SUBJECT_ATTRIBUTE")
        else:
            subject = str(response.get_nameid() or "")
        if not 1 <= len(subject) <= 400 or not subject.isprintable():
            raise ValueError("it names nobody")
        return subject

    def _metadata(self) -> Mapping[str, Any]:
        """The provider's metadata, read once an hour. Raises: Unavailable."""
        if self._found is None or time.monotonic() - self._found[0] > _FRESH_SECONDS:
            try:
                told = OneLogin_Saml2_IdPMetadataParser.parse(self._service.metadata())
                if not told["idp"]["entityId"] or not told["idp"]["singleSignOnService"]["url"]:
                    raise ValueError("they name no entity, or nowhere to sign in by redirect")
            except _WRONG as problem:
                raise fetching.unavailable(self.name, f"its metadata cannot be read: {problem!r}") from None
            self._found = time.monotonic(), told
        return self._found[1]

    def _settings(self, contexts: Iterable[str]) -> OneLogin_Saml2_Settings:
        idp = self._metadata()["idp"]
        return OneLogin_Saml2_Settings({**self._ours(list(contexts)), "idp": idp})

    def _ours(self, contexts: list[str]) -> dict[str, Any]:
        return {
            "strict": True,
            "sp": {
                "entityId": self._service.entity_id,
                "assertionConsumerService": {"url": self._service.answer_url, "binding": _POST},
                "NameIDFormat": _UNSPECIFIED,
            },
            "security": {
                "wantAssertionsSigned": False,  # the assertion, or the whole answer: one of them always
                "wantNameId": not self._service.subject_attribute,
                "wantAttributeStatement": False,
                "allowRepeatAttributeName": True,
                "rejectDeprecatedAlgorithm": True,
                "rejectUnsolicitedResponsesWithInResponseTo": True,
                "requestedAuthnContext": contexts or False,
                "failOnAuthnContextMismatch": False,
                "signatureAlgorithm": _RSA_SHA256,
                "digestAlgorithm": _SHA256,
            },
        }

    def _request(self) -> dict[str, object]:
        """Where the answer arrives, as the world names it: what stands before us does not matter."""
        parts = urlsplit(self._service.answer_url)
        told = {"http_host": parts.netloc, "script_name": parts.path, "get_data": {}, "post_data": {}}
        return {**told, "https": "on" if parts.scheme == "https" else "off"}


def _first(said: Mapping[str, list[str]], name: str) -> str:
    values = said.get(name) or [""]
    return str(values[0] or "").strip()
