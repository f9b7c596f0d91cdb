"""What must hold whatever happened (DESIGN section 5), checked on rows, engine and ledger together."""

import hashlib
import json
from datetime import timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils import timezone

from strongroom.actions import converge, grants, inventory, keys, lapsing, rechecking, signing, transfers
from strongroom.core import digest_receipt, ledger, manifest, receipt, sshsig
from strongroom.core.vocabulary import KeyStatus, Outcome, ServerState, State, SystemFact, Verb
from strongroom.db.models import Dataset, DigestList, Event, LedgerHead, Manifest, UploadKey
from strongroom.engines import Engine
from strongroom.engines.memory import MemoryEngine

_COLUMNS = [column.name for column in Event._meta.concrete_fields]


def work_until_settled(rounds: int = 40) -> None:
    """Be the worker until nothing is due; each round time has moved on far enough for back-off and leases."""
    for _ in range(rounds):
        time_passes()
        if not work() and not Dataset.objects.unsettled().exists():
            return
    left = Dataset.objects.unsettled().values_list("name", "state", "step", "failures", "last_error")
    raise AssertionError(f"the worker does not come to an end: {list(left)}")


def work() -> int:
    """Be the worker for one round; how much was done."""
    ended = keys.end_due() + transfers.end_due() + grants.end_due() + lapsing.end_due()
    return ended + converge.run_due(100) + rechecking.run_due(100)


def time_passes(span: timedelta = timedelta(minutes=2)) -> None:
    """Let every lease run out, every back-off end, and every key that is being made grow old."""
    now = timezone.now()
    Dataset.objects.exclude(lease=None).update(leased_until=now - timedelta(seconds=1))
    Dataset.objects.unsettled().update(next_try_at=now - timedelta(seconds=1))
    for key in UploadKey.objects.filter(status=KeyStatus.ISSUING, issued_at__gt=now - span):
        UploadKey.objects.filter(id=key.id).update(issued_at=key.issued_at - span)


def assert_rules_hold(engine: MemoryEngine) -> None:
    """After the worker has settled everything: the engine is what the rows say, and the ledger is whole."""
    working = UploadKey.objects.filter(status=KeyStatus.ACTIVE)
    assert engine.principals() == set(working.values_list("principal", flat=True))
    for dataset in Dataset.objects.select_related("space"):
        _assert_followed(engine, dataset)
        _assert_keys(dataset)
        _assert_transfers(dataset)
        _assert_grants(dataset)
        if dataset.state == State.FINALIZED:
            assert_proved(dataset)
    assert_ledger_is_whole()


def _assert_followed(engine: MemoryEngine, dataset: Dataset) -> None:
    assert dataset.state in (State.PENDING, State.FINALIZED, State.DELETED), dataset.state
    assert (dataset.is_settled, dataset.applied_revision) == (True, dataset.revision)
    assert (dataset.is_frozen, dataset.step) == (False, "")
    assert dataset.leased_until is None or dataset.leased_until < timezone.now()
    assert engine.repository_exists(dataset.repository) == (dataset.state != State.DELETED)
    if dataset.state != State.DELETED:
        in_force = engine.read_policy(dataset.repository)
        assert in_force is not None and json.loads(in_force) == json.loads(converge.document_of(dataset))


def _assert_keys(dataset: Dataset) -> None:
    live = dataset.keys.filter(status__in=(KeyStatus.ISSUING, KeyStatus.ACTIVE)).count()
    assert live <= (1 if dataset.state == State.PENDING else 0)
    assert not dataset.keys.filter(status=KeyStatus.ISSUING).exists()


def _assert_transfers(dataset: Dataset) -> None:
    """They run into pending data sets alone, and the ledger tells how each began and ended."""
    assert dataset.state == State.PENDING or not dataset.transfers.filter(ended_at=None).exists()
    told = Event.objects.filter(dataset_id=dataset.id, outcome=Outcome.DONE)
    assert told.filter(verb=Verb.TRANSFER_OPEN).count() == dataset.transfers.count()
    ended = told.filter(verb__in=(Verb.TRANSFER_CLOSE, SystemFact.TRANSFER_ENDED)).count()
    assert ended == dataset.transfers.exclude(ended_at=None).count()


def _assert_grants(dataset: Dataset) -> None:
    """A live grant has a data set and a server; of what ended, the ledger tells."""
    live = dataset.grants.filter(ended_at=None)
    assert not live.exists() or dataset.state == State.FINALIZED
    assert not live.filter(server__state=ServerState.DELETED).exists()
    told = Event.objects.filter(dataset_id=dataset.id, outcome=Outcome.DONE)
    assert told.filter(verb=Verb.GRANT_CREATE).count() == dataset.grants.count()
    ended = told.filter(verb__in=(Verb.GRANT_REVOKE, SystemFact.GRANT_ENDED)).count()
    assert ended == dataset.grants.exclude(ended_at=None).count()


def assert_proved(dataset: Dataset) -> Manifest:
    """The newest manifest is what lies in the bucket, and its receipt is signed and says so."""
    newest = Manifest.objects.filter(dataset=dataset).order_by("-revision")[0]
    lines = b"".join(inventory.read(newest))
    recorded = list(manifest.read(inventory.lines(newest)))
    assert list(manifest.compare(recorded, inventory.entries(dataset.repository))) == []
    writer = manifest.Writer()
    assert b"".join(map(writer.add, recorded)) == lines
    assert newest.root_sha256 == writer.root == hashlib.sha256(lines).hexdigest()
    told = receipt.decode(newest.receipt)
    assert (told.dataset_id, told.manifest_root_sha256) == (dataset.id, newest.root_sha256)
    assert (told.object_count, told.size_bytes) == (writer.count, writer.size_bytes)
    trusted, said = [signing.signer().public_key], newest.receipt.encode()
    sshsig.verify(newest.signature, said, namespace=sshsig.NAMESPACE, trusted=trusted, is_valid=is_valid)
    return newest


def is_valid(public_key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def assert_ledger_is_whole() -> None:
    """Every entry chains, to the head, through every head that a receipt noted."""
    head = LedgerHead.objects.get(id=1)
    rows = Event.objects.order_by("sequence").values_list(*_COLUMNS)
    noted = [*map(receipt.decode, Manifest.objects.exclude(receipt="").values_list("receipt", flat=True))]
    noted += map(digest_receipt.decode, DigestList.objects.values_list("receipt", flat=True))
    report = ledger.verify(
        (ledger.Entry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows),
        expected_head=(head.sequence, head.hash),
        anchors={each.ledger_sequence: each.ledger_hash for each in noted},
    )
    assert report.is_whole, report.faults


def protocol_methods() -> list[str]:
    """The name of everything an engine can be asked to do."""
    return [name for name, value in vars(Engine).items() if callable(value) and not name.startswith("_")]
