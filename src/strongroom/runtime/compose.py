"""Joins the parts: which engine this process uses, and who signs its receipts and the SSH keys of people."""

from typing import TYPE_CHECKING

from strongroom import engines
from strongroom.actions import signing, software, ssh_authority
from strongroom.actions.ssh_authority import Authorities
from strongroom.core.settings import ENGINE_PORTS, Settings
from strongroom.engines import Engine
from strongroom.engines.processes import ProcessSpec
from strongroom.runtime import secrets, zipapp
from strongroom.runtime.checks import Port

if TYPE_CHECKING:
    from strongroom.engines.seaweedfs.settings import SeaweedSettings


def join(settings: Settings) -> None:
    """Give this process its engine and its signer; called once, after Django is set up."""
    engines.use(lambda: _engine(settings))
    signing.use(secrets.signer(settings.home))
    software.use(zipapp.files)
    ssh_authority.use(Authorities(secrets.ssh_user_ca(settings.home), secrets.ssh_host_ca(settings.home)))


def engine_processes(settings: Settings) -> list[ProcessSpec]:
    """What must run before the engine answers, in the order of starting."""
    if settings.engine == "memory":
        return []
    from strongroom.engines.seaweedfs import embedded

    return embedded.processes(_seaweed(settings))


def _engine(settings: Settings) -> Engine:
    if settings.engine == "memory":
        from strongroom.engines.memory import MemoryEngine

        return MemoryEngine()
    from strongroom.engines.seaweedfs.engine import SeaweedEngine

    return SeaweedEngine(_seaweed(settings))


def _seaweed(settings: Settings) -> "SeaweedSettings":
    from strongroom.engines.seaweedfs.settings import Ports, SeaweedSettings

    return SeaweedSettings(
        home=settings.home / "engine",
        org=settings.org,
        public_host=settings.gateway_host,
        public_port=settings.gateway_port,
        public_endpoint=settings.gateway_endpoint,
        ports=Ports(settings.engine_port),
        region=settings.region,
        weed=settings.weed,
        tls_certificate=settings.gateway_tls_cert,
        tls_key=settings.gateway_tls_key,
    )


def engine_ports(settings: Settings) -> list[Port]:
    """What the engine's processes listen on, each with the setting that moves it."""
    if settings.engine == "memory":
        return []
    public = Port(settings.gateway_host, settings.gateway_port, "public S3 gateway", "STRONGROOM_GATEWAY_PORT")
    inner = range(settings.engine_port, settings.engine_port + ENGINE_PORTS)
    return [public, *(Port("127.0.0.1", each, "storage engine", "STRONGROOM_ENGINE_PORT") for each in inner)]
