"""Which system calls a server may make: podman's own list, without making namespaces.

A server may mount (FUSE), so podman would allow everything that goes with the capability for it. Nobody in there needs
a user namespace, and many ways out of a container begin with one.
"""

import json
from pathlib import Path
from typing import Any

_NEW_USER = 0x10000000  # CLONE_NEWUSER
_ENOSYS = 38
_MOUNTING = ("mount", "umount", "umount2")
# `clone3` takes its flags where no filter can see them; without it programs fall back on `clone`.
_NEVER = {"unshare", "setns", "clone", "clone3", "keyctl", "add_key", "request_key", "pivot_root", *_MOUNTING}


def profile(default: dict[str, Any]) -> dict[str, Any]:
    """The default list of podman (Docker's format), made narrower."""
    calls = [_without(each) for each in default["syscalls"] if not _is_for_administrators(each)]
    return {
        **default,
        "syscalls": [
            *(each for each in calls if each["names"]),
            {"names": list(_MOUNTING), "action": "SCMP_ACT_ALLOW"},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS},
            {
                "names": ["clone"],
                "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 0, "value": _NEW_USER, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
            },
        ],
    }


def write(default: Path, path: Path) -> bool:
    """Write the profile made from a file; False where there is no such file: podman's own list holds then."""
    try:
        made = json.dumps(profile(json.loads(default.read_text(encoding="utf-8"))))
    except (OSError, ValueError, KeyError):
        return False
    if not path.exists() or path.read_text(encoding="utf-8") != made:
        path.write_text(made, encoding="utf-8")
    return True


def _without(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule without the calls that are never allowed, and as if nobody were an administrator."""
    return {
        **rule,
        "names": [name for name in rule["names"] if name not in _NEVER],
        "excludes": {
            key: [each for each in value if each != "CAP_SYS_ADMIN"]
            for key, value in (rule.get("excludes") or {}).items()
        },
    }


def _is_for_administrators(rule: dict[str, Any]) -> bool:
    return "CAP_SYS_ADMIN" in ((rule.get("includes") or {}).get("caps") or [])
