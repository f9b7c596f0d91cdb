"""What an engine answers under a document of `core.policy`; refuses documents that say more than we ever write.

Follows what SeaweedFS 4.48 was observed to do and what AWS documents for the statements of our dialects. It
differs from SeaweedFS in two points: there an explicit Deny does not bind the engine's administrator in batch
deletes, form uploads and copies out of the bucket; and no Allow gives a session a key that holds a line break.

Source: "Policy evaluation logic" and "AWS JSON policy elements reference" of the IAM user guide.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

# One call of a multipart upload is allowed, and denied, under its own name and under PutObject.
_ALSO_PUT_OBJECT = frozenset(
    {
        "s3:CreateMultipartUpload",
        "s3:UploadPart",
        "s3:CompleteMultipartUpload",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
        "s3:ListBucketMultipartUploads",
    }
)
_ROLE = re.compile(r"arn:aws:iam::(?P<account>\d+):role/(?P<role>[^/]+)")
_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})
_REQUIRED = _ELEMENTS - {"Sid", "Condition"}
_OPERATORS = frozenset({"StringEquals", "StringNotEquals", "StringLike", "StringNotLike"})
_KEYS = frozenset({"aws:username", "aws:userid", "s3:prefix"})


@dataclass(frozen=True)
class Caller:
    """Who asks. A session's `username` is its session name; `userid` is the same where it is not given (SeaweedFS).

    The control plane (and, on AWS, the account's root) is allowed unless denied; everybody else denied unless allowed.
    """

    username: str | None
    arn: str | None
    kind: Literal["user", "session", "anonymous", "control-plane"]
    userid: str | None = None


@dataclass(frozen=True)
class Statement:
    """One rule of a document. `principals` None: everybody, anonymous included."""

    is_deny: bool
    principals: tuple[str, ...] | None
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]


def is_allowed(document: str, caller: Caller, action: str, resource: str, *, prefix: str | None = None) -> bool:
    """Whether the engine lets the caller do it. `resource` is an ARN; `prefix` is that of a listing.

    Raises: ValueError for a document with an element, operator or key that `core.policy` never writes.
    """
    statements = parse(document)
    names = (action, "s3:PutObject") if action in _ALSO_PUT_OBJECT else (action,)
    met = [s for s in statements if _applies(s, caller, names, resource, prefix)]
    if any(s.is_deny for s in met):
        return False
    return bool(met) or caller.kind == "control-plane"


@lru_cache(maxsize=256)
def parse(document: str) -> tuple[Statement, ...]:
    """The statements of a document.

    Raises: ValueError for anything that `core.policy` never writes.
    """
    whole = json.loads(document)
    if set(whole) != {"Version", "Statement"} or whole["Version"] != "2012-10-17":
        raise ValueError("a document has Version 2012-10-17 and Statement, and nothing else")
    return tuple(_statement(made) for made in whole["Statement"])


def _statement(made: Mapping[str, object]) -> Statement:
    if not _REQUIRED <= set(made) <= _ELEMENTS or made["Effect"] not in ("Allow", "Deny"):
        raise ValueError(f"not a statement of ours: {made}")
    return Statement(
        is_deny=made["Effect"] == "Deny",
        principals=_principals(made["Principal"]),
        actions=_words(made["Action"]),
        resources=_words(made["Resource"]),
        conditions=tuple(_conditions(made.get("Condition", {}))),
    )


def _principals(made: object) -> tuple[str, ...] | None:
    if made == "*":
        return None
    if not isinstance(made, dict) or set(made) != {"AWS"}:
        raise ValueError(f"not a principal of ours: {made}")
    return _words(made["AWS"])


def _conditions(made: object) -> list[tuple[str, str, tuple[str, ...]]]:
    if not isinstance(made, dict) or not set(made) <= _OPERATORS:
        raise ValueError(f"not a condition of ours: {made}")
    found = [(operator, key, _words(values)) for operator, keys in made.items() for key, values in keys.items()]
    if not {key for _, key, _ in found} <= _KEYS:
        raise ValueError(f"not a condition of ours: {made}")
    return found


def _words(made: object) -> tuple[str, ...]:
    words = [made] if isinstance(made, str) else made
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise ValueError(f"neither a word nor a list of words: {made!r}")
    return tuple(words)


def _applies(rule: Statement, caller: Caller, names: Sequence[str], resource: str, prefix: str | None) -> bool:
    return (
        any(_is_like(name, rule.actions) for name in names)
        and _is_like(resource, rule.resources)
        and (rule.principals is None or _is_principal(caller.arn, rule.principals))
        and all(_is_met(condition, caller, prefix) for condition in rule.conditions)
    )


def _is_principal(arn: str | None, patterns: Sequence[str]) -> bool:
    if arn is None:
        return False
    roles = [match for match in map(_ROLE.fullmatch, patterns) if match]
    sessions = tuple(f"arn:aws:sts::{role['account']}:assumed-role/{role['role']}/" for role in roles)
    return arn.startswith(sessions) or _is_like(arn, patterns)


def _is_met(condition: tuple[str, str, tuple[str, ...]], caller: Caller, prefix: str | None) -> bool:
    operator, key, wanted = condition
    known = {"aws:username": caller.username, "aws:userid": caller.userid or caller.username, "s3:prefix": prefix}
    value = known[key]
    if value is None:
        return "Not" in operator
    is_found = _is_like(value, wanted) if operator.endswith("Like") else value in wanted
    return is_found != ("Not" in operator)


def _is_like(value: str, patterns: Sequence[str]) -> bool:
    return any(_pattern(pattern).fullmatch(value) for pattern in patterns)


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    """`*` is any run of characters, `/` and `:` included; `?` is any one."""
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in glob), re.DOTALL)
