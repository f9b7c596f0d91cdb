"""Logging in to servers over HTTP: a public key goes in, a certificate comes out."""

from datetime import datetime
from uuid import UUID

from ninja import Router, Status
from pydantic import Field

from strongroom.actions import servers
from strongroom.api.operations import named
from strongroom.api.shapes import Shown, Written
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Verb

router = Router()


class NewCertificate(Written):
    """The content of a `.pub` file, and for how many minutes it is to open the server; the setting, if left out."""

    public_key: str = Field(max_length=8000, examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… ada@laptop"])
    minutes: int | None = Field(None, examples=[30])


class Certificate(Shown):
    """`certificate` goes beside the private key as `…-cert.pub`, `known_hosts` into a file of that kind.

    The server is known by its id there: `ssh` must be told `HostKeyAlias`. `serial` is a number too large for JSON.
    """

    certificate: str
    key_id: str
    serial: str
    principal: str
    account: str
    server_id: UUID
    server_name: str
    host: str
    port: int
    valid_until: datetime
    known_hosts: str


@router.post("/servers/{server_id}/certificates", response={201: Certificate}, **named(Verb.SERVER_CERTIFY))
def certify(request: Request, server_id: UUID, body: NewCertificate) -> Status[Certificate]:
    """For one's own account on this server alone. Needs a second factor that was proved a short while ago."""
    made = servers.certify(request.auth, server_id, public_key=body.public_key, minutes=body.minutes)
    shown = {name: getattr(made, name) for name in Certificate.model_fields if name not in ("certificate", "serial")}
    return Status(201, Certificate(certificate=made.line, serial=str(made.serial), **shown))
