"""A new space."""

from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext

from strongroom.actions import spaces
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.core.errors import Invalid, Refusal
from strongroom.core.sentences import say
from strongroom.core.vocabulary import RiskLevel

FIELDS = ("name", "charge_code", "contact")
TEMPLATE = "console/spaces/new.html"


@page
def create(request: Request) -> HttpResponse:
    """The form, and what it sends. Who makes a space is its owner.

    Who must accept the terms first, or prove their second factor, finds what they wrote when they come back.
    """
    if request.method != "POST":
        return render(request, TEMPLATE, {"given": {"risk_level": RiskLevel.HIGH.value, **_given(request.GET)}})
    given = _given(request.POST)
    try:
        texts = {field: given.get(field, "") for field in FIELDS}
        made = spaces.create(request.actor, risk_level=risk_level(given.get("risk_level", "")), **texts)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, {"given": given}, come_back=f"/spaces/new?{urlencode(given)}")
    return done(
        request,
        f"/spaces/{made.space.id}",
        gettext("The space “{space}” is there, and you own it.").format(space=made.space.name),
    )


def _given(sent: QueryDict) -> dict[str, str]:
    return {field: str(sent[field]) for field in (*FIELDS, "risk_level") if field in sent}


def risk_level(word: str) -> RiskLevel:
    """The level that a form named. Raises: Invalid."""
    try:
        return RiskLevel(word)
    except ValueError:
        raise Invalid(say("Choose a risk level."), fields={"risk_level": say("low, moderate or high")}) from None
