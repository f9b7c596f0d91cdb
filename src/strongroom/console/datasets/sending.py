"""What a button on a page of a data set sends to a path of its own."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from django.http import HttpResponseBase

from strongroom.console.pages import Request, Served, View, done, page

Given = ParamSpec("Given")


def sent_from(tab: str) -> Callable[[View[Given]], Served[Given]]:
    """For POST. Whoever comes to the path otherwise, as by going back or after a step-up, is led to the tab."""

    def decorate(deed: View[Given]) -> Served[Given]:
        @wraps(deed)
        def serve(request: Request, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponseBase:
            if request.method != "POST":
                return done(request, f"/datasets/{kwargs['dataset_id']}{tab}")
            return deed(request, *args, **kwargs)

        return page(serve)

    return decorate
