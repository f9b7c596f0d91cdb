"""Empties the database between transactional tests: the ledger's triggers stand aside and its head begins anew."""

from django.core.management.commands import flush
from django.db import connections

from strongroom.core.ledger import GENESIS
from strongroom.db import append_only
from strongroom.db.models import LedgerHead


class Command(flush.Command):
    """Django's `flush`, which append-only tables would otherwise refuse."""

    def handle(self, **options: object) -> None:
        connection = connections[str(options["database"])]
        with connection.schema_editor() as editor:
            append_only.remove(connection.vendor, editor)
        super().handle(**options)
        LedgerHead.objects.using(connection.alias).create(id=1, sequence=0, hash=GENESIS)
        with connection.schema_editor() as editor:
            append_only.install(connection.vendor, editor)
