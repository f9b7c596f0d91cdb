"""The clients people use work on a server with no key configured: whatever they ask, they find."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.network import as_user
from tests.agent.room import until
from tests.agent.site import NOBODY, SCRIPTS, Server, Site, agent, python_for_everybody

_BOTO = """
import sys, boto3
from botocore.config import Config
session = boto3.Session(region_name="us-east-1")
found = session.get_credentials()
s3 = session.client("s3", endpoint_url=sys.argv[1], config=Config(s3={"addressing_style": "path"}))
print(found.method, s3.get_object(Bucket=sys.argv[2], Key="first/1.csv")["Body"].read().decode().strip())
"""


@pytest.fixture(scope="module", autouse=True)
def reading(serving: Server, place: Site) -> str:
    """The repository of the original, once the server reads it."""
    return place.original.repository


def boto(place: Site, repository: str, *command: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    words = [*(command or (str(SCRIPTS / "python"),)), "-c", _BOTO, place.system.gateway, repository]
    return place.machine.run(*words, environ=place.environ(**environ))


def test_boto3_finds_the_session_by_itself(place: Site, reading: str) -> None:
    done = boto(place, reading)
    assert done.stdout == "iam-role row 1\n", done.stderr


def test_the_aws_cli_lists_reads_and_may_not_write_an_original(place: Site, reading: str, tmp_path: Path) -> None:
    aws = [str(SCRIPTS / "aws"), "--endpoint-url", place.system.gateway, "s3"]
    environ = place.environ(BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE="true")
    listed = place.machine.run(*aws, "ls", f"s3://{reading}/first/", environ=environ)
    assert [line.split()[-1] for line in listed.stdout.splitlines()] == ["0.csv", "1.csv", "2.csv"], listed.stderr
    place.machine.run(*aws, "cp", f"s3://{reading}/first/2.csv", str(tmp_path / "2.csv"), environ=environ)
    assert (tmp_path / "2.csv").read_text() == "row 2\n"
    written = place.machine.run(*aws, "cp", str(tmp_path / "2.csv"), f"s3://{reading}/new.csv", environ=environ)
    assert written.returncode and "AccessDenied" in written.stderr


def test_s3fs_mounts_with_iam_role_auto_taken_literally(place: Site, reading: str) -> None:
    point = place.folder / "s3fs"
    point.mkdir()
    options = f"iam_role=auto,url={place.system.gateway},endpoint=us-east-1,use_path_request_style,ro"
    mounted = place.machine.run("s3fs", reading, str(point), "-o", options, environ=place.environ())
    assert mounted.returncode == 0, mounted.stderr
    try:
        until(point.is_mount, "the mount")
        assert (point / "first" / "1.csv").read_text() == "row 1\n"
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)


def test_rclone_reads_with_env_auth(place: Site, reading: str) -> None:
    remote = f":s3,provider=Other,env_auth=true,no_check_bucket=true,endpoint='{place.system.gateway}':{reading}"
    done = place.machine.run(str(SCRIPTS / "rclone"), "cat", f"{remote}/first/0.csv", environ=place.environ())
    assert done.stdout == "row 0\n", done.stderr


_DUCKDB = """
import sys, duckdb
from importlib.metadata import files
duckdb.sql("set autoinstall_known_extensions = false")
for name in ("httpfs", "aws"):
    carried = [each for each in files(f"duckdb-ext-{name}") if each.suffix == ".duckdb_extension"]
    duckdb.sql(f"load '{carried[0].locate()}'")
place = f"endpoint '{sys.argv[1]}', url_style path, use_ssl false"
duckdb.sql(f"create secret (type s3, provider credential_chain, {place})")
print(duckdb.sql(f"select * from read_csv('s3://{sys.argv[2]}/first/*.csv', header = false) order by 1").fetchall())
"""


def test_duckdb_reads_by_its_credential_chain(place: Site, reading: str) -> None:
    gateway = place.system.gateway.removeprefix("http://")
    done = place.machine.run(sys.executable, "-c", _DUCKDB, gateway, reading, environ=place.environ())
    assert done.stdout == "[('row 0',), ('row 1',), ('row 2',)]\n", done.stderr


def test_clients_of_a_user_root_did_not_choose_find_nothing(serving: Server, place: Site, reading: str) -> None:
    rclone = shutil.copy(SCRIPTS / "rclone", place.folder / "rclone")
    remote = f":s3,provider=Other,env_auth=true,no_check_bucket=true,endpoint='{place.system.gateway}':{reading}"
    words = (rclone, "--retries=1", "--low-level-retries=1", "cat", f"{remote}/first/0.csv")
    refused = place.machine.run(*words, environ=place.environ(), user=NOBODY)
    assert refused.returncode and "row" not in refused.stdout
    serving.configure(users=["nobody"])
    try:
        assert place.machine.run(*words, environ=place.environ(), user=NOBODY).stdout == "row 0\n"
    finally:
        serving.configure()


def test_a_command_gives_the_session_to_whoever_asks_one(serving: Server, place: Site, reading: str) -> None:
    home = place.folder / "process"
    (home / ".aws").mkdir(parents=True)
    command = " ".join(serving.command("credentials"))
    (home / ".aws" / "config").write_text(f"[default]\ncredential_process = {command}\n")
    done = boto(place, reading, HOME=str(home), AWS_EC2_METADATA_DISABLED="true")
    assert done.stdout == "custom-process row 1\n", done.stderr
    assert json.loads(serving.run("credentials").stdout)["Version"] == 1


def test_the_command_refuses_who_was_not_chosen(serving: Server) -> None:
    done = serving.run_as(NOBODY, "credentials")
    assert done.returncode == 1
    assert "answers root, not nobody" in done.stderr


@pytest.fixture(scope="module")
def with_url(place: Site) -> Iterator[Server]:
    """A server without metadata service, as on Windows: it has the container-credentials URL."""
    with agent(place.server()) as server:
        server.configure(imds_address="off", credentials_port=9913, groups=["nogroup"])
        server.join().started()
        server.grant(place.original)
        yield server


def exported(server: Server, user: int | None = None) -> dict[str, str]:
    words = ("credentials", "--export")
    done = server.run(*words) if user is None else server.run_as(user, *words)
    assert done.returncode == 0, done.stderr
    return dict(line.removeprefix("export ").split("=", 1) for line in done.stdout.splitlines())


def test_boto3_uses_the_container_credentials_url(with_url: Server, place: Site, reading: str) -> None:
    done = boto(place, reading, AWS_EC2_METADATA_DISABLED="true", **exported(with_url))
    assert done.stdout == "container-role row 1\n", done.stderr


def test_rclone_uses_the_container_credentials_url(with_url: Server, place: Site, reading: str) -> None:
    remote = f":s3,provider=Other,env_auth=true,no_check_bucket=true,endpoint='{place.system.gateway}':{reading}"
    environ = place.environ(AWS_EC2_METADATA_DISABLED="true", **exported(with_url))
    done = place.machine.run(str(SCRIPTS / "rclone"), "cat", f"{remote}/first/0.csv", environ=environ)
    assert done.stdout == "row 0\n", done.stderr


def test_the_url_gives_nothing_without_the_token_or_to_another_user(with_url: Server, place: Site) -> None:
    told = exported(with_url)
    url, token = told["AWS_CONTAINER_CREDENTIALS_FULL_URI"], Path(told["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
    shown = ("-H", f"Authorization: {token.read_text()}")
    assert "AccessKeyId" in place.ask("", *shown, base=url).text
    assert place.ask("", base=url).status == 401
    assert place.ask("", "-H", "Authorization: x", base=url).status == 401
    assert place.ask("/more", *shown, base=url).status == 404
    assert place.ask("", *shown, base=url, user=NOBODY - 1).status == 403


def test_the_token_is_readable_to_the_chosen_group_and_to_nobody_else(with_url: Server, place: Site) -> None:
    file = exported(with_url, NOBODY)["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
    assert Path(file).name == "group-nogroup"
    script = f"print(len(open({file!r}).read()))"
    done = subprocess.run([*as_user(NOBODY - 1), python_for_everybody(), "-c", script], capture_output=True, text=True)
    assert "Permission denied" in done.stderr
    assert "No file with a token" in with_url.run_as(NOBODY - 1, "credentials", "--export").stderr
