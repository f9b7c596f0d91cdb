"""Ready-made settings of S3 clients for exactly one bucket on one endpoint.

Refuses to know the secret: every text says where it goes, none holds it.
"""

import json
import plistlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from strongroom.core.connect_values import checked_values, is_amazon, is_encrypted
from strongroom.core.sentences import Sentence, say

ACCESS_KEY_PLACEHOLDER = "PASTE-THE-ACCESS-KEY-ID-HERE"
SECRET_PLACEHOLDER = "PASTE-THE-SECRET-HERE"

_BUT_ATTACHMENTS = "--exclude '_attachments/*'"


@dataclass(frozen=True, slots=True)
class Snippet:
    """Settings of one client. `filename` is the file the text belongs in, or None for commands and tables."""

    client: str
    title: Sentence
    filename: str | None
    text: str
    note: Sentence


@dataclass(frozen=True, slots=True)
class _Target:
    repository: str
    endpoint: str
    region: str
    access_key_id: str | None
    profile: str

    @property
    def key(self) -> str:
        return self.access_key_id or ACCESS_KEY_PLACEHOLDER

    @property
    def is_encrypted(self) -> bool:
        return is_encrypted(self.endpoint)

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.endpoint).port or (443 if self.is_encrypted else 80)

    @property
    def is_amazon(self) -> bool:
        return is_amazon(self.endpoint)


def snippets(
    *, repository: str, endpoint: str, region: str, access_key_id: str | None, profile: str = ""
) -> list[Snippet]:
    """The settings of every client we know, simplest first; several may belong to one client.

    `endpoint` is a URL without path. Without an access key (`None`) a placeholder stands in its place. `profile` is
    what the AWS tools are to call it; if empty, as the repository.

    Raises: Invalid when a value holds a character that none of the clients' formats could need.
    """
    called = profile or repository
    values = {} if access_key_id is None else {"access_key_id": access_key_id}
    url = checked_values(repository=repository, endpoint=endpoint, region=region, profile=called, **values)
    target = _Target(repository, url, region, access_key_id, called)
    return [build(target) for build in _BUILDERS]


def _cyberduck(target: _Target) -> Snippet:
    # Source: Cyberduck, HostDictionary.java (the keys) and the connection profiles it ships (the providers).
    profile = "S3 (Deprecated path style requests)" if target.is_encrypted else "S3 (HTTP)"
    bookmark = {
        "Protocol": "s3",
        "Provider": "s3-path-style" if target.is_encrypted else "s3-http",
        "UUID": str(uuid5(NAMESPACE_URL, f"{target.endpoint}/{target.repository}")),
        "Nickname": target.repository,
        "Hostname": target.host,
        "Port": str(target.port),
        "Path": f"/{target.repository}",
        "Custom": {"s3.bucket.virtualhost.disable": "true"},
    }
    if target.access_key_id:
        bookmark["Username"] = target.access_key_id
    return Snippet(
        client="cyberduck",
        title=say("Cyberduck bookmark"),
        filename=f"{target.repository}.duck",
        text=plistlib.dumps(bookmark, sort_keys=False).decode(),
        note=say(
            "In Cyberduck's settings, Profiles, switch on “{profile}” once; then open this file. "
            "Cyberduck asks for the secret (and the access key, if it is not in the bookmark) "
            "and keeps it in the system's keychain.",
            profile=profile,
        ),
    )


def _crossftp(target: _Target) -> Snippet:
    # Source: IBM Cloud Object Storage docs, "Transfer files using CrossFTP".
    rows = {
        "Protocol": "S3/HTTPS" if target.is_encrypted else "S3/HTTP",
        "Label": target.repository,
        "Host": target.host,
        "Port": str(target.port),
        "Access Key": target.key,
        "Secret": "the secret you were shown when the key was made",
        "Remote Path": f"/{target.repository}",
    }
    return Snippet(
        client="crossftp",
        title=say("CrossFTP site"),
        filename=None,
        text="".join(f"{label + ':':<13}{value}\n" for label, value in rows.items()),
        note=say("In the Site Manager make a new site and enter these on the tab General."),
    )


def _aws_config(target: _Target) -> Snippet:
    lines = [
        f"[profile {target.profile}]" if target.profile != "default" else "[default]",
        f"region = {target.region}",
        f"endpoint_url = {target.endpoint}",
        "s3 =",
        "    addressing_style = path",
    ]
    return Snippet(
        client="aws",
        title=say("AWS CLI: profile"),
        filename="~/.aws/config",
        text="\n".join(lines) + "\n",
        note=say("Add these lines to the file. `endpoint_url` needs AWS CLI 1.29 or 2.13, or newer."),
    )


def _aws_credentials(target: _Target) -> Snippet:
    lines = [
        f"[{target.profile}]",
        f"aws_access_key_id = {target.key}",
        f"aws_secret_access_key = {SECRET_PLACEHOLDER}",
    ]
    return Snippet(
        client="aws",
        title=say("AWS CLI: access key"),
        filename="~/.aws/credentials",
        text="\n".join(lines) + "\n",
        note=say(
            "Add these lines to the file, put the secret in place of `{secret}`, and "
            "keep the file private (`chmod 600`).",
            secret=SECRET_PLACEHOLDER,
        ),
    )


def _aws_commands(target: _Target) -> Snippet:
    aws = f"aws --profile {shlex.quote(target.profile)} s3"
    bucket = f"s3://{target.repository}"
    lines = [
        # Without it the request after an empty file stalls for a minute (botocore, "Expect: 100-continue").
        "export BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE=true",
        f"{aws} cp ./file.csv {shlex.quote(bucket + '/file.csv')}",
        f"{aws} sync ./folder {shlex.quote(bucket + '/folder')}",
        f"{aws} ls {shlex.quote(bucket + '/')} --recursive --summarize",
    ]
    return Snippet(
        client="aws",
        title=say("AWS CLI: upload"),
        filename=None,
        text="\n".join(lines) + "\n",
        note=say(
            "Uses the profile and the access key of the two files above. The first line spares a "
            "minute's wait after every empty file. A sync of the whole bucket, with `--delete` "
            "or downwards, needs `{exclude}`: the key sees the names of attachments and "
            "may not touch them.",
            exclude=_BUT_ATTACHMENTS,
        ),
    )


def _powershell(target: _Target) -> Snippet:
    # No value can hold a quotation mark, see `_SHAPES`; PowerShell takes what is between single ones as it is.
    aws, bucket = f"aws --profile '{target.profile}'", f"s3://{target.repository}"
    settings = {
        "region": target.region,
        "endpoint_url": target.endpoint,
        "s3.addressing_style": "path",
        "aws_access_key_id": target.key,
        "aws_secret_access_key": SECRET_PLACEHOLDER,
    }
    lines = [
        *(f"{aws} configure set {name} '{value}'" for name, value in settings.items()),
        "$env:BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE = 'true'",
        f"{aws} s3 cp ./file.csv '{bucket}/file.csv'",
        f"{aws} s3 sync ./folder '{bucket}/folder'",
        f"{aws} s3 ls '{bucket}/' --recursive --summarize",
    ]
    return Snippet(
        client="powershell",
        title=say("PowerShell: upload with the AWS CLI"),
        filename=None,
        text="\n".join(lines) + "\n",
        note=say(
            "For Windows, with the AWS CLI installed. Put the secret in place of "
            "`{secret}`; PowerShell keeps no line with a secret in its history. The "
            "next time the last four lines are enough. A sync of the whole bucket needs "
            "`{exclude}`.",
            secret=SECRET_PLACEHOLDER,
            exclude=_BUT_ATTACHMENTS,
        ),
    )


def _rclone(target: _Target) -> Snippet:
    lines = [
        f"[{target.repository}]",
        "type = s3",
        f"provider = {'AWS' if target.is_amazon else 'Other'}",
        "env_auth = false",
        f"access_key_id = {target.key}",
        f"secret_access_key = {SECRET_PLACEHOLDER}",
        f"region = {target.region}",
        f"endpoint = {target.endpoint}",
        "force_path_style = true",
        # Without it rclone tries to create the bucket, which an access key may not.
        "no_check_bucket = true",
    ]
    return Snippet(
        client="rclone",
        title=say("rclone remote"),
        filename="~/.config/rclone/rclone.conf",
        text="\n".join(lines) + "\n",
        note=say(
            "Add these lines to the file (`rclone config file` says where it is), and put the "
            "secret in place of `{secret}`.",
            secret=SECRET_PLACEHOLDER,
        ),
    )


def _rclone_commands(target: _Target) -> Snippet:
    path = shlex.quote(f"{target.repository}:{target.repository}/folder")
    return Snippet(
        client="rclone",
        title=say("rclone: upload"),
        filename=None,
        text=f"rclone copy --progress ./folder {path}\nrclone check ./folder {path}\n",
        note=say(
            "Uses the remote above. `check` compares what is there with what was sent; for the "
            "whole bucket, add `--exclude '/_attachments/**'`, which the key may not touch."
        ),
    )


def _s5cmd(target: _Target) -> Snippet:
    s5cmd = f"s5cmd --profile {shlex.quote(target.profile)} --endpoint-url {shlex.quote(target.endpoint)}"
    lines = [
        f"export AWS_REGION={shlex.quote(target.region)}",
        f"{s5cmd} cp './folder/*' {shlex.quote(f's3://{target.repository}/folder/')}",
        f"{s5cmd} ls {shlex.quote(f's3://{target.repository}/*')}",
    ]
    return Snippet(
        client="s5cmd",
        title=say("s5cmd"),
        filename=None,
        text="\n".join(lines) + "\n",
        note=say(
            "Reads access key and secret from `~/.aws/credentials`: the page of the AWS CLI shows what stands in it."
        ),
    )


def _s3fs_password(target: _Target) -> Snippet:
    # Source: s3fs(1). A password file that others can read is refused by s3fs itself.
    name = f"~/.passwd-s3fs-{target.repository}"
    return Snippet(
        client="s3fs",
        title=say("s3fs: access key"),
        filename=name,
        text=f"{target.key}:{SECRET_PLACEHOLDER}\n",
        note=say(
            "Put the secret in place of `{secret}`, and make the file private: `chmod 600 {name}`",
            secret=SECRET_PLACEHOLDER,
            name=name,
        ),
    )


def _s3fs(target: _Target) -> Snippet:
    bucket = shlex.quote(target.repository)
    options = f"url={target.endpoint},endpoint={target.region},use_path_request_style,umask=077"
    lines = [
        f'mkdir -p "$HOME"/{bucket}',
        f's3fs {bucket} "$HOME"/{bucket} -o passwd_file="$HOME"/.passwd-s3fs-{bucket} -o {shlex.quote(options)}',
        f'mountpoint "$HOME"/{bucket}',
    ]
    return Snippet(
        client="s3fs",
        title=say("s3fs: mount on Linux"),
        filename=None,
        text="\n".join(lines) + "\n",
        note=say("s3fs says nothing when it could not mount: the last line does. Unmount with `fusermount -u`."),
    )


def _boto3(target: _Target) -> Snippet:
    lines = [
        "import boto3",
        "from botocore.config import Config",
        "",
        f"session = boto3.Session(profile_name={json.dumps(target.profile)})",
        "s3 = session.client(",
        '    "s3",',
        f"    endpoint_url={json.dumps(target.endpoint)},",
        f"    region_name={json.dumps(target.region)},",
        '    config=Config(s3={"addressing_style": "path"}),',
        ")",
        f's3.upload_file("file.csv", {json.dumps(target.repository)}, "folder/file.csv")',
    ]
    return Snippet(
        client="boto3",
        title=say("Python (boto3)"),
        filename=None,
        text="\n".join(lines) + "\n",
        note=say(
            "Reads access key and secret from `~/.aws/credentials`, so that neither stands in your code: "
            "the page of the AWS CLI shows what stands in it."
        ),
    )


def _r(target: _Target) -> Snippet:
    # Source: paws, "Setting credentials, region, and endpoint". Double-quoted JSON texts are R texts as well.
    lines = [
        "s3 <- paws::s3(config = list(",
        f"  credentials = list(profile = {json.dumps(target.profile)}),",
        f"  endpoint = {json.dumps(target.endpoint)},",
        f"  region = {json.dumps(target.region)},",
        "  s3_force_path_style = TRUE",
        "))",
        'content <- readBin("file.csv", "raw", file.size("file.csv"))',
        f's3$put_object(Bucket = {json.dumps(target.repository)}, Key = "folder/file.csv", Body = content)',
    ]
    return Snippet(
        client="r",
        title=say("R (paws)"),
        filename=None,
        text="\n".join(lines) + "\n",
        note=say(
            "Reads access key and secret from `~/.aws/credentials`, so that neither stands in your code: "
            "the page of the AWS CLI shows what stands in it."
        ),
    )


_BUILDERS: tuple[Callable[[_Target], Snippet], ...] = (
    _cyberduck,
    _aws_config,
    _aws_credentials,
    _aws_commands,
    _powershell,
    _rclone,
    _rclone_commands,
    _s5cmd,
    _s3fs_password,
    _s3fs,
    _crossftp,
    _boto3,
    _r,
)
