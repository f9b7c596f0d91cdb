"""Ready-made commands and settings for a server that was granted access to one data set.

No text holds a key or a place for one: on a server every client asks the metadata service by itself.
"""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from strongroom.core.connect import Snippet
from strongroom.core.connect_values import checked_values, is_amazon, is_encrypted, place
from strongroom.core.sentences import NOTHING, say


@dataclass(frozen=True, slots=True)
class _Target:
    repository: str
    endpoint: str
    region: str
    is_read_only: bool

    @property
    def folder(self) -> str:
        return f"/mnt/{self.repository}"

    @property
    def place(self) -> str:
        return f"{self.repository} {self.folder}"


def server_snippets(*, repository: str, endpoint: str, region: str, is_read_only: bool) -> list[Snippet]:
    """What to type on a server, the recommended way first; several may belong to one client.

    `endpoint` is a URL without path. Read-only for originals: the examples then only read.

    Raises: Invalid when a value holds a character that none of the clients' formats could need.
    """
    url = checked_values(repository=repository, endpoint=endpoint, region=region)
    target = _Target(repository, url, region, is_read_only)
    return [build(target) for build in _BUILDERS]


def _strongroom(target: _Target) -> Snippet:
    lines = [
        f"sudo mkdir -p {target.folder}",
        f"sudo strongroom mount {target.repository} {target.folder} --persist",
        "strongroom mounts",
    ]
    return Snippet(
        client="strongroom",
        title=say("Mount on Linux"),
        filename=None,
        text=_text(lines),
        note=say(
            "Checks everything first and says in one line what is wrong; proves the mount by "
            "reading; comes back after a reboot. `--umask 077` keeps others on the server out. "
            "`strongroom umount` takes it away."
        ),
    )


def _s3fs(target: _Target) -> Snippet:
    options = f"-o url={target.endpoint},use_path_request_style,endpoint={target.region}"
    lines = [
        f"sudo mkdir -p {target.folder}",
        f"sudo s3fs -o iam_role=auto -o allow_other -o umask=002,uid=$UID {options} {target.place}",
        f"mountpoint {target.folder}",
    ]
    wise = say("Add `-o ro`, so that a write is refused at once. ") if target.is_read_only else NOTHING
    return Snippet(
        client="s3fs",
        title=say("s3fs: mount on Linux"),
        filename=None,
        text=_text(lines),
        note=say(
            "{wise}`umask=002` lets everybody on the server in; 077 only you and root. s3fs says "
            "nothing when it could not mount: the last line does. After a revocation it shows "
            "files as empty until the agent unmounts it.",
            wise=wise,
        ),
    )


def _s3fs_fstab(target: _Target) -> Snippet:
    options = ",".join(
        (
            *("_netdev", "nofail", "x-systemd.requires=strongroom.service", "x-systemd.after=strongroom.service"),
            *("iam_role=auto", "allow_other", "umask=002", "uid=1000", *(["ro"] if target.is_read_only else [])),
            *(f"url={target.endpoint}", "use_path_request_style", f"endpoint={target.region}"),
        )
    )
    return Snippet(
        client="s3fs",
        title=say("s3fs: line for /etc/fstab"),
        filename=None,
        text=f"{target.repository} {target.folder} fuse.s3fs {options} 0 0\n",
        note=say(
            "Put your own number in place of 1000 (`id -u`), add the line to the file, and try "
            "it: `sudo mount {folder}`",
            folder=target.folder,
        ),
    )


def _rclone(target: _Target) -> Snippet:
    lines = [
        f"[{target.repository}]",
        "type = s3",
        f"provider = {'AWS' if is_amazon(target.endpoint) else 'Other'}",
        "env_auth = true",
        f"region = {target.region}",
        f"endpoint = {target.endpoint}",
        "force_path_style = true",
        # Without it rclone tries to create the bucket, which a server may not.
        "no_check_bucket = true",
    ]
    return Snippet(
        client="rclone",
        title=say("rclone remote"),
        filename="~/.config/rclone/rclone.conf",
        text=_text(lines),
        note=say("Add these lines to the file (`rclone config file` says where it is)."),
    )


def _rclone_commands(target: _Target) -> Snippet:
    remote = f"{target.repository}:{target.repository}"
    lines = [f"rclone copy --progress {remote}/folder ./folder"]
    if not target.is_read_only:
        lines.append(f"rclone copy --progress ./results {remote}/results")
    mount = "--read-only " if target.is_read_only else ""
    lines += [
        "mkdir -p ~/data",
        f"rclone mount {remote} ~/data --daemon {mount}--vfs-cache-mode off --use-server-modtime --dir-cache-time 10s",
    ]
    return Snippet(
        client="rclone",
        title=say("rclone: copy and mount"),
        filename=None,
        text=_text(lines),
        note=say(
            "Uses the remote above. With any other `--vfs-cache-mode` a failed write looks like "
            "a success. Unmount with `fusermount3 -u ~/data`."
        ),
    )


def _aws(target: _Target) -> Snippet:
    aws = f"aws --endpoint-url {shlex.quote(target.endpoint)} --region {target.region} s3"
    bucket = f"s3://{target.repository}"
    lines = [f"{aws} ls {bucket}/ --recursive --summarize", f"{aws} cp {bucket}/file.csv ."]
    if target.is_read_only:
        lines.append(f"{aws} sync {bucket}/folder ./folder")
    else:
        # Without it the request after an empty file stalls for a minute (botocore, "Expect: 100-continue").
        lines.insert(0, "export BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE=true")
        lines.append(f"{aws} sync ./results {bucket}/results")
    return Snippet(
        client="aws",
        title=say("AWS CLI"),
        filename=None,
        text=_text(lines),
        note=say(
            "Needs no `aws configure`: a key in `~/.aws/credentials` or the environment would be "
            "taken instead of this server's access."
        ),
    )


def _boto3(target: _Target) -> Snippet:
    deed = (
        f's3.download_file({json.dumps(target.repository)}, "folder/file.csv", "file.csv")'
        if target.is_read_only
        else f's3.upload_file("result.csv", {json.dumps(target.repository)}, "results/result.csv")'
    )
    lines = [
        "import boto3",
        "from botocore.config import Config",
        "",
        "s3 = boto3.client(",
        '    "s3",',
        f"    endpoint_url={json.dumps(target.endpoint)},",
        f"    region_name={json.dumps(target.region)},",
        '    config=Config(s3={"addressing_style": "path"}),',
        ")",
        f'for item in s3.list_objects_v2(Bucket={json.dumps(target.repository)}).get("Contents", []):',
        '    print(item["Key"], item["Size"])',
        deed,
    ]
    return Snippet(
        client="boto3",
        title=say("Python (boto3)"),
        filename=None,
        text=_text(lines),
        note=say("The credentials come from this server and are renewed by themselves."),
    )


def _r(target: _Target) -> Snippet:
    # Source: paws, "Setting credentials, region, and endpoint". Double-quoted JSON texts are R texts as well.
    lines = [
        "s3 <- paws::s3(config = list(",
        f"  endpoint = {json.dumps(target.endpoint)},",
        f"  region = {json.dumps(target.region)},",
        "  s3_force_path_style = TRUE",
        "))",
        f's3$download_file(Bucket = {json.dumps(target.repository)}, Key = "folder/file.csv", Filename = "file.csv")',
        'data <- read.csv("file.csv")',
    ]
    return Snippet(
        client="r",
        title=say("R (paws)"),
        filename=None,
        text=_text(lines),
        note=say("The credentials come from this server. On a mount, read.csv() and friends need nothing of this."),
    )


def _duckdb(target: _Target) -> Snippet:
    # Source: DuckDB, "S3 API Support" and "AWS Extension": the chain `instance` is the metadata service.
    lines = [
        "INSTALL httpfs; INSTALL aws; LOAD httpfs; LOAD aws;",
        "CREATE SECRET (TYPE s3, PROVIDER credential_chain, CHAIN 'instance', REFRESH auto,",
        f"    ENDPOINT '{place(target.endpoint)}', USE_SSL {str(is_encrypted(target.endpoint)).lower()},",
        f"    URL_STYLE 'path', REGION '{target.region}');",
        f"FROM read_csv('s3://{target.repository}/folder/*.csv') LIMIT 10;",
    ]
    return Snippet(
        client="duckdb",
        title=say("DuckDB"),
        filename=None,
        text=_text(lines),
        note=say(
            "INSTALL fetches the two extensions once; on a server that reaches nothing else, "
            "read from a mount: FROM read_csv('/mnt/…/*.csv')."
        ),
    )


def _powershell(target: _Target) -> Snippet:
    return Snippet(
        client="powershell",
        title=say("Mount on Windows"),
        filename=None,
        text=f"New-S3RcloneDrive -BucketName {target.repository}\n",
        note=say(
            "In a PowerShell with elevated rights, with Strongroom's module. The drive comes "
            "back after a reboot; `Remove-S3RcloneDrive -BucketName {repository}` takes it away.",
            repository=target.repository,
        ),
    )


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


_BUILDERS: tuple[Callable[[_Target], Snippet], ...] = (
    _strongroom,
    _s3fs,
    _s3fs_fstab,
    _rclone,
    _rclone_commands,
    _aws,
    _boto3,
    _r,
    _duckdb,
    _powershell,
)
