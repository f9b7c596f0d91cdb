"""A provider of the tests' own that says whatever a test wants: what no honest program can be brought to say."""

import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

Claims = dict[str, Any]


class Liar:
    """Answers at every address of a provider. `claims` are those of its next ID token, `sign` makes the token."""

    def __init__(self) -> None:
        self.key, self.stranger = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
        self.key.ensure_kid()
        self.changes: Claims = {}
        self.sign: Callable[[Claims], str] = self.honestly
        self.said: Claims = {}  # what it tells besides, at its userinfo address
        self.discovery: Claims = {}
        self._nonce = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def back(self, left_for: str, **more: str) -> str:
        """Where it sends a browser back to that was sent to it."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(left_for).query).items()}
        self._nonce = asked["nonce"]
        answer = {"code": "a-code", "state": asked["state"], **more}
        return f"{asked['redirect_uri']}?{'&'.join(f'{name}={value}' for name, value in answer.items())}"

    def honestly(self, claims: Claims) -> str:
        """Signed as it should be."""
        return jwt.encode({"alg": "RS256", "kid": str(self.key.kid)}, claims, self.key)

    def by_a_stranger(self, claims: Claims) -> str:
        """With another key, called by the name of the right one."""
        return jwt.encode({"alg": "RS256", "kid": str(self.key.kid)}, claims, self.stranger)

    def with_the_public_key(self, claims: Claims) -> str:
        """With what everybody knows as if it were a secret."""
        signed = f"{_part({'alg': 'HS256', 'kid': self.key.kid})}.{_part(claims)}"
        return f"{signed}.{_text(hmac.digest(self.key.as_pem(private=False), signed.encode(), 'sha256'))}"

    def with_the_client_secret(self, claims: Claims) -> str:
        """With what it shares with this client."""
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("s" * 40), algorithms=["HS256"])

    def unsigned(self, claims: Claims) -> str:
        """With no signature at all."""
        parts = ({"alg": "none"}, claims)
        return ".".join([*(_part(each) for each in parts), ""])

    def answer(self, path: str) -> Claims:
        """What it says at an address."""
        now = int(time.time())
        claims = {"iss": self.url, "sub": "ada", "aud": "strongroom", "iat": now, "exp": now + 300}
        claims |= {"nonce": self._nonce, "email": "ada@example.org", "email_verified": True, **self.changes}
        told: dict[str, Claims] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "userinfo_endpoint": f"{self.url}/userinfo",
                **self.discovery,
            },
            "/jwks": {"keys": [self.key.as_dict(private=False)]},
            "/token": {"access_token": "an-access-token", "token_type": "Bearer"},
            "/userinfo": {"sub": claims["sub"], **self.said},
        }
        if path == "/token":
            kept = {name: value for name, value in claims.items() if value is not None}
            told["/token"]["id_token"] = self.sign(kept)
        return told[path]


def _part(words: Claims) -> str:
    return _text(json.dumps(words).encode())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _handler(liar: Liar) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(liar.answer(urlsplit(self.path).path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
