"""Rows by the thousand, each as one that was made by an action: what a platform holds after years.

Copies are written by SQLite itself, in one statement for each table. Their ids are numbers, so that one table's rows
can name another's.
"""

from django.db import connection, models
from django.db.models import Model

NUMBER = "printf('%032x', {base} + i)"


def multiply(row: Model, times: int, **columns: str) -> None:
    """Copy a row; `columns` are SQL for what differs, in which `i` counts from 1. Counted ids come by themselves."""
    fields = row._meta.concrete_fields
    key = row._meta.pk
    assert key
    written = {field.column: columns.pop(field.attname, field.column) for field in fields}
    assert not columns, f"{row} has no {columns}"
    if isinstance(key, models.AutoField) and written[key.column] == key.column:
        del written[key.column]
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})"
            f" INSERT INTO {table} ({', '.join(written)}) SELECT {', '.join(written.values())}"
            f" FROM {table}, n WHERE {table}.{key.column} = %s",
            [key.get_db_prep_value(row.pk, connection)],
        )
        cursor.execute("SELECT changes()")
        assert cursor.fetchone() == (times,)


def numbered(base: int) -> str:
    """SQL for the id of the `i`th copy of the table that has this base, as UUIDs are kept in SQLite."""
    return NUMBER.format(base=base)
