"""One data set and lists of them, beside ten thousand others: server time and database queries of each page."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta

from bench.figures import spread, timed
from bench.inside import Place, control_plane, database

SPACES, EACH, ROUNDS = 20, 500, 40


def measure() -> dict[str, object]:
    """Through the real middleware and API of this process. Milliseconds."""
    with control_plane(has_engine=False) as place:
        return {"database": database(), "data_sets": SPACES * EACH, "pages": _pages(place)}


def _pages(place: Place) -> dict[str, object]:
    from django.test import Client

    from strongroom.actions import tokens
    from strongroom.core.vocabulary import Scope

    space_ids = _filled(place)
    secret = tokens.create(place.actor, name="bench", scopes=Scope, days=1).secret
    client = Client(headers={"Authorization": f"Bearer {secret}", "Host": "localhost"})
    first = client.get("/api/v1/datasets?limit=100").json()
    deep = _cursor_after(client, 95)
    paths = {
        "data set (`dataset.show`)": f"/api/v1/datasets/{first['items'][50]['id']}",
        "list, first 100 of all": "/api/v1/datasets?limit=100",
        "list, page 95 of 100": f"/api/v1/datasets?limit=100&cursor={deep}",
        "list, 100 of one space": f"/api/v1/datasets?limit=100&space_id={space_ids[7]}",
        "list, search for a name": "/api/v1/datasets?limit=100&search=0777",
        "list, first 500": "/api/v1/datasets?limit=500",
        "spaces": "/api/v1/spaces?limit=100",
    }
    return {name: _measured(client, path) for name, path in paths.items()}


def _measured(client: "object", path: str) -> dict[str, object]:
    from django.db import connection

    queries: list[str] = []

    def note(execute: Callable[..., object], sql: str, *rest: object) -> object:
        queries.append(sql)
        return execute(sql, *rest)

    def get() -> int:
        answer = client.get(path)  # type: ignore[attr-defined]
        assert answer.status_code == 200, answer.content
        return len(answer.content)

    for _ in range(5):
        get()
    with connection.execute_wrapper(note):
        size = get()
    times = [timed(get)[0] for _ in range(ROUNDS)]
    return {"time": spread(times).shown(1000), "queries": len(queries), "bytes": size}


def _cursor_after(client: "object", pages: int) -> str:
    cursor = ""
    for _ in range(pages):
        answer = client.get(f"/api/v1/datasets?limit=100{'&cursor=' + cursor if cursor else ''}")  # type: ignore[attr-defined]
        cursor = answer.json()["next_cursor"]
    return cursor


def _filled(place: Place) -> list[uuid.UUID]:
    """Rows as ten thousand data sets leave them; half of them finalized."""
    from django.utils import timezone

    from strongroom.actions import spaces
    from strongroom.core.vocabulary import Kind, RiskLevel, State
    from strongroom.db.models import Dataset

    made = [spaces.create(place.actor, name=f"Space {n:03}", risk_level=RiskLevel.HIGH).space for n in range(SPACES)]
    now = timezone.now()
    rows = []
    for number in range(SPACES * EACH):
        dataset_id, is_final = uuid.uuid4(), bool(number % 2)
        rows.append(
            Dataset(
                id=dataset_id,
                space=made[number % SPACES],
                kind=Kind.ORIGINAL,
                repository=f"dataset-test-{dataset_id}",
                name=f"Cohort {number:05}",
                description="Invented, to be counted. " * 8,
                state=State.FINALIZED if is_final else State.PENDING,
                created_at=now - timedelta(minutes=number),
                created_by_id=place.actor.person_id,
                modified_at=now,
                modified_by_id=place.actor.person_id,
                finalized_at=now if is_final else None,
                finalized_by_id=place.actor.person_id if is_final else None,
                applied_revision=1,
                is_settled=True,
            )
        )
    Dataset.objects.bulk_create(rows, batch_size=500)
    _analyze()
    return [each.id for each in made]


def _analyze() -> None:
    """What the database does by itself in time: learn how the rows are spread."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    print(json.dumps(measure()))
