"""The built-in terms for sensitive data, and what any text of terms is made of; refuses to know who accepted one."""

import hashlib
import re

TEXT = """\
Terms for the use of sensitive data

1. I keep moderate and high risk data in spaces of this platform only, and copy nothing out of it that its
   agreements do not allow.
2. I read the agreements that are attached to a data set before I work with it, and keep to them; what is
   derived from it is bound by them, too.
3. I give nobody my password, my second factor, a token or an access key, and leave no secret in a program or
   a document.
4. I give people and servers the least access that their work needs, and take it away when the work is done.
5. I report a loss, a leak or a suspicion of one to whoever operates this platform at once.
6. I know that what I do here is written down and can be looked at by the auditors of my spaces and by the operator.
"""


_ITEM = re.compile(r"(\d+[.)]|[-*•])\s")


def paragraphs(text: str) -> list[str]:
    """The text as a page shows it: lines that were only broken to fit an editor are joined again.

    A paragraph ends at an empty line, and where an item of a list begins.
    """
    found: list[str] = []
    is_open = False
    for line in map(str.strip, text.splitlines()):
        if line and is_open and not _ITEM.match(line):
            found[-1] += f" {line}"
        elif line:
            found.append(line)
        is_open = bool(line)
    return found


def version(text: str) -> str:
    """Twelve hexadecimal digits of SHA-256 of the text: another text is another version."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:12]
