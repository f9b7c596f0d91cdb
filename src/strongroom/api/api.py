"""The API: its routers, and how it reads, answers and refuses."""

from strongroom.api import (
    agents,
    attachments,
    audit,
    certificates,
    datasets,
    devices,
    fixity,
    grants,
    keys,
    mappings,
    mfa,
    passkeys,
    people,
    problems,
    records,
    servers,
    sessions,
    spaces,
    system,
    terms,
    tokens,
    transfers,
)
from strongroom.api.answers import JsonRenderer
from strongroom.api.docs import ReadableDocs
from strongroom.api.openapi import DocumentedAPI
from strongroom.api.parsing import StrictParser
from strongroom.api.signed_in import BearerToken

_DESCRIPTION = (
    "Secure data sets on S3 storage. An operation's id is its verb: the same word in the audit ledger, in the table of "
    "roles and on the command line. Times are UTC in ISO 8601, sizes whole bytes, ids UUIDs. Every refusal is a "
    "problem (RFC 9457) that says what was refused, why, and what to do instead."
)

api = DocumentedAPI(
    title="Strongroom",
    version="1",
    description=_DESCRIPTION,
    urls_namespace="api",
    auth=BearerToken(),
    renderer=JsonRenderer(),
    parser=StrictParser(),
    docs=ReadableDocs(),
)
problems.install(api)
_PEOPLE = (people, mfa, passkeys, tokens, devices, sessions, terms, spaces, mappings)
_DATA = (datasets, keys, transfers, attachments, records, fixity)
_SERVERS = (servers, certificates, grants)
for part in (*_PEOPLE, *_DATA, *_SERVERS, audit, system, agents):
    api.add_router("", part.router)
