"""How a terminal is let in with a browser, over HTTP. Source: RFC 8628, in the words of this API."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from strongroom.actions import devices
from strongroom.actions.configuration import settings
from strongroom.api.people import Person
from strongroom.api.shapes import Shown, Written
from strongroom.api.signed_in import address_of, request_id_of
from strongroom.api.tokens import SignedIn

router = Router()


class NewDevice(Written):
    """What the token is to be called."""

    token_name: str = Field("", examples=["laptop"])


class Device(Shown):
    """The terminal keeps `device_code` to itself, shows the rest, and asks every `interval_seconds`."""

    device_code: str
    user_code: str
    verification_url: str
    expires_at: datetime
    interval_seconds: int


class DeviceCode(Written):
    """What `device.begin` gave."""

    device_code: str = Field(max_length=100, examples=["srd_…"])


@router.post(
    "/device-logins",
    response={201: Device},
    auth=None,
    operation_id="device.begin",
    tags=["device"],
    summary="Begin to let a terminal in with a browser",
)
def begin(request: HttpRequest, body: NewDevice) -> Device:
    """Somebody who is signed in approves it at `verification_url` within ten minutes."""
    begun = devices.begin(name=body.token_name, address=address_of(request))
    url = f"{settings().web_url}/account/device?code={begun.user_code}"
    return Device(
        device_code=begun.device_code,
        user_code=begun.user_code,
        verification_url=url,
        expires_at=begun.expires_at,
        interval_seconds=begun.interval_seconds,
    )


@router.post(
    "/device-logins/claim",
    response=SignedIn,
    auth=None,
    operation_id="device.claim",
    tags=["device"],
    summary="Get the token of a terminal that was let in",
)
def claim(request: HttpRequest, body: DeviceCode) -> SignedIn:
    """409 `authorization-pending` until somebody decided; 403 when they turned it down; 401 when the code passed."""
    new = devices.claim(body.device_code, address=address_of(request), request_id=request_id_of(request))
    person = Person.model_validate(new.token.person)
    return SignedIn(token=new.secret, expires_at=new.token.expires_at, person=person)
