"""A new space."""

from django.http import HttpResponse

from strongroom.actions import spaces
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.core.errors import Invalid, Refusal
from strongroom.core.vocabulary import RiskLevel

FIELDS = ("name", "charge_code", "contact")
TEMPLATE = "console/spaces/new.html"


@page
def create(request: Request) -> HttpResponse:
    """The form, and what it sends. Who makes a space is its owner."""
    if request.method != "POST":
        return render(request, TEMPLATE, {"given": {"risk_level": RiskLevel.HIGH.value}})
    given = {field: request.POST.get(field, "") for field in (*FIELDS, "risk_level")}
    try:
        texts = {field: given[field] for field in FIELDS}
        made = spaces.create(request.actor, risk_level=risk_level(given["risk_level"]), **texts)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, {"given": given})
    return done(request, f"/spaces/{made.space.id}", f"The space “{made.space.name}” is there, and you own it.")


def risk_level(word: str) -> RiskLevel:
    """The level that a form named. Raises: Invalid."""
    try:
        return RiskLevel(word)
    except ValueError:
        raise Invalid("Choose a risk level.", fields={"risk_level": "low, moderate or high"}) from None
