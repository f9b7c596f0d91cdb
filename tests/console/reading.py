"""A page as a browser without scripts takes it: its forms, its buttons and its links, and what of them is of no use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
WRITES_BY_SCRIPT = ("hx-post", "hx-put", "hx-patch", "hx-delete")
Attributes = Mapping[str, str | None]


@dataclass
class Form:
    """One form. `is_hidden`: only a script shows it. `submits`: how many buttons send it. `here`: its page's path."""

    attributes: Attributes
    is_hidden: bool
    here: str
    fields: set[str] = field(default_factory=set)
    submits: int = 0

    @property
    def is_write(self) -> bool:
        """Whether it is sent with POST."""
        return (self.attributes.get("method") or "get").lower() == "post"

    @property
    def action(self) -> str:
        """The path it is sent to: that of its page where it names none."""
        return self.attributes.get("action") or self.here

    @property
    def problems(self) -> list[str]:
        """Why it does not work without scripts."""
        if self.is_hidden:
            return []
        found = [] if self.submits else [f"no button sends the form of {self.action}"]
        if self.is_write and not self.action.startswith("/"):
            found.append(f"a form is sent elsewhere: {self.action}")
        if self.is_write and "csrfmiddlewaretoken" not in self.fields:
            found.append(f"the form of {self.action} has no token")
        return found


class Reading(HTMLParser):
    """What was read of one page. `problems` are those of what stands outside of forms."""

    def __init__(self, page: str, here: str = "/") -> None:
        super().__init__()
        self._here = here
        self.forms: list[Form] = []
        self.problems: list[str] = []
        self._open: list[tuple[str, bool]] = []  # each with whether it, or what it stands in, is hidden
        self._form: Form | None = None
        self._ids: set[str] = set()
        self._inner_links: list[str] = []
        self._bound: list[str] = []
        self.feed(page)
        self._finish()

    @property
    def written_to(self) -> set[str]:
        """Every path that a form which works without scripts sends to."""
        return {each.action.partition("?")[0] for each in self.forms if each.is_write and not each.is_hidden}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Django's templates close what they open, but for what HTML never closes."""
        given = dict(attrs)
        is_hidden = "hidden" in given or tag == "template" or bool(self._open and self._open[-1][1])
        if tag not in VOID:
            self._open.append((tag, is_hidden))
        self._ids |= {str(given["id"])} if given.get("id") else set()
        self.problems += [f"<{tag}> writes by {each} alone" for each in WRITES_BY_SCRIPT if each in given]
        if tag == "form":
            self._form = Form(given, is_hidden, self._here)
            self.forms.append(self._form)
        elif tag in ("input", "select", "textarea") and self._form:
            self._form.fields.add(str(given.get("name")))
        elif tag == "button" and not is_hidden:
            self._button(given)
        elif tag == "a" and not is_hidden:
            self._link(given)

    def handle_endtag(self, tag: str) -> None:
        """What was left open within ends as well."""
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag == "form":
            self._form = None

    def _button(self, given: Attributes) -> None:
        if (given.get("type") or "submit") != "submit":
            self.problems.append(f"a button does something by a script alone: {dict(given)}")
        elif given.get("form"):
            self._bound.append(str(given["form"]))
        elif self._form is None:
            self.problems.append(f"a button sends no form: {dict(given)}")
        else:
            self._form.submits += 1

    def _link(self, given: Attributes) -> None:
        href = given.get("href") or ""
        if href in ("", "#") or href.lower().startswith("javascript:"):
            self.problems.append(f"a link leads nowhere: {dict(given)}")
        elif href.startswith("#"):
            self._inner_links.append(href[1:])

    def _finish(self) -> None:
        for bound in self._bound:
            form = next((each for each in self.forms if each.attributes.get("id") == bound), None)
            if form is None:
                self.problems.append(f"a button sends the form {bound}, which is not there")
            else:
                form.submits += 1
        self.problems += [
            f"a link leads to #{each}, which is not there" for each in self._inner_links if each not in self._ids
        ]
        self.problems += [problem for each in self.forms for problem in each.problems]
