"""The processes of the embedded engine: storage with the private gateway, further storage, and the public gateway.

Source: `weed server -h`, `weed volume -h`, `weed s3 -h` and `weed scaffold -config=security` of SeaweedFS 4.48.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say
from strongroom.engines.processes import ProcessSpec
from strongroom.engines.seaweedfs import hiding, storages
from strongroom.engines.seaweedfs.configuration import KeyPair, make_configuration
from strongroom.engines.seaweedfs.first_start import prepare
from strongroom.engines.seaweedfs.http import Http
from strongroom.engines.seaweedfs.settings import SeaweedSettings, Storage

# A volume takes no room before it is written to; a bucket gets a further one when the last is full.
VOLUME_SIZE_MB = 8192
# With thousands of volumes to open.
READY_SECONDS = 120
# On SIGTERM the storage takes no more requests, ends those it has, and then waits 15 seconds for subscribers to its own
# log to go away, which never do. To be killed then loses nothing: see the tests with kill -9.
STOP_SECONDS = 4
# Without a word about origins the gateway lets the pages of every web site in.
NO_ORIGIN = "none"


def processes(settings: SeaweedSettings) -> list[ProcessSpec]:
    """What to start, in order. Makes all keys and certificates at the first start.

    Raises: Unavailable when there is no `weed`, or the keys to existing data are gone.
    """
    _refuse_squatters(settings)
    credentials = make_configuration(settings)
    storages.make_folders(settings)
    weed = str(settings.weed_program())
    further = [_further(settings, weed, each) for each in settings.storages[1:]]
    return [_first(settings, weed, credentials.admin), *further, _public(settings, weed)]


def _first(settings: SeaweedSettings, weed: str, administrator: KeyPair) -> ProcessSpec:
    """Everything that is inside, with the first storage."""
    return ProcessSpec(
        name=settings.storages[0].name,
        argv=(*_hidden(settings), weed, *_storage(settings)),
        env=_environment(settings.home, administrator),
        cwd=settings.home,
        is_ready=lambda: _answers(settings.private_endpoint),
        on_ready=lambda: prepare(settings),
        ready_seconds=READY_SECONDS,
        stop_seconds=STOP_SECONDS,
    )


def _further(settings: SeaweedSettings, weed: str, storage: Storage) -> ProcessSpec:
    """More storage for the same engine."""
    ports = settings.ports
    argv = (
        *("-v=0", "-logtostderr=true", "volume", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={storage.folder}"),
        *(f"-max={storages.volumes_each()}", f"-master=127.0.0.1:{ports.master}.{ports.master + 1}"),
        *(f"-port={storage.port}", f"-port.grpc={storage.port + 1}", "-preStopSeconds=1"),
    )
    return ProcessSpec(
        name=storage.name,
        argv=(*_hidden(settings), weed, *argv),
        env=_environment(settings.home),
        cwd=settings.home,
        is_ready=lambda: storages.is_there(settings, storage),
        on_ready=lambda: prepare(settings),
        ready_seconds=READY_SECONDS,
        stop_seconds=STOP_SECONDS,
    )


def _public(settings: SeaweedSettings, weed: str) -> ProcessSpec:
    """What people's clients reach."""
    # The administrator's key is unknown to the public gateway; one that nobody has is there instead, because a
    # gateway that knows no administrator lets everybody in.
    nobody = KeyPair(f"nobody-{secrets.token_hex(8)}", secrets.token_hex(32))
    return ProcessSpec(
        name="gateway",
        argv=(*_hidden(settings), weed, *_gateway(settings)),
        # One request at a time on a connection: what `draining` concludes rests on it.
        env={**_environment(settings.home, nobody), "GODEBUG": "http2server=0"},
        cwd=settings.home,
        is_ready=lambda: _answers(settings.gateway),
        on_ready=lambda: _refuse_open_gateway(settings.gateway),
    )


def _hidden(settings: SeaweedSettings) -> tuple[str, ...]:
    """What the programs run behind: their pages that ask for no credential are sockets in the home."""
    pairs = (f"{port}={name}" for port, name in settings.hidden.items())
    return (sys.executable, "-I", "-S", hiding.__file__, *pairs, "--")


def _storage(settings: SeaweedSettings) -> tuple[str, ...]:
    ports = settings.ports
    return (
        *("-v=0", "-logtostderr=true", "server"),
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-dir=data", "-disableHttp", "-filer", "-s3"),
        *(f"-master.port={ports.master}", f"-master.port.grpc={ports.master + 1}", "-master.telemetry=false"),
        # There is nobody to vote against: without this a restart waits ten seconds and more for the election.
        *("-master.electionTimeout=1s", "-master.heartbeatInterval=100ms"),
        # The highest number of a volume is kept on disk: after a start that some storage is late for, one that it has
        # would be given again. On by default in 4.48, which is too much to rest on.
        "-master.resumeState=true",
        *(
            f"-master.volumeSizeLimitMB={VOLUME_SIZE_MB}",
            f"-volume.max={storages.volumes_each()}",
            "-volume.preStopSeconds=1",
        ),
        *(f"-volume.port={ports.volume()}", f"-volume.port.grpc={ports.volume() + 1}"),
        *(f"-filer.port={ports.filer}", f"-filer.port.grpc={ports.filer + 1}", "-filer.localSocket=filer.sock"),
        *(f"-s3.port={ports.private}", f"-s3.port.grpc={ports.private + 1}", "-s3.localSocket=private.sock"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam.readOnly=true", "-s3.autoCreateBucket=false"),
        "-s3.allowDeleteBucketNotEmpty=true",
    )


def _gateway(settings: SeaweedSettings) -> tuple[str, ...]:
    ports = settings.ports
    tls: tuple[str, ...] = ()
    if settings.tls_certificate and settings.tls_key:
        # Without a port of its own for TLS, the one port speaks nothing else.
        tls = (f"-cert.file={settings.tls_certificate.resolve()}", f"-key.file={settings.tls_key.resolve()}")
    return (
        *("-v=0", "-logtostderr=true", "s3"),
        *(f"-filer=127.0.0.1:{ports.filer}.{ports.filer + 1}", "-ip=127.0.0.1", f"-ip.bind={settings.public_host}"),
        *(f"-port={settings.public_port}", f"-port.grpc={ports.gateway_grpc}", *tls),
        *("-port.iceberg=0", "-port.lance=0", "-iam.readOnly=true", "-autoCreateBucket=false"),
        *("-allowDeleteBucketNotEmpty=false", "-localSocket=public.sock"),
        f"-allowedOrigins={','.join(settings.allowed_origins) or NO_ORIGIN}",
        *(f"-metricsPort={ports.gateway_metrics}", "-metricsIp=127.0.0.1"),
    )


def _environment(home: Path, administrator: KeyPair | None = None) -> Mapping[str, str]:
    # HOME: other places where the program would look for a security.toml must not count.
    common = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    if administrator is None:
        return common
    return {
        **common,
        "AWS_ACCESS_KEY_ID": administrator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": administrator.secret,
    }


def _refuse_squatters(settings: SeaweedSettings) -> None:
    """The parts of the engine listen on sockets of fixed names in /tmp as well; somebody else's there blocks them.

    It cannot do more than that: the parts prove themselves to each other by certificate there, too.
    """
    ours = settings.ports.all
    for path in Path("/tmp").glob("seaweedfs-*-grpc-*.sock"):  # noqa: S108 - the engine's choice
        port = path.stem.rpartition("-")[2]
        if port.isdigit() and int(port) in ours and path.lstat().st_uid != os.geteuid():
            raise Unavailable(
                say("Another user has put {path} where the storage engine listens.", path=path),
                way_out=say("Remove it, or choose other ports with STRONGROOM_ENGINE_PORT."),
            )


def _answers(endpoint: str) -> bool:
    try:
        return Http(timeout_seconds=2).get(f"{endpoint}/healthz").status == 200
    except Unavailable:
        return False


def _refuse_open_gateway(endpoint: str) -> None:
    status = Http(timeout_seconds=5).get(f"{endpoint}/").status
    if status != 403:
        raise Unavailable(
            say(
                "The public gateway {endpoint} answers strangers with {status} instead of 403.",
                endpoint=endpoint,
                status=status,
            ),
            way_out=say("It was stopped. Look at its log, and do not open it before strangers are refused."),
        )
