"""PostgreSQL keeps the keys of digests in the order of their bytes, in which they are read: SQLite always does."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def _collate(schema_editor: BaseDatabaseSchemaEditor, collation: str) -> None:
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(f'ALTER TABLE strongroom_objectdigest ALTER COLUMN key TYPE text COLLATE "{collation}"')


class Migration(migrations.Migration):
    """Among a million, a page of a thousand took a second in another order: all were sorted for each."""

    dependencies = [
        ('strongroom', '0013_fixity_each_turn'),
    ]

    operations = [
        migrations.RunPython(
            lambda _, schema_editor: _collate(schema_editor, 'C'),
            lambda _, schema_editor: _collate(schema_editor, 'default'),
        ),
    ]
