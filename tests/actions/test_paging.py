"""Pages by key: nothing is skipped or shown twice while rows come and go, and deep pages are found, not walked to."""

import base64
import json
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from strongroom.actions import spaces
from strongroom.core.errors import Invalid
from strongroom.db.models import Space
from tests.world import World


def test_rows_that_come_and_go_between_pages_disturb_nothing(world: World) -> None:
    ada = world.person("ada")
    made = {name: world.space(ada, name=name) for name in ("b", "d", "d", "f", "h")}
    first = spaces.list_(ada, limit=2)
    assert [row.name for row in first.rows] == ["b", "d"]
    world.space(ada, name="a")
    world.space(ada, name="e")
    Space.objects.filter(id=made["f"].id).update(name="c")
    second = spaces.list_(ada, limit=10, cursor=first.next_cursor)
    assert [row.name for row in second.rows] == ["d", "e", "h"]
    assert not {row.id for row in first.rows} & {row.id for row in second.rows}
    assert second.next_cursor is None


def test_a_deep_page_is_found_in_the_index(world: World) -> None:
    now, root = timezone.now(), world.administrator.person_id
    who = {"created_by_id": root, "modified_by_id": root, "created_at": now, "modified_at": now}
    Space.objects.bulk_create(Space(name=f"S {number:04}", risk_level="low", **who) for number in range(1000))
    cursor = _cursor(["S 0900", str(uuid.UUID(int=0))])
    with CaptureQueriesContext(connection) as captured:
        page = spaces.list_(world.administrator, cursor=cursor, limit=5)
    assert [row.name for row in page.rows] == [f"S 09{number:02}" for number in range(5)]
    if connection.vendor == "sqlite":  # PostgreSQL rightly scans a table as small as this one
        with connection.cursor() as raw:
            raw.execute("EXPLAIN QUERY PLAN " + captured[-1]["sql"])
            plan = "; ".join(row[3] for row in raw.fetchall())
        assert "(name>?)" in plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", "====", "W10=", "bnVsbA==", "WyJhIl0=", "WzEsMl0=", "WyJhIiwibm90LWEtdXVpZCJd"],
)
def test_a_cursor_that_no_list_gave_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(Invalid):
        spaces.list_(world.administrator, cursor=cursor)


def test_a_cursor_with_nul_or_of_too_deep_a_list_is_refused(world: World) -> None:
    for values in (["a\0", str(uuid.uuid4())], ["a"], ["a", str(uuid.uuid4()), "b"], {"a": "b"}):
        with pytest.raises(Invalid):
            spaces.list_(world.administrator, cursor=_cursor(values))
    with pytest.raises(Invalid):
        spaces.list_(world.administrator, cursor=base64.urlsafe_b64encode(b"[" * 100_000).decode())


def _cursor(values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
