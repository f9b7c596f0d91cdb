"""Another user of the same machine, who tries every door of the engine. Runs alone, with the standard library only.

Reads a JSON task from standard input: `ports` (internal, by name), `grpc` (ports), `weed`, `shell` (its addresses),
`bucket`, `key`, `files` (paths). Prints a JSON list of what each attempt came to: `{"attempt", "outcome", "body"}`.
"""

import http.client
import json
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

ATTEMPTS = [
    *[("GET", path) for path in ("/", "/status", "/cluster/status", "/dir/status", "/vol/status", "/ui/index.html")],
    *[("GET", path) for path in ("/metrics", "/stats/disk", "/stats/counter", "/dir/lookup?collection=BUCKET")],
    *[("GET", path) for path in ("/buckets/", "/buckets/BUCKET/", "/buckets/BUCKET/KEY", "/etc/iam/identities/")],
    *[("GET", path) for path in ("/BUCKET", "/BUCKET/KEY", "/BUCKET?policy", "/1,01637037d6", "/3/01/37d6")],
    *[("PUT", path) for path in ("/BUCKET/KEY", "/buckets/BUCKET/KEY", "/dir/assign", "/BUCKET?policy", "/stranger")],
    *[("POST", path) for path in ("/col/delete?collection=BUCKET", "/vol/grow?count=1", "/vol/vacuum", "/submit")],
    *[("POST", path) for path in ("/buckets/BUCKET/KEY", "/?Action=ListUsers", "/?Action=CreateUser&UserName=eve")],
    *[("POST", path) for path in ("/1,01637037d6", "/admin/assign_volume?volume=99", "/delete?fid=1,01637037d6")],
    *[("DELETE", path) for path in ("/BUCKET/KEY", "/BUCKET", "/buckets/BUCKET?recursive=true", "/1,01637037d6")],
]
COMMANDS = ["fs.ls /", "fs.cat /etc/iam/identities/servers.json", "fs.rm -r /buckets/BUCKET", "volume.list", "lock"]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def main() -> None:
    """Try all, and tell."""
    task = json.load(sys.stdin)
    told = []
    for name, port in task["ports"].items():
        for method, path in ATTEMPTS:
            filled = path.replace("BUCKET", task["bucket"]).replace("KEY", task["key"])
            told.append({"attempt": f"{name}: {method} {path}", **over_http(port, method, filled)})
    for name, port in task["grpc"].items():
        told.append({"attempt": f"{name}: gRPC in the clear", **over_grpc(port, is_tls=False)})
        told.append({"attempt": f"{name}: gRPC over TLS without a certificate", **over_grpc(port, is_tls=True)})
    told.extend({"attempt": f"file {path}", **opened(Path(path))} for path in task["files"])
    told.extend({"attempt": f"socket {path}", **connected(path)} for path in task["sockets"])
    told.append({"attempt": "weed shell", **by_shell(task)})
    json.dump(told, sys.stdout)


def over_http(port: int, method: str, path: str) -> dict[str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body=b"stranger" if method != "GET" else None)
        answer = connection.getresponse()
        return {"outcome": str(answer.status), "body": answer.read(5_000_000).decode(errors="replace")}
    except (OSError, http.client.HTTPException) as error:
        return {"outcome": type(error).__name__, "body": ""}
    finally:
        connection.close()


def over_grpc(port: int, *, is_tls: bool) -> dict[str, str]:
    """Whether anybody there goes on after the first frame."""
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout=3)
        if is_tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            plain = context.wrap_socket(plain)
        plain.sendall(PREFACE)
        answer = plain.recv(100)
        return {"outcome": "talks" if len(answer) >= 9 and answer[3] == 4 else "closed", "body": repr(answer)}
    except OSError as error:
        return {"outcome": "refused", "body": str(error)}


def opened(path: Path) -> dict[str, str]:
    try:
        if path.is_dir():
            return {"outcome": "listed", "body": str(list(path.iterdir()))}
        return {"outcome": "read", "body": repr(path.read_bytes()[:100])}
    except OSError as error:
        return {"outcome": type(error).__name__, "body": str(error)}


def connected(path: str) -> dict[str, str]:
    with socket.socket(socket.AF_UNIX) as door:
        try:
            door.connect(path)
        except OSError as error:
            return {"outcome": type(error).__name__, "body": str(error)}
    return {"outcome": "connected", "body": ""}


def by_shell(task: dict[str, object]) -> dict[str, str]:
    commands = "\n".join([*COMMANDS, ""]).replace("BUCKET", str(task["bucket"]))
    with tempfile.TemporaryDirectory() as elsewhere:
        process = subprocess.Popen(
            [str(task["weed"]), "shell", *list(task["shell"])],  # type: ignore[call-overload]
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=elsewhere,
            env={"HOME": elsewhere, "PATH": "/usr/bin:/bin"},
            text=True,
        )
        try:
            out, _ = process.communicate(commands, timeout=5)
            return {"outcome": f"exit {process.returncode}", "body": out}
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            return {"outcome": "never connected", "body": out}


main()
