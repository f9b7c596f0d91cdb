"""A data set as other systems read it: `ro-crate-metadata.json` from values. Refuses to know where they are kept.

Source: RO-Crate 1.1, sections "Root Data Entity", "Data Entities", "Contextual Entities" and "Provenance".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from strongroom.core import canonical
from strongroom.core.vocabulary import AttachmentKind, Kind

FILE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/crate/1.1"
CONTEXT = f"{PROFILE}/context"
MOST_FILES = 1000
"""Up to so many objects each is listed; of more, only the manifest tells, which the crate names."""

_ACCESS = (
    "Sensitive data, kept in Strongroom: access is granted by those who keep the data set, to servers only, and as the "
    "attached agreements allow. These metadata give no right to the data."
)
Entity = dict[str, Any]  # JSON-LD: an open world


@dataclass(frozen=True, slots=True)
class Document:
    """An attached document, such as a data use agreement."""

    id: UUID
    kind: AttachmentKind
    title: str
    filename: str
    sha256: str
    size_bytes: int
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """A data set that this one comes from."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class File:
    """One object. `sha256` is empty where it is not known."""

    key: str
    size_bytes: int
    sha256: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """What can be fetched to prove it: addresses below Strongroom's own, with the SHA-256 of what lies there."""

    name: str
    address: str
    sha256: str
    encoding: str


@dataclass(frozen=True, slots=True)
class Described:
    """All that is told of a finalized data set. `files` is empty where they are too many to list."""

    id: UUID
    name: str
    description: str
    kind: Kind
    repository: str
    space_name: str
    classifications: Sequence[str]
    data_format: str
    owner_contact: str
    created_at: datetime
    created_by: str
    finalized_at: datetime
    finalized_by: str
    object_count: int
    size_bytes: int
    sources: Sequence[Source]
    external_source: str
    documents: Sequence[Document]
    proofs: Sequence[Proof]
    files: Sequence[File]
    software_version: str


def encode(told: Described) -> str:
    """The text of `ro-crate-metadata.json`; its place is the folder that holds the files of the data set."""
    graph = [
        {"@id": FILE, "@type": "CreativeWork", "conformsTo": {"@id": PROFILE}, "about": {"@id": "./"}},
        _root(told),
        {"@id": "#access", "@type": "CreativeWork", "name": "Restricted access", "description": _ACCESS},
        *map(_file, told.files),
        *map(_proof, told.proofs),
        *map(_source, told.sources),
        *([_external(told.external_source)] if told.external_source else []),
        *map(_document, told.documents),
        *(_person(email) for email in sorted({told.created_by, told.finalized_by})),
        _finalization(told),
        _software(told.software_version),
    ]
    return canonical.page({"@context": CONTEXT, "@graph": graph})


def _root(told: Described) -> Entity:
    based_on = [_named(_urn(each.id)) for each in told.sources] + ([_named("#origin")] if told.external_source else [])
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "identifier": _urn(told.id),
        "name": told.name,
        "description": told.description or f"The data set {told.name}, {told.object_count} files.",
        "dateCreated": _time(told.created_at),
        "datePublished": _time(told.finalized_at),
        "creator": _named(_mail(told.created_by)),
        "license": _named("#access"),
        "conditionsOfAccess": _ACCESS,
        "additionalType": told.kind.value,
        "alternateName": told.repository,
        "isPartOf": told.space_name,
        "contentSize": str(told.size_bytes),
        "size": told.object_count,
        "keywords": ", ".join(told.classifications),
        "encodingFormat": told.data_format,
        "contactPoint": told.owner_contact,
        "hasPart": [_named(_file_id(each.key)) for each in told.files] + [_named(each.address) for each in told.proofs],
        "isBasedOn": based_on,
        "mentions": [_named("#finalization"), *(_named(_document_id(each)) for each in told.documents)],
    }
    return {name: value for name, value in root.items() if value not in ("", [])}


def _file(file: File) -> Entity:
    told: Entity = {
        "@id": _file_id(file.key),
        "@type": "File",
        "name": file.key,
        "contentSize": str(file.size_bytes),
        "dateModified": _time(file.modified_at),
    }
    return {**told, "sha256": file.sha256} if file.sha256 else told


def _proof(proof: Proof) -> Entity:
    told: Entity = {"@id": proof.address, "@type": "File", "name": proof.name, "encodingFormat": proof.encoding}
    return {**told, "sha256": proof.sha256}


def _source(source: Source) -> Entity:
    # No "Dataset": in a crate those are what it holds.
    id_ = _urn(source.id)
    return {"@id": id_, "@type": "CreativeWork", "identifier": id_, "name": source.name, "additionalType": "data set"}


def _external(text: str) -> Entity:
    return {"@id": "#origin", "@type": "CreativeWork", "name": "Where the data come from", "description": text}


def _document(document: Document) -> Entity:
    return {
        "@id": _document_id(document),
        "@type": "DigitalDocument",
        "name": document.title,
        "alternateName": document.filename,
        "additionalType": document.kind.value,
        "contentSize": str(document.size_bytes),
        "sha256": document.sha256,
        "dateCreated": _time(document.added_at),
    }


def _person(email: str) -> Entity:
    return {"@id": _mail(email), "@type": "Person", "name": email, "email": email}


def _finalization(told: Described) -> Entity:
    return {
        "@id": "#finalization",
        "@type": "CreateAction",
        "name": "Finalized: from then on nobody could change it"
        if told.kind is Kind.ORIGINAL
        else "Finalized: from then on granted servers could work in it",
        "agent": _named(_mail(told.finalized_by)),
        "instrument": _named("#strongroom"),
        "endTime": _time(told.finalized_at),
        "result": _named("./"),
    }


def _software(version: str) -> Entity:
    return {"@id": "#strongroom", "@type": "SoftwareApplication", "name": "Strongroom", "softwareVersion": version}


def _named(id_: str) -> Entity:
    return {"@id": id_}


def _urn(id_: UUID) -> str:
    return f"urn:uuid:{id_}"


def _mail(email: str) -> str:
    return f"mailto:{quote(email, safe='@+')}"


def _file_id(key: str) -> str:
    """A path that cannot be taken for an address: a colon in its first part would make it one."""
    return quote(key, safe="/!$&'()*+,;=@-._~")


def _document_id(document: Document) -> str:
    return f"#attachment-{document.id}"


def _time(at: datetime) -> str:
    return canonical.time(at, "milliseconds")
