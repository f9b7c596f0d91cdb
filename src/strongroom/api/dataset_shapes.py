"""How data sets, their keys and what was found in them are written and shown."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from strongroom.actions.views import DatasetView
from strongroom.api.shapes import Day, Listing, Moment, Shown, Written, unsent
from strongroom.core.vocabulary import CheckState, KeyStatus, Kind, Role, State, Verb


class NewDataset(Written):
    """A data set to be made. A derivative names its sources, or says where it comes from."""

    space_id: UUID
    kind: Kind
    name: str = Field(examples=["MRI scans 2024"])
    description: str = ""
    data_classifications: list[str] = Field([], examples=[["HIPAA", "PHI"]])
    data_format: str = Field("", examples=["DICOM"])
    owner_contact: str = Field("", examples=["data-office@example.org"])
    needed_until: Day | None = Field(None, examples=["2031-12-31"])
    source_ids: list[UUID] = Field([])
    external_source: str = ""


class DatasetChanges(Written):
    """What is to be different. Once finalized, only `description` and `owner_contact` may be."""

    name: str = unsent()
    description: str = unsent()
    data_classifications: list[str] = unsent()
    data_format: str = unsent()
    owner_contact: str = unsent()
    needed_until: Day | None = None
    source_ids: list[UUID] = unsent()
    external_source: str = unsent()


class Closing(Written):
    """What it takes to close a data set for good. `locked_until`: nobody at all can delete an object before."""

    confirm_name: str = Field(description="the data set's name, exactly", examples=["MRI scans 2024"])
    allow_empty: bool = False
    locked_until: Moment | None = Field(None, examples=["2036-12-31T00:00:00Z"])


class Confirmation(Written):
    """The data set's name, exactly."""

    confirm_name: str


class DeletionReason(Written):
    """Why it is to go."""

    reason: str


class Key(Shown):
    """An access key, without its secret."""

    id: UUID
    status: KeyStatus
    access_key_id: str
    issued_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    is_support_reset: bool
    reason: str


class KeyList(Listing[Key]):
    """A page of them."""


class Source(Shown):
    """A data set that a derivative comes from."""

    id: UUID
    name: str
    kind: Kind
    state: State


class Deletion(Shown):
    """That somebody asked for the data set to go, and who confirmed it."""

    requested_at: datetime | None
    requested_by: str | None
    reason: str
    confirmed_by: str | None


class Blocked(Shown):
    """What one cannot do with it now, and why."""

    verb: Verb
    reason: str


class LastCheck(Shown):
    """The newest fixity check; the first one completes the digests."""

    id: UUID
    state: CheckState
    completes_digests: bool
    objects_done: int
    difference_count: int
    asked_at: datetime
    ended_at: datetime | None
    last_error: str


class Dataset(Shown):
    """A data set, as in a list. Sizes are bytes; `derivative` says whether it is one or was promoted from one."""

    id: UUID
    space_id: UUID
    space_name: str
    kind: Kind
    name: str
    description: str
    repository: str
    state: State
    step: str
    progress_objects: int
    is_settled: bool
    data_classifications: list[str]
    data_format: str
    derivative: bool
    external_source: str
    owner_contact: str
    needed_until: date | None
    created_at: datetime
    created_by: str
    modified_at: datetime
    modified_by: str
    finalized_at: datetime | None
    finalized_by: str | None
    locked_until: datetime | None
    object_count: int | None
    size_bytes: int | None
    deleted_at: datetime | None
    last_error: str


class DatasetList(Listing[Dataset]):
    """A page of them."""


class DatasetInFull(Dataset):
    """A data set with everything about it, and what one may do with it next. `live_grants`: not ended ones.

    `damaged_objects`: how many were missing, altered or unreadable when they were last read. `fixity_due_at`: when all
    is read again.
    """

    source_ids: list[UUID]
    sources: list[Source]
    manifest_sha256: str | None
    late_objects: int
    damaged_objects: int
    digests_sha256: str | None
    last_check: LastCheck | None
    fixity_due_at: datetime | None
    live_grants: int
    deletion: Deletion | None
    key: Key | None
    role: Role | None
    may: list[Verb]
    blocked: list[Blocked]


def in_list(row: Any) -> Dataset:  # a row, whose class the edges do not know
    """A row of a list."""
    plain = {name: getattr(row, name) for name in Dataset.model_fields if hasattr(row, name)}
    people = {name: _email(getattr(row, name)) for name in ("created_by", "modified_by", "finalized_by")}
    return Dataset.model_validate({**plain, **people, "space_name": row.space.name, "derivative": row.was_derivative})


def in_full(view: DatasetView) -> DatasetInFull:
    """Everything a page about one data set shows."""
    row = view.dataset
    return DatasetInFull(
        **in_list(row).model_dump(),
        source_ids=[source.id for source in view.sources],
        sources=[Source.model_validate(source) for source in view.sources],
        manifest_sha256=view.manifest.root_sha256 if view.manifest else None,
        late_objects=view.late_objects,
        damaged_objects=row.damaged_objects,
        digests_sha256=view.digests.digests_sha256 if view.digests else None,
        last_check=LastCheck.model_validate(view.last_check) if view.last_check else None,
        fixity_due_at=row.fixity_due_at,
        live_grants=view.live_grants,
        deletion=_deletion(row),
        key=Key.model_validate(view.live_key) if view.live_key else None,
        role=view.role,
        may=view.may,
        blocked=[Blocked.model_validate(each) for each in view.blocked],
    )


def _deletion(row: Any) -> Deletion | None:
    if not (row.deletion_requested_at or row.deletion_reason or row.deletion_confirmed_by_id):
        return None
    return Deletion(
        requested_at=row.deletion_requested_at,
        requested_by=_email(row.deletion_requested_by),
        reason=row.deletion_reason,
        confirmed_by=_email(row.deletion_confirmed_by),
    )


def _email(person: Any) -> str | None:
    return person.email if person else None
