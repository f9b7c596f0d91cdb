"""What a browser shows of a data set: pages fetched and forms sent as one would by hand, and the words on them."""

import html
import re

from django.http import HttpResponse
from django.test import Client

from strongroom.db.models import Dataset


def root(dataset: Dataset) -> str:
    """Where the pages of a data set begin."""
    return f"/datasets/{dataset.id}"


def text(response: HttpResponse) -> str:
    """The words of a page's content, with single spaces."""
    content = response.content.decode()
    main = content[content.index("<main") :] if "<main" in content else content
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", main))).strip()


def seen(client: Client, path: str) -> str:
    """The words of a page that is there."""
    response = client.get(path)
    assert response.status_code == 200, (path, response.status_code, text(response)[:500])
    return text(response)


def sent(client: Client, path: str, **form: object) -> str:
    """The words of the page to which a form leads that is taken."""
    response = client.post(path, form, follow=True)
    assert response.redirect_chain and response.status_code == 200, (path, response.status_code, text(response)[:500])
    return text(response)


def refused(client: Client, path: str, status: int, **form: object) -> str:
    """The words of the page that a form gets which is refused with this status."""
    response = client.post(path, form)
    assert response.status_code == status, (path, response.status_code, text(response)[:500])
    return text(response)
