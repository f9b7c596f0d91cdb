"""The whole story of one data set, told with real clients; each part returns what the next one needs."""

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from strongroom.core import receipt, sshsig
from tests.journeys.api import Study
from tests.journeys.clients import Machine
from tests.journeys.system import System

AGREEMENT = b"%PDF-1.7 The recipient shall not try to identify anybody.\n" * 50


@dataclass
class Told:
    """What was uploaded: size and hexadecimal MD5 by key; and the multipart upload that was begun and left."""

    system: System
    study: Study
    machine: Machine
    uploaded: dict[str, tuple[int, str]] = field(default_factory=dict)
    upload_id: str = ""

    def sent(self, key: str, content: bytes) -> bytes:
        """Remember what is sent under this key."""
        self.uploaded[key] = (len(content), hashlib.md5(content).hexdigest())
        return content


def upload(told: Told, *, files: int, big_bytes: int) -> None:
    """With every client, as printed. rclone first: its check compares whole folders."""
    machine, bucket = told.machine, told.study.repository
    small = {f"r{n}.csv": told.sent(f"folder/r{n}.csv", f"rclone,{n}\n".encode() * 100) for n in range(20)}
    rclone = machine.place("rclone", **small)
    copy, check = machine.rclone_commands()
    machine.ok(copy, rclone)
    machine.ok(check, rclone)
    (rclone / "folder" / "r0.csv").write_bytes(b"something else")
    assert machine.run(check, rclone).returncode != 0, "rclone check sees no difference"

    many = {f"a{n}.csv": told.sent(f"folder/a{n}.csv", f"aws,{n}\n".encode() * (n + 1)) for n in range(files - 1)}
    aws = machine.place("aws", **many, big=told.sent("folder/big", os.urandom(big_bytes)))
    (aws / "file.csv").write_bytes(told.sent("file.csv", b"one,file\n"))
    listed = machine.ok(machine.printed["AWS CLI: upload"], aws)
    assert f"Total Objects: {len(told.uploaded)}".encode() in listed

    s5cmd = machine.place("s5cmd", **{"s.csv": told.sent("folder/s.csv", b"s5cmd\n")})
    assert b"folder/s.csv" in machine.ok(machine.printed["s5cmd"], s5cmd)
    boto3 = machine.place("boto3")
    (boto3 / "file.csv").write_bytes(told.sent("folder/file.csv", b"boto3\n"))
    (boto3 / "upload.py").write_text(machine.printed["Python (boto3)"])
    machine.ok("python upload.py", boto3)
    (machine.folder / "c.csv").write_bytes(told.sent("c.csv", b"curl\n"))
    machine.ok(machine.curl("c.csv", "-T", "c.csv"))
    begun = machine.ok(f"aws --profile {bucket} s3api create-multipart-upload --bucket {bucket} --key late.bin")
    told.upload_id = json.loads(begun)["UploadId"]


def compare(told: Told) -> None:
    """Each client reads what another one wrote."""
    machine, bucket = told.machine, told.study.repository
    aws, s5cmd, rclone = _clients(told)
    machine.ok(f"{aws} s3 cp s3://{bucket}/folder/big back")
    back = (machine.folder / "back").read_bytes()
    assert (len(back), hashlib.md5(back).hexdigest()) == told.uploaded["folder/big"]
    assert machine.ok(f"{s5cmd} cat s3://{bucket}/c.csv") == b"curl\n"
    assert machine.ok(f"{rclone} cat {bucket}:{bucket}/file.csv") == b"one,file\n"
    assert machine.ok(machine.curl("folder/file.csv")) == b"boto3\n"
    body = told.system.s3(told.study).get_object(Bucket=bucket, Key="folder/s.csv")["Body"]
    assert body.read() == b"s5cmd\n"
    machine.ok(f"{aws} s3 sync s3://{bucket}/folder ./all")
    for key, (size, md5) in told.uploaded.items():
        if key.startswith("folder/"):
            content = (machine.folder / "all" / key.removeprefix("folder/")).read_bytes()
            assert (len(content), hashlib.md5(content).hexdigest()) == (size, md5), key


def attach(told: Told) -> str:
    """An agreement, opened by its link by somebody without any key: the link."""
    api, path = told.study.api, f"{told.study.path}/attachments"
    made = api.attach(path, "Agreement é.pdf", AGREEMENT, title="Agreement", kind="data-use-agreement")
    assert made["sha256"] == hashlib.sha256(AGREEMENT).hexdigest()
    url: str = api.post(f"{path}/{made['id']}/link")["url"]
    opened = httpx.get(url, timeout=60)
    assert (opened.status_code, opened.content) == (200, AGREEMENT)
    assert "filename*=UTF-8''Agreement%20%C3%A9.pdf" in opened.headers["content-disposition"]
    longer = url.replace("X-Amz-Expires=", "X-Amz-Expires=9")
    assert longer != url
    assert httpx.get(longer, timeout=60).status_code == 403
    assert httpx.get(url.partition("?")[0], timeout=60).status_code == 403
    return url


def finalize(told: Told) -> dict[str, Any]:
    """And what is shown then; the answer of the call already holds."""
    answered = told.study.finalize()
    assert answered["state"] == "finalizing"
    assert told.system.s3_is_dead(told.study)
    shown: dict[str, Any] = told.system.settled(told.study)
    return shown


def prove(told: Told, shown: dict[str, Any]) -> None:
    """The manifest lists what was uploaded and nothing else, and the signed receipt says so."""
    api, path = told.study.api, told.study.path
    body = api.bytes(f"{path}/manifest/download")
    entries = {each["key"]: each for each in map(json.loads, body.split(b"\n")[:-1])}
    assert {key: each["size_bytes"] for key, each in entries.items()} == {k: v[0] for k, v in told.uploaded.items()}
    with_md5 = {key: each["checksum"] for key, each in entries.items() if each["checksum"]}
    assert with_md5 == {key: f"md5:{told.uploaded[key][1]}" for key in with_md5}
    assert set(entries) - set(with_md5) == {"folder/big"}
    manifest = told.machine.folder / "manifest.jsonl"
    manifest.write_bytes(body)
    root = told.machine.ok("sha256sum manifest.jsonl").split()[0].decode()
    signed = api.get(f"{path}/receipt")
    said = receipt.decode(signed["receipt"])
    assert said.manifest_root_sha256 == shown["manifest_sha256"] == root
    assert (said.object_count, str(said.dataset_id)) == (len(told.uploaded), told.study.id)
    assert [each.sha256 for each in said.attachments] == [hashlib.sha256(AGREEMENT).hexdigest()]
    assert _is_signed(told.machine.folder, signed, signed["receipt"])
    assert not _is_signed(told.machine.folder, signed, signed["receipt"].replace(root, "0" * 64))


def try_everything(told: Told) -> None:
    """Write, overwrite, delete, go on with a multipart upload, change the policy, read: with every client."""
    machine, bucket = told.machine, told.study.repository
    aws, s5cmd, rclone = _clients(told)
    (machine.folder / "evil.csv").write_bytes(b"evil")
    mine = f"s3://{bucket}"
    for target in ("evil.csv", "file.csv"):
        machine.refused(f"{aws} s3 cp evil.csv {mine}/{target}")
        machine.refused(f"{s5cmd} --retry-count 0 cp evil.csv {mine}/{target}")
        machine.refused(f"{rclone} copyto evil.csv {bucket}:{bucket}/{target}")
        machine.refused(machine.curl(target, "-T", "evil.csv"))
    for remove in (f"{aws} s3 rm {mine}/c.csv", f"{s5cmd} --retry-count 0 rm {mine}/c.csv"):
        machine.refused(remove)
    machine.refused(f"{rclone} deletefile {bucket}:{bucket}/c.csv")
    machine.refused(machine.curl("c.csv", "-X", "DELETE"))
    for read in (f"{aws} s3 cp {mine}/c.csv -", f"{aws} s3 ls {mine}/", f"{s5cmd} --retry-count 0 cat {mine}/c.csv"):
        machine.refused(read)
    machine.refused(f"{rclone} cat {bucket}:{bucket}/c.csv")
    machine.refused(machine.curl("c.csv"))
    resume = f"--bucket {bucket} --key late.bin --upload-id {told.upload_id}"
    machine.refused(f"{aws} s3api upload-part {resume} --part-number 1 --body evil.csv")
    machine.refused(f"{aws} s3api complete-multipart-upload {resume}")
    machine.refused(f"{aws} s3api put-bucket-policy --bucket {bucket} --policy '{{}}'")
    machine.refused(f"{aws} s3api delete-bucket-policy --bucket {bucket}")


def _clients(told: Told) -> tuple[str, str, str]:
    profile = told.study.repository
    return (
        f"aws --profile {profile}",
        f"AWS_REGION={told.study.region} s5cmd --profile {profile} --endpoint-url {told.study.endpoint}",
        "rclone --retries 1 --low-level-retries 1",
    )


def _is_signed(folder: Path, signed: dict[str, str], text: str) -> bool:
    """Whether ssh-keygen says so, with nothing but the published key."""
    (folder / "signers").write_text(signed["allowed_signers"].rstrip("\n") + "\n")
    (folder / "receipt.sig").write_text(signed["signature"])
    identity = signed["allowed_signers"].split()[0]
    command = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", identity, "-n", sshsig.NAMESPACE]
    done = subprocess.run([*command, "-s", "receipt.sig"], input=text.encode(), cwd=folder, capture_output=True)
    return done.returncode == 0
