"""How each tool is told to mount one data set; refuses to know whether it worked.

No tool is given a key: each asks the metadata service. The caller's environment and files are kept from it, because
every S3 client prefers a key that it finds there.
Source: `rclone mount --help`, s3fs(1), `mount-s3 --help`; docs/decisions/0010-how-data-sets-are-mounted.md.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from strongroom.agent.config import OFF, Config
from strongroom.agent.mounts_wrong import wrong

TOOLS = ("rclone", "s3fs", "mount-s3")
DEFAULT = TOOLS[0]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# An original never changes but for its attachments; in a derivative others write. After a revocation the agent tells
# rclone to forget at once; without the agent no name is told longer than this.
_ORIGINAL_NAMES_SECONDS = 60
_DERIVATIVE_NAMES_SECONDS = 10
_MARKERS_SINCE = (1, 63)

_INSTALL = {
    "rclone": "Install it: apt-get install rclone (Debian, Ubuntu) or dnf install rclone (Fedora, EPEL).",
    "s3fs": "Install it: apt-get install s3fs (Debian, Ubuntu) or yum install epel-release s3fs-fuse (CentOS, RHEL).",
    "mount-s3": "Install it from the Mountpoint for Amazon S3 releases, or leave --tool out for rclone.",
}


@dataclass(frozen=True)
class Plan:
    """One mount as it shall be. `path` is absolute and real; `umask` octal text, `uid` and `gid` numbers."""

    repository: str
    path: str
    tool: str
    umask: str
    uid: int
    gid: int
    is_read_only: bool
    is_shared: bool
    is_original: bool
    endpoint: str
    region: str


def program(tool: str) -> str:
    """The path of the tool. Raises: Trouble saying how to install it."""
    found = shutil.which(tool) or shutil.which(tool, path=PATH)
    if found is None:
        raise wrong("no-tool", f"{tool} is not installed on this server.", _INSTALL[tool])
    return found


def command(plan: Plan, executable: str, ca_file: str = "") -> list[str]:
    """The command line that stays in the foreground as long as the mount lives."""
    if plan.tool == "rclone":
        return _rclone(plan, executable, ca_file)
    return _s3fs(plan, executable) if plan.tool == "s3fs" else _mount_s3(plan, executable)


def environment(config: Config, home: str) -> dict[str, str]:
    """All that the tool sees: nothing of the caller's, no file with keys, only the metadata service."""
    environ = {
        "HOME": home,
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_CONFIG_FILE": "/dev/null",
    }
    if config.imds_address not in (OFF, "169.254.169.254:80"):
        environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f"http://{config.imds_address}"
    if config.ca_file:
        environ["AWS_CA_BUNDLE"] = environ["SSL_CERT_FILE"] = config.ca_file
    return environ


def rclone_options(plan: Plan, *, has_markers: bool) -> list[tuple[str, str]]:
    """rclone's options by name; an empty value is a flag.

    No cache of file contents: with one, a failed write looks like a success, and what was read is readable after a
    revocation. Directory markers make `mkdir` and `rmdir` true.
    """
    seconds = _ORIGINAL_NAMES_SECONDS if plan.is_original else _DERIVATIVE_NAMES_SECONDS
    options = [
        ("config", "/dev/null"),
        ("s3-provider", "Other"),
        ("s3-env-auth", ""),
        ("s3-no-check-bucket", ""),
        ("s3-endpoint", plan.endpoint),
        ("s3-region", plan.region),
        ("devname", plan.repository),
        ("vfs-cache-mode", "off"),
        ("use-server-modtime", ""),
        ("dir-cache-time", f"{seconds}s"),
        ("attr-timeout", "1s"),
        ("max-read-ahead", "1M"),
        ("umask", plan.umask),
        ("uid", str(plan.uid)),
        ("gid", str(plan.gid)),
        ("default-permissions", ""),
    ]
    if plan.is_shared:
        options.append(("allow-other", ""))
    if plan.is_read_only:
        options.append(("read-only", ""))
    elif has_markers:
        options.append(("s3-directory-markers", ""))
    return options


def s3fs_options(plan: Plan) -> list[str]:
    """s3fs's options, as `-o` and fstab take them."""
    options = [
        "iam_role=auto",
        f"url={plan.endpoint}",
        f"endpoint={plan.region}",
        "use_path_request_style",
        f"fsname={plan.repository}",
        # All modes come from here: an object that another tool wrote has none, and s3fs would show it as 000.
        f"umask={plan.umask}",
        f"uid={plan.uid}",
        f"gid={plan.gid}",
    ]
    if plan.is_shared:
        # Without it the mount point itself would show 777, whatever the umask is.
        options += ["allow_other", f"mp_umask={plan.umask}"]
    if plan.is_read_only:
        options.append("ro")
    return options


def has_markers(executable: str) -> bool:
    """Whether this rclone keeps empty folders; one that cannot be asked does not."""
    try:
        said = subprocess.run([executable, "version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.search(r"rclone v(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= _MARKERS_SINCE


def _rclone(plan: Plan, executable: str, ca_file: str) -> list[str]:
    options = rclone_options(plan, has_markers=has_markers(executable))
    if ca_file:
        options.append(("ca-cert", ca_file))
    words = [f"--{name}={value}" if value else f"--{name}" for name, value in options]
    return [executable, "mount", *words, f":s3:{plan.repository}", plan.path]


def _s3fs(plan: Plan, executable: str) -> list[str]:
    return [executable, plan.repository, plan.path, "-f", "-o", ",".join(s3fs_options(plan))]


def _mount_s3(plan: Plan, executable: str) -> list[str]:
    mode = 0o777 & ~int(plan.umask, 8)
    words = [
        *("--foreground", "--force-path-style", "--endpoint-url", plan.endpoint, "--region", plan.region),
        *("--uid", str(plan.uid), "--gid", str(plan.gid)),
        *("--dir-mode", f"{mode:04o}", "--file-mode", f"{mode & 0o666:04o}"),
        *(["--allow-other"] if plan.is_shared else []),
        *(["--read-only"] if plan.is_read_only else ["--allow-delete", "--allow-overwrite"]),
    ]
    return [executable, *words, plan.repository, plan.path]


def log_file(folder: Path, path: str) -> Path:
    """Where the tool's own words go, by mount point."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")[-100:] or "root"
    return folder / f"{plain}.log"
