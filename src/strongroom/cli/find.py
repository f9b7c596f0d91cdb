"""Finds what a person means: an id, the beginning of one, a repository, a name. Two that fit are refused, and named."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from strongroom.cli import problems, words
from strongroom.cli.output import Json
from strongroom.cli.paths import path

if TYPE_CHECKING:
    from strongroom.cli.client import Api  # and with it httpx, which takes longer than what needs neither

_PREFIX = re.compile(r"[0-9a-f]{4}[0-9a-f-]*", re.IGNORECASE)
_REPOSITORY = re.compile(r"dataset-[a-z0-9]+-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_MOST_SHOWN = 8


def dataset(api: "Api", named: str) -> Json:
    """A data set by id, beginning of its id (4 characters or more), repository or exact name. Raises Problem."""
    in_repository = _REPOSITORY.fullmatch(named)
    if in_repository or _is_uuid(named):
        found = api.get(path("datasets", in_repository[1] if in_repository else named))
        if in_repository and found.get("repository") != named:
            raise problems.not_found(
                f"There is no repository {named} that you may see.", "See `strongroom dataset list`."
            )
        return found
    fits = _search(api, "/datasets", named, "name")
    living = [item for item in fits if item.get("state") != "deleted"]
    return _one(living or fits, named, "data set", _dataset_line)


def space(api: "Api", named: str) -> Json:
    """A space by id, beginning of its id, or exact name. Raises Problem."""
    if _is_uuid(named):
        return api.get(path("spaces", named))
    fits = _search(api, "/spaces", named, "name")
    return _one(fits, named, "space", _space_line)


def server(api: "Api", named: str, *, space_id: str | None = None) -> Json:
    """A server by id, beginning of its id (4 characters or more), or exact name; of one space only if so said.

    Raises Problem.
    """
    if _is_uuid(named):
        return api.get(path("servers", named))
    fits = _search(api, "/servers", named, "name", {"space_id": space_id} if space_id else {})
    living = [item for item in fits if item.get("state") != "deleted"]
    return _one(living or fits, named, "server", _server_line)


def person(api: "Api", named: str) -> Json:
    """A person by id, e-mail address, or `me`. Raises Problem."""
    if named == "me" or _is_uuid(named):
        return api.get(path("people", named))
    fits = _search(api, "/people", named.lower(), "email")
    return _one(fits, named, "person", lambda item: str(item["email"]), plural="people")


def member(api: "Api", space_id: str, named: str) -> Json:
    """A member of a space by e-mail address or id. Raises Problem."""
    members = [_as_person(item) for item in api.items(path("spaces", space_id, "members"))]
    fits = [item for item in members if _fits(item, named.lower(), "email")]
    return _one(fits, named, "member", lambda item: str(item["email"]))


def token(api: "Api", named: str) -> Json:
    """One of one's own tokens by id, beginning of its id, or name. Raises Problem."""
    fits = [item for item in api.items("/tokens") if _fits(item, named, "name")]
    return _one(fits, named, "token", lambda item: f"{item['name']} (expires {words.moment(item['expires_at'])})")


def attachment(api: "Api", dataset_id: str, named: str) -> Json:
    """An attachment by id, beginning of its id, file name or title. Raises Problem."""
    listed = api.items(path("datasets", dataset_id, "attachments"))
    fits = [item for item in listed if _fits(item, named, "filename") or item.get("title") == named]
    current = [item for item in fits if not item.get("superseded_by") and not item.get("removed_at")]
    return _one(current or fits, named, "attachment", lambda item: f"{item['filename']} ({item['title']})")


def _dataset_line(item: Json) -> str:
    return f"{item['name']} ({item['kind']}, {item['state']}) in {item['space_name']}, {_made(item)}"


def _space_line(item: Json) -> str:
    charged = f", {item['charge_code']}" if item.get("charge_code") else ""
    return f"{item['name']} ({item['risk_level']} risk{charged}), {_made(item)}"


def _server_line(item: Json) -> str:
    return f"{item['name']} ({item['kind']}, {item['state']}) in {item['space_name']}, {_made(item)}"


def _made(item: Json) -> str:
    return f"created {words.moment(item.get('created_at'))}"


def _search(api: "Api", where: str, named: str, field: str, params: Mapping[str, object] | None = None) -> list[Json]:
    """What fits among what the server finds; among all, for the beginning of an id that its search does not know."""
    fits = [item for item in api.items(where, {**(params or {}), "search": named}) if _fits(item, named, field)]
    if not fits and _PREFIX.fullmatch(named):
        fits = [item for item in api.each(where, params) if _fits(item, named, field)]
    return fits


def _as_person(item: Json) -> Json:
    """A membership names its person; what commands need is that person's id."""
    return {**item, "id": item.get("person_id") or item.get("id")}


def _is_uuid(named: str) -> bool:
    try:
        return str(UUID(named)) == named.lower()
    except ValueError:
        return False


def _fits(item: Json, named: str, field: str) -> bool:
    if item.get(field) == named or str(item.get("id")) == named.lower():
        return True
    return bool(_PREFIX.fullmatch(named)) and str(item.get("id")).startswith(named.lower())


def _one(fits: Sequence[Json], named: str, what: str, describe: Callable[[Json], str], *, plural: str = "") -> Json:
    if not fits:
        raise problems.not_found(f"There is no {what} {named!r} that you may see.", _look(what))
    if len(fits) > 1:
        shown = [f"{item['id']}  {describe(item)}" for item in fits[:_MOST_SHOWN]]
        more = [f"and {len(fits) - _MOST_SHOWN} more"] if len(fits) > _MOST_SHOWN else []
        problem = problems.usage(
            f"{named!r} fits {len(fits)} {plural or what + 's'}.", "Name one by its id, or by enough of its beginning."
        )
        problem.fields = {f"{index}": line for index, line in enumerate([*shown, *more], 1)}
        problem.code = "ambiguous"
        raise problem
    return fits[0]


def _look(what: str) -> str:
    noun = {"data set": "dataset"}.get(what, what)
    where = " DATASET" if what == "attachment" else " SPACE" if what == "member" else ""
    return f"See `strongroom {noun} list{where}`."
