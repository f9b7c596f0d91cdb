"""The settings we print are accepted by the clients they are for, name exactly one bucket, and hold no secret."""

import ast
import json
import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.core.connect import ACCESS_KEY_PLACEHOLDER, SECRET_PLACEHOLDER, Snippet, snippets
from strongroom.core.errors import Invalid

REPOSITORY = "dataset-uni-9ec7c0b6-a6c6-488c-a856-75d94c86e136"
ENDPOINT = "http://127.0.0.1:9000"
KEY = "AKIAIOSFODNN7EXAMPLE"


def made(**changes: str | None) -> list[Snippet]:
    values: dict[str, Any] = {
        "repository": REPOSITORY,
        "endpoint": ENDPOINT,
        "region": "us-east-1",
        "access_key_id": KEY,
    } | changes
    return snippets(**values)


def only(client: str, filename: str | None = "", **changes: str | None) -> Snippet:
    found = [each for each in made(**changes) if each.client == client and filename in ("", each.filename)]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder in which each text was put into the file it names, with a secret."""
    for each in made():
        if each.filename and each.filename.startswith("~/"):
            path = tmp_path / each.filename.removeprefix("~/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(each.text.replace(SECRET_PLACEHOLDER, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
    return tmp_path


def run(home: Path, *command: str) -> str:
    program = shutil.which(command[0], path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert program, f"{command[0]} is needed for this test: install requirements-dev.lock"
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [program, *command[1:]], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_client_of_the_list_is_there() -> None:
    assert {each.client for each in made()} == {
        "aws", "rclone", "s5cmd", "cyberduck", "crossftp", "s3fs", "boto3", "r", "powershell",
    }  # fmt: skip


@pytest.mark.parametrize("endpoint", [ENDPOINT, "https://s3.uni.example", "https://s3.eu-west-1.amazonaws.com/"])
@pytest.mark.parametrize("access_key_id", [KEY, None])
def test_every_text_says_where_the_secret_goes_and_names_no_other_bucket(
    endpoint: str, access_key_id: str | None
) -> None:
    told: dict[str, str] = {}
    for each in made(endpoint=endpoint, access_key_id=access_key_id):
        assert REPOSITORY in each.text + (each.filename or "")
        told[each.client] = told.get(each.client, "") + each.text + each.note
    assert [client for client, text in told.items() if "secret" not in text.lower()] == []
    everything = "".join(each.text for each in made(endpoint=endpoint, access_key_id=access_key_id))
    assert set(re.findall(r"s3://([^/'\"\s]*)", everything)) == {REPOSITORY}
    assert (KEY in everything) == (access_key_id is not None)
    assert (ACCESS_KEY_PLACEHOLDER in everything) == (access_key_id is None)


def test_the_real_rclone_reads_the_remote(home: Path) -> None:
    assert run(home, "rclone", "listremotes").split() == [f"{REPOSITORY}:"]
    shown = json.loads(run(home, "rclone", "config", "dump"))[REPOSITORY]
    assert shown == {
        "type": "s3",
        "provider": "Other",
        "env_auth": "false",
        "access_key_id": KEY,
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "region": "us-east-1",
        "endpoint": ENDPOINT,
        "force_path_style": "true",
        "no_check_bucket": "true",
    }


def test_rclone_knows_every_option_and_the_provider(home: Path) -> None:
    (s3,) = [each for each in json.loads(run(home, "rclone", "config", "providers")) if each["Name"] == "s3"]
    options = {option["Name"]: option for option in s3["Options"]}
    for endpoint, provider in [(ENDPOINT, "Other"), ("https://s3.eu-west-1.amazonaws.com", "AWS")]:
        lines = only("rclone", "~/.config/rclone/rclone.conf", endpoint=endpoint).text.splitlines()[2:]
        assert f"provider = {provider}" in lines
        assert {line.partition(" = ")[0] for line in lines} <= options.keys()
    assert {"Other", "AWS"} <= {example["Value"] for example in options["provider"]["Examples"]}


def test_botocore_reads_the_profile_and_the_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    session = botocore.session.Session(profile=REPOSITORY)
    assert session.get_scoped_config()["s3"] == {"addressing_style": "path"}
    credentials = session.get_credentials()
    assert (credentials.access_key, credentials.secret_key[:4]) == (KEY, "wJal")
    client = session.create_client("s3")
    assert (client.meta.endpoint_url, client.meta.region_name) == (ENDPOINT, "us-east-1")
    url = client.generate_presigned_url("get_object", Params={"Bucket": REPOSITORY, "Key": "a"})
    assert url.startswith(f"{ENDPOINT}/{REPOSITORY}/a?")


def test_the_lines_for_powershell_make_the_same_profile(home: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    lines = only("powershell").text.splitlines()
    for line in lines[:5]:
        run(fresh, *shlex.split(line.replace(SECRET_PLACEHOLDER, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")))
    for name in ("region", "endpoint_url", "s3.addressing_style", "aws_access_key_id", "aws_secret_access_key"):
        asked = ("aws", "configure", "get", name, "--profile", REPOSITORY)
        assert run(fresh, *asked) == run(home, *asked) != ""
    commands = [shlex.split(line) for line in only("aws", None).text.splitlines()[1:]]
    assert [shlex.split(line) for line in lines[6:]] == commands
    assert not any(sign in line for line in lines for sign in '"`\\')  # what PowerShell would take another way


def test_no_note_speaks_of_what_stands_on_another_page() -> None:
    for each in made():
        is_alone = len([other for other in made() if other.client == each.client]) == 1
        assert not (is_alone and "above" in each.note), each


def test_the_aws_command_line_reads_the_profile(home: Path) -> None:
    assert run(home, "aws", "configure", "get", "endpoint_url", "--profile", REPOSITORY).strip() == ENDPOINT
    assert run(home, "aws", "configure", "get", "aws_access_key_id", "--profile", REPOSITORY).strip() == KEY


def test_the_python_lines_make_a_client_of_this_endpoint(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    tree = ast.parse(only("boto3").text)
    upload = tree.body.pop()
    assert ast.unparse(upload) == f"s3.upload_file('file.csv', '{REPOSITORY}', 'folder/file.csv')"
    names: dict[str, Any] = {}
    exec(compile(tree, "snippet", "exec"), names)
    assert names["s3"].meta.endpoint_url == ENDPOINT


@pytest.mark.parametrize(
    ("endpoint", "provider", "host", "port"),
    [
        (ENDPOINT, "s3-http", "127.0.0.1", "9000"),
        ("http://store.uni.example", "s3-http", "store.uni.example", "80"),
        ("https://store.uni.example/", "s3-path-style", "store.uni.example", "443"),
        ("https://[2001:db8::1]:8443", "s3-path-style", "2001:db8::1", "8443"),
    ],
)
def test_the_cyberduck_bookmark_is_a_property_list_for_this_bucket(
    endpoint: str, provider: str, host: str, port: str
) -> None:
    snippet = only("cyberduck", endpoint=endpoint)
    bookmark = plistlib.loads(snippet.text.encode())
    assert snippet.filename == f"{REPOSITORY}.duck"
    uuid = bookmark.pop("UUID")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid)
    assert uuid in only("cyberduck", endpoint=endpoint).text, "the same bookmark each time, not a new one"
    assert bookmark == {
        "Protocol": "s3",
        "Provider": provider,
        "Nickname": REPOSITORY,
        "Hostname": host,
        "Port": port,
        "Username": KEY,
        "Path": f"/{REPOSITORY}",
        "Custom": {"s3.bucket.virtualhost.disable": "true"},
    }
    assert "Username" not in plistlib.loads(only("cyberduck", access_key_id=None).text.encode())


def test_the_crossftp_table_follows_the_scheme() -> None:
    for endpoint, expected in [
        (ENDPOINT, ["S3/HTTP", "127.0.0.1", "9000"]),
        ("https://x.example", ["S3/HTTPS", "443"]),
    ]:
        text = only("crossftp", endpoint=endpoint).text
        values = dict(line.split(":", 1) for line in text.splitlines())
        assert values["Remote Path"].strip() == f"/{REPOSITORY}"
        assert set(expected) <= {value.strip() for value in values.values()}


def test_s5cmd_knows_the_options(home: Path) -> None:
    copy, listing = only("s5cmd").text.splitlines()[1:]
    # --dry-run goes through the whole command line without a request for the copy of a local file.
    (home / "folder").mkdir()
    (home / "folder" / "a.csv").write_text("a")
    words = shlex.split(copy.replace("./folder", str(home / "folder")))
    shown = run(home, words[0], "--retry-count", "0", "--dry-run", *words[1:])
    assert f"s3://{REPOSITORY}/folder/a.csv" in shown
    assert shlex.split(listing)[-1] == f"s3://{REPOSITORY}/*"


def test_the_s3fs_password_file_is_key_and_secret_and_the_mount_uses_it(home: Path) -> None:
    (password_file,) = [each.filename for each in made() if each.client == "s3fs" and each.filename]
    assert (home / password_file.removeprefix("~/")).read_text().startswith(f"{KEY}:wJal")
    mount = shlex.split(only("s3fs", None).text.splitlines()[1].replace('"$HOME"', "~"))
    assert mount[:3] == ["s3fs", REPOSITORY, f"~/{REPOSITORY}"]
    assert f"passwd_file={password_file}" in mount
    assert mount[-1] == f"url={ENDPOINT},endpoint=us-east-1,use_path_request_style,umask=077"


def test_every_line_for_a_shell_is_one_command(home: Path) -> None:
    for each in made():
        if each.client in {"aws", "s5cmd", "s3fs"} and each.filename is None:
            subprocess.run(["bash", "-n"], input=each.text, text=True, check=True, timeout=60)


@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "a'; rm -rf ~; '"},
        {"repository": "../x"},
        {"repository": "UPPER"},
        {"endpoint": "http://x\n[other]"},
        {"endpoint": "http://x/path"},
        {"endpoint": "http://user:pass@x"},
        {"endpoint": "http://"},
        {"endpoint": "http://x:0"},
        {"endpoint": "http://x:99999"},
        {"endpoint": "file:///etc"},
        {"endpoint": "http://$(id)"},
        {"region": "a b"},
        {"region": ""},
        {"access_key_id": "a\nb"},
        {"access_key_id": "<b>"},
        {"access_key_id": ""},
        {"access_key_id": "$(id)"},
    ],
)
def test_a_value_that_could_mean_something_else_to_a_client_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        made(**changes)
    assert list(refused.value.fields) == list(changes)


@given(st.text(max_size=20), st.sampled_from(["repository", "endpoint", "region", "access_key_id"]))
def test_whatever_is_accepted_cannot_break_out_of_a_line_a_string_or_an_element(value: str, field: str) -> None:
    try:
        texts = made(**{field: value if field != "endpoint" else f"http://{value}"})
    except Invalid:
        return
    assert not set(value) & set("\n\r\0\"'`$\\<>&;|*?(){}#% \t")
    assert len(texts) == len(made())
