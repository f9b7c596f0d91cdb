"""What we print for a server holds no key and no place for one, names one bucket, and is what the manual says."""

import ast
import re
import subprocess

import pytest

from strongroom.core.connect import ACCESS_KEY_PLACEHOLDER, SECRET_PLACEHOLDER, Snippet
from strongroom.core.connect_servers import server_snippets
from strongroom.core.errors import Invalid

REPOSITORY = "dataset-uni-9ec7c0b6-a6c6-488c-a856-75d94c86e136"
ENDPOINT = "http://127.0.0.1:9000"


def made(*, is_read_only: bool = True, **changes: str) -> list[Snippet]:
    values = {"repository": REPOSITORY, "endpoint": ENDPOINT, "region": "us-east-1"} | changes
    return server_snippets(**values, is_read_only=is_read_only)


def only(client: str, number: int = 0, *, is_read_only: bool = True, **changes: str) -> str:
    return [each.text for each in made(is_read_only=is_read_only, **changes) if each.client == client][number]


def test_every_client_of_the_list_is_there_and_the_recommended_way_first() -> None:
    assert list(dict.fromkeys(each.client for each in made())) == [
        "strongroom", "s3fs", "rclone", "aws", "boto3", "r", "duckdb", "powershell",
    ]  # fmt: skip


@pytest.mark.parametrize("is_read_only", [True, False])
def test_no_text_holds_a_key_or_another_bucket(is_read_only: bool) -> None:
    texts = "".join(each.text for each in made(is_read_only=is_read_only))
    assert all(REPOSITORY in each.text for each in made(is_read_only=is_read_only))
    assert not re.search(f"{ACCESS_KEY_PLACEHOLDER}|{SECRET_PLACEHOLDER}|access_key_id|secret_access|passwd", texts)
    assert set(re.findall(r"s3://([^/'\"\s]*)", texts)) == {REPOSITORY}


def test_the_s3fs_command_is_the_one_of_the_manual_with_the_endpoint_added() -> None:
    command = only("s3fs").splitlines()[1]
    assert command == (
        "sudo s3fs -o iam_role=auto -o allow_other -o umask=002,uid=$UID "
        f"-o url={ENDPOINT},use_path_request_style,endpoint=us-east-1 {REPOSITORY} /mnt/{REPOSITORY}"
    )


def test_the_line_for_fstab_waits_for_the_network_and_the_agent() -> None:
    source, point, kind, options, dump, order = only("s3fs", 1).split()
    assert (source, point, kind, dump, order) == (REPOSITORY, f"/mnt/{REPOSITORY}", "fuse.s3fs", "0", "0")
    assert {"_netdev", "nofail", "iam_role=auto", "ro", "x-systemd.after=strongroom.service"} <= set(options.split(","))
    assert "ro" not in only("s3fs", 1, is_read_only=False).split()[3].split(",")


def test_examples_for_an_original_do_not_write() -> None:
    reading, writing = "".join(each.text for each in made()), only("aws", is_read_only=False)
    assert "sync ./results" in writing and "BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE" in writing
    assert not re.search(r"upload_file|sync \./|rclone copy --progress \./|put_object", reading)
    assert "--read-only" in only("rclone", 1) and "--read-only" not in only("rclone", 1, is_read_only=False)


@pytest.mark.parametrize("is_read_only", [True, False])
def test_every_text_is_one_of_its_language(is_read_only: bool) -> None:
    for each in made(is_read_only=is_read_only):
        if each.client in {"strongroom", "aws", "s3fs"} and "fstab" not in each.title:
            subprocess.run(["bash", "-n"], input=each.text, text=True, check=True, timeout=60)
    ast.parse(only("boto3", is_read_only=is_read_only))


@pytest.mark.parametrize(
    ("endpoint", "place", "has_tls"),
    [(ENDPOINT, "127.0.0.1:9000", "false"), ("https://s3.uni.example/", "s3.uni.example", "true")],
)
def test_duckdb_is_told_the_place_without_the_scheme(endpoint: str, place: str, has_tls: str) -> None:
    assert f"ENDPOINT '{place}', USE_SSL {has_tls}" in only("duckdb", endpoint=endpoint)


@pytest.mark.parametrize(
    "changes",
    [{"repository": "a'; rm -rf ~; '"}, {"endpoint": "http://$(id)"}, {"endpoint": "http://x/y"}, {"region": "a b"}],
)
def test_a_value_that_could_mean_something_else_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        made(**changes)
    assert list(refused.value.fields) == list(changes)
