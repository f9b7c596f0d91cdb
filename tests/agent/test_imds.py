"""The metadata service speaks as AWS's does, to those root chose, and to nobody else."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from strongroom.agent import callers
from tests.agent.network import as_user
from tests.agent.site import NOBODY, TOKEN_TTL, Server, Site

NAMES = "/meta-data/iam/security-credentials/"
ROLE = NAMES + "strongroom"


def test_a_token_opens_the_credentials_of_the_server(serving: Server, place: Site) -> None:
    before = serving.status()["credentials_until"]
    reply = place.ask(ROLE, token=place.token())
    document = json.loads(reply.text)
    assert (reply.status, document["Code"], document["Type"]) == (200, "Success", "AWS-HMAC")
    assert {"AccessKeyId", "SecretAccessKey", "Token", "Expiration", "LastUpdated"} < set(document)
    # They are renewed now and then, in the middle of this test as well.
    assert document["Expiration"] in (before, serving.status()["credentials_until"])


def test_without_a_token_only_the_name_of_the_role_is_told(serving: Server, place: Site) -> None:
    assert place.ask(NAMES).text == place.ask(NAMES.rstrip("/")).text == "strongroom"
    for path in (ROLE, ROLE + "/", "/meta-data/", "/meta-data/iam/info", "/nothing", "/"):
        reply = place.ask(path)
        assert reply.status == 401, path
        assert "IMDSv1 is off" in reply.text and "AccessKeyId" not in reply.text


@pytest.mark.parametrize("token", ["", "x", "AAAA" * 16, "ünsinn"])
def test_a_token_that_is_not_ours_opens_nothing_not_even_the_name(serving: Server, place: Site, token: str) -> None:
    option = ["-H", f"X-aws-ec2-metadata-token: {token}" if token else "X-aws-ec2-metadata-token;"]
    assert place.ask(ROLE, *option).status == place.ask(NAMES, *option).status == 401


def test_a_token_ends_when_it_said_it_would(serving: Server, place: Site) -> None:
    token = place.token(seconds=1)
    time.sleep(1.1)
    reply = place.ask(ROLE, token=token)
    assert reply.status == 401
    assert "expired" in reply.text


@pytest.mark.parametrize("seconds", ["0", "21601", "-1", "1.5", "one", "٣", "9" * 30, ""])
def test_a_token_lives_from_one_second_to_six_hours(serving: Server, place: Site, seconds: str) -> None:
    option = f"{TOKEN_TTL}: {seconds}" if seconds else f"{TOKEN_TTL};"
    assert place.ask("/api/token", "-X", "PUT", "-H", option).status == 400
    assert place.ask("/api/token", "-X", "PUT").status == 400


def test_the_longest_token_is_given_and_says_so(serving: Server, place: Site) -> None:
    reply = place.ask("/api/token", "-X", "PUT", "-H", f"{TOKEN_TTL}: 21600")
    assert (reply.status, reply.headers[TOKEN_TTL]) == (200, "21600")


def test_a_token_may_be_asked_for_with_a_chunked_empty_body_as_s3fs_does(serving: Server, place: Site) -> None:
    options = ["-X", "PUT", "-H", f"{TOKEN_TTL}: 60", "-H", "Transfer-Encoding: chunked", "--data-binary", ""]
    token = place.ask("/api/token", *options).text
    assert place.ask(ROLE, token=token).status == 200


def test_what_came_through_a_proxy_gets_no_token(serving: Server, place: Site) -> None:
    options = ["-X", "PUT", "-H", f"{TOKEN_TTL}: 60", "-H", "X-Forwarded-For: 192.0.2.1"]
    assert place.ask("/api/token", *options).status == 403


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS", "PUT"])
def test_other_methods_are_refused(serving: Server, place: Site, method: str) -> None:
    assert place.ask(ROLE, "-X", method, token=place.token()).status == 405


def test_the_other_facts_are_where_clients_look_for_them(serving: Server, place: Site) -> None:
    token = place.token()

    def told(path: str) -> str:
        reply = place.ask(path, token=token)
        assert reply.status == 200, path
        return reply.text

    assert told("/meta-data/placement/region") == "us-east-1"
    assert told("/meta-data/placement/availability-zone") == "us-east-1a"
    assert told("/meta-data/local-ipv4") == place.machine.address
    assert told("/meta-data/instance-id") == f"i-{serving.id.replace('-', '')[:17]}"
    assert json.loads(told("/meta-data/iam/info"))["InstanceProfileArn"].endswith("/strongroom")
    document = json.loads(told("/dynamic/instance-identity/document"))
    assert document["region"] == "us-east-1" and document["instanceId"] == told("/meta-data/instance-id")
    assert "iam/" in told("/meta-data/").splitlines() and "hostname" in told("/meta-data").splitlines()
    assert told("/meta-data/iam/").splitlines() == ["info", "security-credentials/"]
    assert told("") == told("/") == "dynamic/\nmeta-data/"


def test_what_is_not_there_is_404(serving: Server, place: Site) -> None:
    token = place.token()
    for path in ("/user-data", "/meta-data/iam/security-credentials/other", "/meta-data/../../etc/passwd", "x"):
        assert place.ask(path, "--path-as-is", token=token).status == 404, path


def test_head_says_the_same_without_the_text(serving: Server, place: Site) -> None:
    reply = place.ask("/meta-data/instance-id", "--head", token=place.token())
    assert (reply.status, reply.text, reply.headers["Content-Length"]) == (200, "", "19")


def test_a_user_root_did_not_choose_gets_nothing_and_is_told_who_does(serving: Server, place: Site) -> None:
    token = place.token()
    for path in (NAMES, ROLE, "/meta-data/"):
        reply = place.ask(path, token=token, user=NOBODY)
        assert reply.status == 403
        assert "not for nobody, but for root" in reply.text
    assert place.ask("/api/token", "-X", "PUT", "-H", f"{TOKEN_TTL}: 60", user=NOBODY).status == 403


def test_root_chooses_while_the_agent_runs(serving: Server, place: Site) -> None:
    try:
        serving.configure(users=["nobody"])
        assert "AccessKeyId" in place.ask(ROLE, token=place.token(user=NOBODY), user=NOBODY).text
        serving.configure(groups=["nogroup"])
        assert place.ask(ROLE, token=place.token(user=NOBODY), user=NOBODY).status == 200
        assert place.ask(NAMES, user=NOBODY + 1).status == 403
        serving.configure(users=["somebody-else"])
        assert place.ask(NAMES, user=NOBODY).status == 403
    finally:
        serving.configure()


def test_a_socket_that_its_owner_left_is_nobodys_and_not_roots() -> None:
    # The kernel shows uid 0 for it, whoever it was: a request sent before leaving must not be answered as if by root.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        port = client.getsockname()[1]
        accepted, _ = listening.accept()
        with accepted:
            assert callers.uid_of(accepted) == os.geteuid()
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            client.close()
            lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines() if f":{port:04X} " in line]
            assert ("0", "0") in {(line[7], line[9]) for line in lines}
            assert callers.uid_of(accepted) is None


def test_nobody_can_keep_the_others_out_by_holding_connections(serving: Server, place: Site) -> None:
    script = "for i in {1..200}; do exec {fd}<>/dev/tcp/169.254.169.254/80; done; echo held; read line"
    command = place.machine.inside([*as_user(NOBODY), "bash", "-c", script])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hog:
        assert hog.stdout is not None
        assert hog.stdout.readline() == "held\n"
        assert place.ask(NAMES).text == "strongroom"
        hog.communicate("")


def test_version_1_answers_only_where_root_switched_it_on(fresh: Server, serving: Server, place: Site) -> None:
    fresh.configure(imds_v1=True, imds_address="127.0.0.1:9912")
    fresh.join().started()
    base = "http://127.0.0.1:9912/latest"
    document = json.loads(place.ask(ROLE, base=base).text)
    assert document["Code"] == "Success"
    assert place.ask(ROLE, base=base, user=NOBODY).status == 403
    assert place.ask(ROLE, base=base, token="wrong").status == 401
    assert document["AccessKeyId"] != json.loads(place.ask(ROLE, token=place.token()).text)["AccessKeyId"]


def test_a_caller_from_another_network_namespace_is_nobody_of_this_machine(serving: Server, place: Site) -> None:
    # A container beside the agent reaches the address by its route, and is refused: no user of this machine asks.
    container, inner = f"{place.machine.name}-c", place.machine.name
    ip("netns", "add", container)
    try:
        ip("-n", inner, "link", "add", "bridge0", "type", "veth", "peer", "name", "eth0", "netns", container)
        ip("-n", inner, "addr", "add", "10.99.0.1/30", "dev", "bridge0")
        ip("-n", inner, "link", "set", "bridge0", "up")
        ip("-n", container, "addr", "add", "10.99.0.2/30", "dev", "eth0")
        ip("-n", container, "link", "set", "eth0", "up")
        ip("-n", container, "route", "add", "default", "via", "10.99.0.1")
        url = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"
        command = ["nsenter", f"--net=/run/netns/{container}", "curl", "-sS", "-i", "-m", "60", url]
        done = subprocess.run(command, capture_output=True, text=True)
        assert " 403 " in done.stdout.splitlines()[0], done
        assert "somebody who is not on this machine" in done.stdout
    finally:
        ip("netns", "delete", container)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


_SNIFF = """
import http.client, socket, struct, sys
address, port = sys.argv[1], int(sys.argv[2])
seen = set()
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("lo", 0))
wire.settimeout(2)
asking = http.client.HTTPConnection(address, port)
asking.request("GET", "/latest/meta-data/iam/security-credentials/")
asking.getresponse().read()
asking.close()
try:
    while True:
        packet = wire.recv(65535)[14:]
        if packet[9] == 6 and packet[12:16] == socket.inet_aton(address):
            start = (packet[0] & 15) * 4
            source, target = struct.unpack_from("!HH", packet, start)
            if source == port:
                seen.add(packet[8])
except TimeoutError:
    print(sorted(seen))
"""


def test_an_answer_goes_no_further_than_one_hop(serving: Server, place: Site) -> None:
    done = place.machine.run(sys.executable, "-c", _SNIFF, "169.254.169.254", "80")
    assert done.stdout == "[1]\n", done.stderr


def test_an_answer_goes_as_far_as_root_lets_it(fresh: Server, serving: Server, place: Site) -> None:
    fresh.configure(imds_hop_limit=3, imds_address="127.0.0.1:9914")
    fresh.join().started()
    done = place.machine.run(sys.executable, "-c", _SNIFF, "127.0.0.1", "9914")
    assert done.stdout == "[3]\n", done.stderr
