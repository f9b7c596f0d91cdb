"""The ledger begins, and the database will not let it be changed."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from strongroom.core.ledger import GENESIS
from strongroom.db import append_only


def begin(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """One head, before the first entry; then the triggers."""
    apps.get_model("strongroom", "LedgerHead").objects.get_or_create(id=1, defaults={"sequence": 0, "hash": GENESIS})
    append_only.install(editor.connection.vendor, editor)


def undo(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Without the triggers the tables can be dropped."""
    append_only.remove(editor.connection.vendor, editor)


class Migration(migrations.Migration):
    """Triggers and the head row."""

    dependencies = [("strongroom", "0001_tables")]
    operations = [migrations.RunPython(begin, undo)]
