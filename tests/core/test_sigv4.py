"""Requests are signed as AWS prints them in its documentation, and as its own client does, whatever they hold."""

from datetime import datetime
from unittest.mock import patch  # of botocore's clock, not of ours

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from strongroom.core.sigv4 import EMPTY_SHA256, UNSIGNED, Key, host_of, path_of, query_of, signed

HOST = "examplebucket.s3.amazonaws.com"
PRINTED = Key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
AT = "20130524T000000Z"
PUT_SHA256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
PUT_HEADERS = {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "payload", "signature"),
    [
        (
            *("GET", path_of("test.txt"), "", {"range": "bytes=0-9"}, EMPTY_SHA256),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            *("PUT", path_of("test$file.text"), "", PUT_HEADERS, PUT_SHA256),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            *("GET", "/", query_of([("lifecycle", "")]), {}, EMPTY_SHA256),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            *("GET", "/", query_of([("prefix", "J"), ("max-keys", "2")]), {}, EMPTY_SHA256),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_the_examples_of_aws_come_out_as_printed(
    method: str, path: str, query: str, headers: dict[str, str], payload: str, signature: str
) -> None:
    found = signed(
        PRINTED, method, path, query, {"host": HOST, **headers}, payload_sha256=payload, at=AT, region="us-east-1"
    )
    assert found["authorization"].endswith(f"Signature={signature}")


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1, max_size=30)


@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]),
    key=NAMES,
    pairs=st.lists(st.tuples(st.sampled_from(["prefix", "uploadId", "partNumber", "uploads"]), NAMES), max_size=3),
    token=st.sampled_from(["", "a/session+token=="]),
    region=st.sampled_from(["us-east-1", "eu-central-2"]),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  as hypothesis wants them
)
def test_any_request_is_signed_as_botocore_signs_it(
    method: str, key: str, pairs: list[tuple[str, str]], token: str, region: str, at: datetime
) -> None:
    path, query = path_of("bucket", key), query_of(dict(pairs).items())
    found = signed(
        Key("AK", "secret", token),
        *(method, path, query, {"host": "gateway:9000"}),
        payload_sha256=UNSIGNED,
        at=at.strftime("%Y%m%dT%H%M%SZ"),
        region=region,
    )
    theirs = AWSRequest(method, f"http://gateway:9000{path}?{query}", headers={"X-Amz-Content-SHA256": UNSIGNED})
    signer = S3SigV4Auth(Credentials("AK", "secret", token or None), "s3", region)
    theirs.context["payload_signing_enabled"] = False
    with (
        patch("botocore.auth.get_current_datetime", return_value=at),
        patch.object(signer, "payload", return_value=UNSIGNED),
    ):
        signer.add_auth(theirs)
    assert found["authorization"] == theirs.headers["Authorization"]


def test_a_key_does_not_show_its_secret() -> None:
    assert "wJalr" not in repr(PRINTED)


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("https://s3.example.org:443", "s3.example.org"),
        ("https://s3.example.org:80", "s3.example.org:80"),
        ("http://127.0.0.1:9400", "127.0.0.1:9400"),
        ("http://[::1]:80/", "[::1]"),
        ("http://[::1]", "[::1]"),
        ("https://s3.example.org", "s3.example.org"),
    ],
)
def test_the_host_names_no_port_that_is_the_schemes_own(endpoint: str, host: str) -> None:
    assert host_of(endpoint) == host
