"""Refusals as RFC 9457 problems: one shape for all that goes wrong, whoever noticed it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from strongroom.core.errors import Invalid, Refusal, WrongClock

MEDIA_TYPE = "application/problem+json"
MACHINES = "/api/v1/agent/"
"""Below this path machines ask, not people."""

_LARGER = "Attachments have the limit STRONGROOM_ATTACHMENT_MAX_BYTES; data belongs in the data set's bucket."


class TooLarge(RequestDataTooBig):
    """A body that is not read, because it is larger than what is asked there can be."""

    def __init__(self, message: str, *, way_out: str) -> None:
        super().__init__(message)
        self.way_out = way_out


class Problem(BaseModel):
    """What was refused, why, and what to do instead; `time`, of a clock that is wrong, is ours. Source: RFC 9457."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:strongroom:problem:state",
                "title": "Conflict",
                "status": 409,
                "detail": "You cannot issue an access key now: “MRI scans” is finalized, and access keys are for "
                "uploading to a pending data set.",
                "code": "state",
                "way_out": "To add files, create a derivative that names it as a source.",
                "fields": None,
                "request_id": "5e0c2f2a9ab8430f8bd3c1dbd9e7a2f1",
            }
        }
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    way_out: str
    fields: dict[str, str] | None
    request_id: str
    time: datetime | None = None


def problem(
    request: HttpRequest,
    status: int,
    code: str,
    detail: str,
    *,
    way_out: str = "",
    fields: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    time: datetime | None = None,
) -> HttpResponse:
    """The answer for a request that was not carried out; it holds a `time` only where there is one."""
    body = Problem(
        type=f"urn:strongroom:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        way_out=way_out,
        fields=dict(fields) if fields else None,
        request_id=request.META.get("STRONGROOM_REQUEST_ID", ""),
        time=time,
    )
    told = body.model_dump(mode="json", exclude={"time"} if time is None else None)
    return HttpResponse(to_json(told), status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def install(api: NinjaAPI) -> None:
    """Have the API answer every refusal as a problem; whatever else is raised is a bug, and Django's to report."""
    api.add_exception_handler(Refusal, _refused)
    api.add_exception_handler(ValidationError, _unreadable)
    api.add_exception_handler(HttpError, _malformed)
    api.add_exception_handler(RequestDataTooBig, _too_big)


def for_status(request: HttpRequest, status: int, headers: Mapping[str, str]) -> HttpResponse:
    """A problem for an answer that Django gave by itself, such as 404 for a path that leads nowhere."""
    code, detail, way_out = _BY_STATUS.get(status, ("refused", HTTPStatus(status).phrase, ""))
    return problem(request, status, code, detail, way_out=way_out, headers=headers)


_DOCS = "See the documentation at /api/v1/docs."
_BY_STATUS = {
    400: ("malformed", "The request cannot be read.", _DOCS),
    404: ("no-such-path", "Nothing is at this path.", _DOCS),
    405: ("method-not-allowed", "This method does not exist at this path.", "The header Allow says which ones do."),
    500: (
        "bug",
        "Strongroom made a mistake. What was written down before it stands and is carried out.",
        "Look at what became of it, and report the request id to whoever operates it.",
    ),
}


def _refused(request: HttpRequest, refusal: Refusal | type[Refusal]) -> HttpResponse:
    assert isinstance(refusal, Refusal)
    fields = refusal.fields if isinstance(refusal, Invalid) else None
    headers = {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = _challenge(request)
    if refusal.retry_after_seconds is not None:
        headers["Retry-After"] = str(refusal.retry_after_seconds)
    return problem(
        request,
        refusal.status,
        refusal.code,
        str(refusal),
        way_out=refusal.way_out,
        fields=fields,
        headers=headers,
        time=refusal.time if isinstance(refusal, WrongClock) else None,
    )


def _challenge(request: HttpRequest) -> str:
    """What the credential would have to be. Source: RFC 6750, section 3; RFC 9110, section 11.6.1."""
    if request.path.startswith(MACHINES):
        return 'Strongroom-Signature realm="strongroom"'
    is_tried = "Authorization" in request.headers
    return 'Bearer realm="strongroom"' + (', error="invalid_token"' if is_tried else "")


def _unreadable(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    assert isinstance(error, ValidationError)
    fields = {_field(each["loc"]): _sentence(each) for each in error.errors}
    listed = "; ".join(f"{name}: {wrong}" for name, wrong in fields.items())
    return problem(request, 422, "invalid", f"The request is not right. {listed}", way_out=_DOCS, fields=fields)


def _field(place: Sequence[object]) -> str:
    """`("body", "body", "source_ids", 0)` is `source_ids.0`; what is missing altogether is `body`."""
    names = [str(part) for part in place[1:]]
    if names and names[0] in ("body", "paging"):
        names = names[1:]
    return ".".join(names) or str(place[0])


def _sentence(error: Mapping[str, Any]) -> str:
    text = str(error["msg"]).removeprefix("Value error, ")
    return "this field is not known" if error["type"] == "extra_forbidden" else text


def _malformed(request: HttpRequest, error: HttpError | type[HttpError]) -> HttpResponse:
    assert isinstance(error, HttpError)
    if isinstance(error.__cause__, Refusal):
        return _refused(request, error.__cause__)
    return problem(request, error.status_code, "malformed", f"{error}.", way_out="Send JSON, in UTF-8.")


def _too_big(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    return problem(
        request,
        413,
        "too-large",
        str(error) or "The request is larger than allowed.",
        way_out=error.way_out if isinstance(error, TooLarge) else _LARGER,
    )
