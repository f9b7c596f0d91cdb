"""The tables, one module per noun."""

from strongroom.db.models.attachments import Attachment
from strongroom.db.models.browsing import BrowserSession, DeviceLogin, TermsAcceptance
from strongroom.db.models.datasets import Dataset, DatasetChange, DatasetSize, DatasetSource
from strongroom.db.models.fixity import DigestList, FixityCheck, FixityDifference
from strongroom.db.models.idempotency import IdempotentReply
from strongroom.db.models.identities import GroupMapping, Identity
from strongroom.db.models.keys import UploadKey
from strongroom.db.models.ledger import Event, LedgerHead
from strongroom.db.models.manifests import LateObject, Manifest
from strongroom.db.models.passkeys import Passkey
from strongroom.db.models.people import Person, SignInCode, Token
from strongroom.db.models.servers import Grant, Server
from strongroom.db.models.spaces import Membership, Space
from strongroom.db.models.transfers import ObjectDigest, Transfer

__all__ = [
    "Attachment",
    "BrowserSession",
    "Dataset",
    "DatasetChange",
    "DatasetSize",
    "DatasetSource",
    "DeviceLogin",
    "DigestList",
    "Event",
    "FixityCheck",
    "FixityDifference",
    "Grant",
    "GroupMapping",
    "IdempotentReply",
    "Identity",
    "LateObject",
    "LedgerHead",
    "Manifest",
    "Membership",
    "ObjectDigest",
    "Passkey",
    "Person",
    "Server",
    "SignInCode",
    "Space",
    "TermsAcceptance",
    "Token",
    "Transfer",
    "UploadKey",
]
