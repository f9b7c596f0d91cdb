"""One line per fact on standard error, `key=value`; journald adds the time. Secrets are never among the facts."""

from __future__ import annotations

import json
import sys


def log(event: str, **facts: object) -> None:
    """Say what happened."""
    told = " ".join(f"{key}={_shown(value)}" for key, value in facts.items())
    print(f"{event} {told}".rstrip(), file=sys.stderr, flush=True)


def _shown(value: object) -> str:
    text = str(value)
    is_plain = text and all(character.isalnum() or character in "-_.:/@" for character in text)
    return text if is_plain else json.dumps(text, ensure_ascii=False)
