"""A real identity provider for the tests: LemonLDAP::NG, as Debian packages it, with people in an SQLite file.

It shares no line with the libraries that Strongroom signs people in with: Perl, and lasso for SAML.
"""

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID

from strongroom.identity.saml import SamlProvider, Service
from tests.ports import free_ports

PASSWORD = "correct horse battery"
CLIENT, SECRET = "strongroom", "the secret of strongroom at the provider"
SERVICE = "strongroom"
OTHER_CLIENT = "another-application"
_PSGI = Path(__file__).with_name("portal.psgi")
_COLUMNS = ("uid", "password", "mail", "mail_verified", "cn", "memberof")


class Provider:
    """One identity provider on a free port, its state in a folder; `stop` ends it."""

    def __init__(self, folder: Path, web_url: str) -> None:
        self.folder, self.web_url = folder, web_url
        self.port = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self._written = written(generate_private_key(65537, 2048))
        self._process: subprocess.Popen[bytes] | None = None
        self._database = folder / "people.sqlite"
        with closing(sqlite3.connect(self._database)) as people:
            people.execute(f"CREATE TABLE people ({', '.join(_COLUMNS)})")

    def person(
        self, uid: str, *, email: str = "", name: str = "", groups: Sequence[str] = (), is_verified: bool = True
    ) -> None:
        """Somebody of the provider, or what they are from now on."""
        row = (uid, PASSWORD, email or f"{uid}@example.org", int(is_verified), name or uid.title(), "; ".join(groups))
        with closing(sqlite3.connect(self._database)) as people, people:
            people.execute("DELETE FROM people WHERE uid = ?", (uid,))
            people.execute(f"INSERT INTO people VALUES ({', '.join('?' * len(_COLUMNS))})", row)

    @property
    def signing(self) -> tuple[str, str]:
        """What it signs with: key and certificate, PEM."""
        return self._written[0], self._written[2]

    def start(self, **more: object) -> None:
        """Listen and answer; `more` is configuration in LemonLDAP::NG's own words."""
        for name in ("conf", "sessions", "psessions", "cache"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "conf" / "lmConf-1.json").write_text(json.dumps({**self._configuration(), **more}))
        (self.folder / "llng.ini").write_text(_INI.format(folder=self.folder))
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["plackup", "--host", "127.0.0.1", "--port", str(self.port), "-E", "deployment", str(_PSGI)],
                env={**os.environ, "LLNG_DEFAULTCONFFILE": str(self.folder / "llng.ini")},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/.well-known/openid-configuration", timeout=60).status_code == 200:
                    return
                break  # it answers, and never better than now
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"the identity provider does not answer: {(self.folder / 'log').read_text()[-4000:]}")

    def stop(self) -> None:
        """End it, and whatever it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(60)

    def _configuration(self) -> dict[str, Any]:
        return {
            "cfgNum": 1,
            "cfgDate": int(time.time()),
            "portal": f"{self.url}/",
            "domain": "127.0.0.1",
            "securedCookie": 0,
            "sameSite": "Lax",  # without HTTPS no browser takes the other kind
            "globalStorage": "Apache::Session::File",
            "globalStorageOptions": {"Directory": str(self.folder / "sessions"), "LockDirectory": str(self.folder)},
            "persistentStorage": "Apache::Session::File",
            "persistentStorageOptions": {
                "Directory": str(self.folder / "psessions"),
                "LockDirectory": str(self.folder),
            },
            "whatToTrace": "uid",
            "key": "tests only, tests",
            "requireToken": 1,
            "captcha": "::Captcha::None",
            "captcha_mail_enabled": 0,
            "captcha_register_enabled": 0,
            "portalDisplayRegister": 0,
            "portalDisplayResetPassword": 0,
            "locationRules": {},
            "exportedVars": {},
            **self._people(),
            **self._openid(),
            **self._saml(),
        }

    def _people(self) -> dict[str, Any]:
        return {
            "authentication": "DBI",
            "userDB": "Same",
            "passwordDB": "Null",
            "registerDB": "Null",
            "dbiAuthChain": f"dbi:SQLite:dbname={self._database}",
            "dbiAuthUser": "",
            "dbiAuthPassword": "",
            "dbiAuthTable": "people",
            "dbiAuthLoginCol": "uid",
            "dbiAuthPasswordCol": "password",
            "dbiAuthPasswordHash": "",
            "dbiAuthnLevel": 2,
            "dbiExportedVars": {each: each for each in _COLUMNS if each != "password"},
        }

    def _openid(self) -> dict[str, Any]:
        pem, public, _ = self._written
        client = {
            "oidcRPMetaDataOptionsClientSecret": SECRET,
            "oidcRPMetaDataOptionsBypassConsent": 1,
            "oidcRPMetaDataOptionsIDTokenSignAlg": "RS256",
            "oidcRPMetaDataOptionsRequirePKCE": 1,
            "oidcRPMetaDataOptionsUserIDAttr": "uid",
            "oidcRPMetaDataOptionsRedirectUris": f"{self.web_url}/sign-in/oidc/answer",
        }
        said = {
            "email": "mail;string;auto",
            "email_verified": "mail_verified;bool;auto",
            "name": "cn;string;auto",
            "groups": "memberof;string;always",
        }
        clients = (CLIENT, OTHER_CLIENT)
        return {
            "issuerDBOpenIDConnectActivation": 1,
            "oidcServiceMetaDataIssuer": self.url,
            "oidcServicePrivateKeySig": pem,
            "oidcServicePublicKeySig": public,
            "oidcServiceKeyIdSig": "of-the-tests",
            "oidcServiceAllowAuthorizationCodeFlow": 1,
            "oidcServiceMetaDataAuthnContext": {f"loa-{level}": level for level in range(1, 6)},
            "oidcRPMetaDataOptions": {name: {"oidcRPMetaDataOptionsClientID": name, **client} for name in clients},
            "oidcRPMetaDataExportedVars": dict.fromkeys(clients, said),
            "oidcRPMetaDataOptionsExtraClaims": {name: {"profile": "name groups"} for name in clients},
        }

    def _saml(self) -> dict[str, Any]:
        pem, _, certificate = self._written
        service = Service(
            entity_id=f"{self.web_url}/sign-in/saml/metadata",
            answer_url=f"{self.web_url}/sign-in/saml/answer",
            metadata=bytes,
            name="",
            email_attribute="",
            name_attribute="",
            groups_attribute="",
        )
        options = {
            "samlSPMetaDataOptionsCheckSSOMessageSignature": 0,
            "samlSPMetaDataOptionsSignSSOMessage": 1,
            "samlSPMetaDataOptionsNameIDFormat": "persistent",
            "samlSPMetaDataOptionsEnableIDPInitiatedURL": 1,
        }
        return {
            "issuerDBSAMLActivation": 1,
            "samlIDPSSODescriptorWantAuthnRequestsSigned": 0,
            "samlServicePrivateKeySig": pem,
            "samlServicePublicKeySig": certificate,
            "samlSPMetaDataXML": {SERVICE: {"samlSPMetaDataXML": SamlProvider(service).own_metadata().decode()}},
            "samlSPMetaDataOptions": {SERVICE: options},
            "samlSPMetaDataExportedAttributes": {
                SERVICE: {"mail": "0;mail", "cn": "0;displayName", "memberof": "0;groups"}
            },
        }


_INI = """\
[all]
logger = Lemonldap::NG::Common::Logger::Std
logLevel = warn
checkTime = 1
[configuration]
type = File
dirName = {folder}/conf
localStorage = Cache::FileCache
localStorageOptions = {{ 'namespace' => 'conf', 'cache_root' => '{folder}/cache', 'cache_depth' => 2 }}
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
"""


def written(key: RSAPrivateKey) -> tuple[str, str, str]:
    """The key, its public half, and a certificate of its own making; PEM."""
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Identity provider")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return pem.decode(), public.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
