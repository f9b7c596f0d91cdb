"""Joins the parts: which engine and which host this process uses, and who signs for it."""

from pathlib import Path
from typing import TYPE_CHECKING

from strongroom import engines, hosts, identity
from strongroom.actions import signing, software, ssh_authority
from strongroom.actions.ssh_authority import Authorities
from strongroom.core.assertion import covers
from strongroom.core.errors import Invalid
from strongroom.core.sentences import say
from strongroom.core.settings import ENGINE_PORTS, Settings
from strongroom.core.vocabulary import IdentityKind
from strongroom.engines import Engine
from strongroom.engines.processes import ProcessSpec
from strongroom.hosts import Host
from strongroom.hosts.podman.settings import PodmanSettings
from strongroom.identity import Provider
from strongroom.runtime import secrets, zipapp
from strongroom.runtime.checks import Port

if TYPE_CHECKING:
    from strongroom.engines.seaweedfs.settings import SeaweedSettings


def join(settings: Settings) -> None:
    """Give this process its engine, its host and its signers; called once, after Django is set up."""
    engines.use(lambda: _engine(settings))
    hosts.use(lambda: _host(settings))
    identity.use(lambda: providers(settings))
    signing.use(secrets.signer(settings.home))
    software.use(zipapp.files)
    ssh_authority.use(Authorities(secrets.ssh_user_ca(settings.home), secrets.ssh_host_ca(settings.home)))


def providers(settings: Settings) -> dict[IdentityKind, Provider]:
    """The identity providers that are set up; none of them is asked for anything yet.

    Raises: Invalid where a file that the settings name cannot be read.
    """
    found: dict[IdentityKind, Provider] = {}
    if settings.oidc_issuer:
        from strongroom.identity.oidc import Client, OpenIdProvider

        found[IdentityKind.OIDC] = OpenIdProvider(
            Client(
                issuer=settings.oidc_issuer,
                client_id=settings.oidc_client_id,
                secret=settings.oidc_client_secret
                or _read("OIDC_CLIENT_SECRET_FILE", settings.oidc_client_secret_file),
                name=settings.oidc_name,
                scopes=settings.oidc_scopes,
                groups_claim=settings.oidc_groups_claim,
                acr=settings.oidc_mfa_acr,
                amr=settings.oidc_mfa_amr,
            )
        )
    if settings.saml_metadata:
        found[IdentityKind.SAML] = _saml(settings)
    return found


def _saml(settings: Settings) -> Provider:
    from strongroom.identity import fetching
    from strongroom.identity.saml import SamlProvider, Service

    where = settings.saml_metadata
    if "://" in where:

        def metadata() -> bytes:
            return fetching.get(settings.saml_name, where)
    else:
        kept = _read("SAML_METADATA", Path(where)).encode()

        def metadata() -> bytes:
            return kept

    return SamlProvider(
        Service(
            entity_id=f"{settings.web_url}/sign-in/saml/metadata",
            answer_url=f"{settings.web_url}/sign-in/saml/answer",
            metadata=metadata,
            name=settings.saml_name,
            email_attribute=settings.saml_email_attribute,
            name_attribute=settings.saml_name_attribute,
            groups_attribute=settings.saml_groups_attribute,
            subject_attribute=settings.saml_subject_attribute,
            is_email_verified=lambda email: covers(settings.saml_email_domains, email.rpartition("@")[2]),
            contexts=settings.saml_mfa_contexts,
        )
    )


def _read(variable: str, path: Path | None) -> str:
    """The text of a file that a setting names, without white space around it; empty where none is named."""
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise Invalid(
            say(
                "STRONGROOM_{variable} is {path!r}, which cannot be read: {problem}.",
                variable=variable,
                path=str(path),
                problem=problem,
            ),
            fields={f"STRONGROOM_{variable}": say("cannot be read")},
        ) from None


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
        allowed_origins=settings.console_origins,
        storage_processes=settings.storage_processes,
    )


def _host(settings: Settings) -> Host | None:
    if settings.server_host == "none":
        return None
    if settings.server_host == "memory":
        from strongroom.hosts.memory import MemoryHost

        return MemoryHost(settings.server_ssh_host, settings.server_ssh_ports)
    from strongroom.hosts.podman.host import PodmanHost

    return PodmanHost(podman_settings(settings))


def podman_settings(settings: Settings) -> PodmanSettings:
    """What the podman host, its relay and the builder of its image need to know."""
    return PodmanSettings(
        home=settings.home / "servers",
        gateway_url=settings.gateway_endpoint,
        control_plane_url=settings.web_url,
        agent=zipapp.build,
        podman=settings.podman,
        options=settings.podman_options,
        base_image=settings.server_base_image,
        ssh_host=settings.server_ssh_host,
        ssh_ports=settings.server_ssh_ports,
        offerings=settings.offerings,
        authorities=settings.server_authorities,
    )


def engine_ports(settings: Settings) -> list[Port]:
    """What the engine's processes listen on, each with the setting that moves it."""
    if settings.engine == "memory":
        return []
    public = Port(settings.gateway_host, settings.gateway_port, "public S3 gateway", "STRONGROOM_GATEWAY_PORT")
    inner = range(settings.engine_port, settings.engine_port + ENGINE_PORTS)
    return [public, *(Port("127.0.0.1", each, "storage engine", "STRONGROOM_ENGINE_PORT") for each in inner)]
