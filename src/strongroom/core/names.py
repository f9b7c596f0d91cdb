"""Every name Strongroom makes or accepts: buckets, principals, sessions, texts, file names.

Refuses to know where a name is used; it only promises what characters it consists of.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote
from uuid import UUID

from strongroom.core.errors import Invalid
from strongroom.core.sentences import Sentence, say

ORG = re.compile(r"[a-z0-9]{1,18}")
FILENAME_LIMIT_BYTES = 255
ATTACHMENTS = "_attachments"

# 65 bits: the chance that two of a million servers share a name is 1 in 70 million, and the policy of a
# data set, which names each server up to three times within 20,480 bytes, stays small.
_SESSION_CHARACTERS = 13
_PRINCIPAL_CHARACTERS = 20
_ACCOUNT_CHARACTERS = 27
_ACCOUNT_TAIL = 4
_SSH_PLACE = re.compile(
    r"(?:(?P<name>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)|\[(?P<address>[0-9A-Fa-f:.]{2,45})\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_SERVER_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

# Extensions that programs open without running anything, so that people on servers can open an agreement.
# HTML and SVG run scripts in a browser; the old and the macro forms of Office files run macros: not here.
HARMLESS: Mapping[str, str] = MappingProxyType(
    {
        "pdf": "application/pdf",
        "txt": "text/plain; charset=utf-8",
        "md": "text/plain; charset=utf-8",
        "csv": "text/csv; charset=utf-8",
        "rtf": "application/rtf",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "odp": "application/vnd.oasis.opendocument.presentation",
        "png": "image/png",
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "tif": "image/tiff",
        "tiff": "image/tiff",
    }
)
UNKNOWN_CONTENT = "application/octet-stream"

# Drawn like / or \ in common fonts. Source: Unicode confusables.txt (UTS 39), the entries for U+002F and U+005C.
LOOK_ALIKES = frozenset(
    "\u2044\u2215\u2571\u2572\u2216\u27cb\u27cd\u29f5\u29f6\u29f7\u29f8\u29f9\u2afb\u2afd\u2cc6\u2e4a\u2f03\u31d3\u31d4"
    "\u1735\u233f\u2340\u244a\u3033\ua718\ufe68\uff0f\uff3c\u0337\u0338\u20e5\u20eb\U0001d20f\U0001d23a\U0001f67c\U0001f67d"
)
# What Windows does not allow in a name; `:` also names an alternate stream there.
_RESERVED_CHARACTERS = frozenset('<>:"/\\|?*')
# Source: Microsoft, "Naming Files, Paths, and Namespaces".
_RESERVED_NAMES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
    | {f"{port}{number}" for port in ("COM", "LPT") for number in range(10)}
)

# Categories without a shape of their own: controls, format characters (bidirectional overrides, zero-width,
# byte-order marks, tags), surrogates, private use, unassigned, line and paragraph separators.
_SHAPELESS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Default_Ignorable_Code_Point beyond those categories: fillers, joiners and variation selectors nobody can see.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def repository_name(org: str, dataset_id: UUID) -> str:
    """The bucket of a data set, `dataset-<org>-<uuid>`, at most 63 characters.

    Raises: Invalid when `org` is not 1 to 18 of a-z and 0-9.
    Source: Amazon S3 User Guide, "General purpose bucket naming rules".
    """
    return f"dataset-{_org(org)}-{dataset_id}"


def records_repository(org: str) -> str:
    """The bucket of manifests and quarantined objects, which is nobody's but the control plane's.

    Raises: Invalid when `org` is not 1 to 18 of a-z and 0-9.
    """
    return f"strongroom-records-{_org(org)}"


def uploader_principal(key_id: UUID) -> str:
    """The engine's user for one access key: `up-` and 100 bits of a hash of its id, 23 characters of a-z0-9-."""
    return "up-" + _short("uploader", key_id, _PRINCIPAL_CHARACTERS)


def server_session_name(server_id: UUID) -> str:
    """The session a server acts as: `srv-` and 65 bits of a hash of its id, 17 characters of a-z0-9-."""
    return "srv-" + _short("server", server_id, _SESSION_CHARACTERS)


def transfer_session_name(transfer_id: UUID) -> str:
    """The session of a transfer: `tr-` and 65 bits of a hash of its id, 16 characters of a-z0-9-."""
    return "tr-" + _short("transfer", transfer_id, _SESSION_CHARACTERS)


def account_name(email: str, person_id: UUID) -> str:
    """The local user of a person on servers: their address's local part and a tail of their own, e.g. `ada-x7q2`.

    1 to 32 characters of a-z0-9-, beginning with a letter; 20 bits of a hash keep people of one name apart.
    Source: shadow-utils, useradd(8): names that every tool takes.
    """
    plain = unicodedata.normalize("NFKD", email.partition("@")[0]).encode("ascii", "ignore").decode().lower()
    local = re.sub(r"[^a-z0-9]+", "-", plain).strip("-").lstrip("0123456789-")
    return f"{local[:_ACCOUNT_CHARACTERS].rstrip('-') or 'user'}-{_short('account', person_id, _ACCOUNT_TAIL)}"


def clean_server_name(value: str) -> str:
    """A server's name: what a host name may be, so that it can stand in commands and in `~/.ssh/config`.

    Raises: Invalid unless it is 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit.
    Source: RFC 1123, section 2.1.
    """
    if not _SERVER_NAME.fullmatch(value):
        raise _invalid(
            "name",
            say("is not 1 to 63 of a-z, 0-9 and - with a letter or digit at both ends"),
            say("For example `genomics-1`."),
        )
    return value


def ssh_place(value: str) -> tuple[str, int]:
    """Host and port of `name`, `name:port`, `[address]` or `[address]:port`; the port is 22 where none is said.

    Raises: ValueError for anything else: it stands in people's `~/.ssh/config` and on their command lines.
    """
    found = _SSH_PLACE.fullmatch(value)
    if not found or not 0 < int(found["port"] or "22") < 65536:
        raise ValueError(f"{value[:80]!r} is not like `host.example.org` or `host.example.org:2222`")
    return found["name"] or found["address"], int(found["port"] or "22")


def clean_text(field: str, value: str, *, max_length: int, required: bool = True, is_multiline: bool = False) -> str:
    """The text in normal form C without white space around it; at most `max_length` characters.

    Only with `is_multiline` may it hold line breaks (they become `\\n`) and tabs.

    Raises: Invalid, with `field` in `fields`, when it is missing, too long or holds a character nobody can see.
    """
    text = unicodedata.normalize("NFC", value)
    if is_multiline:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.strip()
    if required and not text:
        raise _invalid(field, say("is empty"), say("Enter a text."))
    if len(text) > max_length:
        raise _invalid(
            field,
            say("is {count} characters long", count=len(text)),
            say("Shorten it to at most {most} characters.", most=max_length),
        )
    _refuse_unseen(field, text, allowed="\n\t" if is_multiline else "")
    return text


def clean_filename(value: str) -> str:
    """A file's name in normal form C, for display and download only: never compute a path from it.

    Raises: Invalid, with the way out, for an empty name, a path or what looks or decodes like one, a character that
        nobody can see or that Windows does not allow, a reserved Windows name, a space at either end or a
        dot at the end, or more than 255 bytes of UTF-8.
    """
    name = unicodedata.normalize("NFC", value)
    if not name:
        raise _invalid("filename", say("is empty"), say("Give the file a name."))
    _refuse_unseen("filename", name)
    _refuse_separators(name)
    _refuse_windows_traps(name)
    if len(name.encode()) > FILENAME_LIMIT_BYTES:
        raise _invalid(
            "filename",
            say("is {count} bytes long", count=len(name.encode())),
            say(
                "Rename the file to at most {most} bytes (letters beyond a-z count two to four).",
                most=FILENAME_LIMIT_BYTES,
            ),
        )
    return name


def attachment_object_key(attachment_id: UUID, filename: str) -> str:
    """Where an attachment lies in its bucket: made from the id, with an extension of the fixed table only."""
    extension = _extension(filename)
    return f"{ATTACHMENTS}/{attachment_id}" + (f".{extension}" if extension else "")


def attachment_content_type(filename: str) -> str:
    """The media type from the fixed table, else `application/octet-stream`; never one that runs scripts."""
    return HARMLESS.get(_extension(filename), UNKNOWN_CONTENT)


def _org(org: str) -> str:
    if not ORG.fullmatch(org):
        raise _invalid(
            "org", say("is not 1 to 18 lower-case letters and digits"), say("Choose a short name such as `uni7`.")
        )
    return org


def _short(purpose: str, identity: UUID, characters: int) -> str:
    # The purpose is hashed in, so that no two kinds of name can ever share their tail.
    hashed = hashlib.sha256(f"strongroom {purpose} ".encode() + identity.bytes).digest()
    return base64.b32encode(hashed).decode().lower()[:characters]


def _extension(filename: str) -> str:
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    return extension if extension in HARMLESS else ""


def _refuse_unseen(field: str, text: str, allowed: str = "") -> None:
    for character in text:
        unseen = unicodedata.category(character) in _SHAPELESS or _INVISIBLE.match(character)
        if unseen and character not in allowed:
            label = unicodedata.name(character, say("a control or unassigned character"))
            raise _invalid(
                field,
                say("holds U+{character:04X} ({label}), which nobody can see", character=ord(character), label=label),
                say("Remove that character."),
            )


def _refuse_separators(name: str) -> None:
    for character in name:
        if character in LOOK_ALIKES:
            label = unicodedata.name(character, say("a slash"))
            raise _invalid(
                "filename",
                say(
                    "holds U+{character:04X} ({label}), which looks like a slash", character=ord(character), label=label
                ),
                _RENAME,
            )
    # Some programs fold compatibility forms (U+2100 into a/c), others decode %2F, and some do it twice.
    seen = {name}
    forms = [name]
    while forms:
        form = forms.pop()
        if "/" in form or "\\" in form or "\0" in form or form in {".", ".."}:
            raise _invalid("filename", say("is a path, or decodes to one"), _RENAME)
        for other in (unquote(form), unicodedata.normalize("NFKC", form)):
            if other not in seen:
                seen.add(other)
                forms.append(other)


def _refuse_windows_traps(name: str) -> None:
    folded = unicodedata.normalize("NFKC", name)
    forbidden = sorted(_RESERVED_CHARACTERS.intersection(folded))
    if forbidden:
        raise _invalid(
            "filename", say("holds {forbidden}, which Windows does not allow", forbidden=" ".join(forbidden)), _RENAME
        )
    if folded[0].isspace() or folded[-1].isspace() or folded.endswith("."):
        raise _invalid("filename", say("begins or ends with a space, or ends with a dot"), _RENAME)
    stem = folded.partition(".")[0].rstrip().upper()
    if stem in _RESERVED_NAMES:
        raise _invalid("filename", say("begins with {stem}, which is a device on Windows", stem=stem), _RENAME)


_RENAME = say("Rename the file, for example to letters, digits, - and _ with an extension, and send it again.")


def _invalid(field: str, problem: Sentence, way_out: Sentence) -> Invalid:
    return Invalid(
        say("The {field} {problem}.", field=field, problem=problem),
        fields={field: say("{problem}. {way_out}", problem=problem, way_out=way_out)},
        way_out=way_out,
    )
