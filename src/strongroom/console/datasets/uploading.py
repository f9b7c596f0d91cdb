"""The page on which somebody uploads files and folders with a browser, straight to the storage."""

from uuid import UUID

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from strongroom.actions import datasets
from strongroom.actions.configuration import settings
from strongroom.actions.views import DatasetView
from strongroom.console.datasets.frame import CLOSED, frame
from strongroom.console.pages import Request, page, refused, render
from strongroom.core.errors import Conflict
from strongroom.core.sentences import say
from strongroom.core.vocabulary import State, Verb

TEMPLATE = "console/datasets/upload.html"


@page
def show(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """Open as long as the data set is pending; who may not upload to it is told why."""
    view = datasets.show(request.actor, dataset_id)
    if view.dataset.state != State.PENDING:
        return refused(request, _not_now(view), CLOSED, frame(view, "upload"))
    if Verb.TRANSFER_OPEN not in view.may:
        return render(request, TEMPLATE, frame(view, "upload"))
    endpoint = datasets.connect(request.actor, dataset_id).endpoint
    context = frame(view, "upload", endpoint=endpoint, origins=" ".join(settings().console_origins))
    return _reaching(request, endpoint, render(request, TEMPLATE, context))


def _reaching(request: Request, endpoint: str, response: HttpResponse) -> HttpResponseBase:
    """The page with a policy that lets it speak to the gateway, and read files in workers."""

    @csp_update({"connect-src": [endpoint], "worker-src": ["'self'"]})
    def answer(_: HttpRequest) -> HttpResponse:
        return response

    return answer(request)


def _not_now(view: DatasetView) -> Conflict:
    return Conflict(
        say("{dataset} is not pending any more: nothing can be uploaded to it.", dataset=view.dataset.name),
        way_out=say("Make a derivative of it, or another data set, and upload there."),
    )
