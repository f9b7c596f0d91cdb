"""Small files in the engine's own file system, where its configuration is: over gRPC, with its own certificate.

Refuses to know what is in them. All raise Unavailable when the engine does not answer or does not obey.
Source: `filer.proto`, `volume_server.proto` and `master.proto` of SeaweedFS 4.48 (Apache License 2.0), of which the
fields below are a part; observation of 4.48.
"""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any

# Before the import, which reads it: else gRPC wakes its threads up in every program that this process starts, between
# fork and exec, and some hang there for good. No process of ours goes on with a connection after a fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say
from strongroom.engines.seaweedfs.settings import SeaweedSettings

_TIMEOUT_SECONDS = 5
_NOT_FOUND = "no entry is found"  # the filer gives it no status of its own
_PACKAGE = "filer_pb"
_FOLDER_MODE = 1 << 31 | 0o777  # as the engine writes it: the bit that says folder in Go
# Every message that is spoken here: fields by number and type, [type] where it is repeated. The rest keep defaults.
_MESSAGES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "FuseAttributes": {
        "file_size": (1, "uint64"),
        "mtime": (2, "int64"),
        "file_mode": (3, "uint32"),
        "crtime": (6, "int64"),
        "md5": (14, "bytes"),
    },
    "Pair": {"key": (1, "string"), "value": (2, "bytes")},  # what a map is on the wire
    "Entry": {
        "name": (1, "string"),
        "is_directory": (2, "bool"),
        "attributes": (4, "FuseAttributes"),
        "extended": (5, "[Pair]"),
        "content": (9, "bytes"),
    },
    "CreateEntryRequest": {"directory": (1, "string"), "entry": (2, "Entry"), "o_excl": (3, "bool")},
    "CreateEntryResponse": {"error": (1, "string")},
    "DeleteEntryRequest": {"directory": (1, "string"), "name": (2, "string"), "is_delete_data": (4, "bool")},
    "DeleteEntryResponse": {"error": (1, "string")},
    "LookupDirectoryEntryRequest": {"directory": (1, "string"), "name": (2, "string")},
    "LookupDirectoryEntryResponse": {"entry": (1, "Entry")},
    "DeleteCollectionRequest": {"collection": (1, "string")},
    "LookupVolumeRequest": {"volume_or_file_ids": (1, "[string]")},
    "LookupVolumeResponse": {"volume_id_locations": (1, "[VolumeIdLocation]")},
    "VolumeIdLocation": {"volume_or_file_id": (1, "string"), "locations": (2, "[Location]")},
    "Location": {"url": (1, "string")},
    "VolumeListRequest": {},
    "VolumeListResponse": {"topology_info": (1, "TopologyInfo")},
    "TopologyInfo": {"data_center_infos": (2, "[DataCenterInfo]")},
    "DataCenterInfo": {"rack_infos": (2, "[RackInfo]")},
    "RackInfo": {"data_node_infos": (2, "[DataNodeInfo]")},
    "DataNodeInfo": {"id": (1, "string")},
    "Encryption": {"sse_algorithm": (1, "string")},
    "BucketMetadata": {"tags": (1, "[Pair]"), "encryption": (3, "Encryption")},
}
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),  # it is on this machine, whatever proxy the environment names
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.max_receive_message_length", -1),  # a list of all volumes is longer than the 4 MB of the default
)


class Filer:
    """One connection, made at the first request and kept; may be used by many threads. Each method is one request."""

    def __init__(self, settings: SeaweedSettings, on_request: Callable[[str], None] = lambda _: None) -> None:
        self._settings = settings
        self._on_request = on_request

    def read(self, folder: str, name: str) -> bytes | None:
        """The content; None where there is no such file."""
        answer = self._ask("LookupDirectoryEntry", directory=folder, name=name)
        return None if answer is None else bytes(answer.entry.content)

    def write(self, folder: str, name: str, content: bytes) -> None:
        """Make the file or replace it as a whole."""
        now = int(time.time())
        attributes = message("FuseAttributes")(
            file_size=len(content),
            mtime=now,
            crtime=now,
            file_mode=0o600,
            md5=hashlib.md5(content, usedforsecurity=False).digest(),
        )
        entry = message("Entry")(name=name, attributes=attributes, content=content)
        self._ask("CreateEntry", directory=folder, entry=entry)

    def make_folder(self, folder: str, name: str, content: bytes, extended: Mapping[str, bytes]) -> None:
        """With content, as a bucket has it. One of that name that is there already is a refusal."""
        now = int(time.time())
        attributes = message("FuseAttributes")(mtime=now, crtime=now, file_mode=_FOLDER_MODE)
        pairs = [message("Pair")(key=key, value=value) for key, value in extended.items()]
        entry = message("Entry")(name=name, is_directory=True, attributes=attributes, extended=pairs, content=content)
        self._ask("CreateEntry", directory=folder, entry=entry, o_excl=True)

    def remove(self, folder: str, name: str) -> None:
        """Gone already is fine."""
        self._ask("DeleteEntry", directory=folder, name=name, is_delete_data=True)

    @cached_property
    def _channel(self) -> grpc.Channel:
        return channel(self._settings, self._settings.ports.filer + 1)

    def _ask(self, method: str, **fields: object) -> Any:  # a message made from a description has no type
        self._on_request(f"filer.{method}")
        call = self._channel.unary_unary(
            f"/{_PACKAGE}.SeaweedFiler/{method}",
            request_serializer=lambda message: bytes(message.SerializeToString()),
            response_deserializer=message(f"{method}Response").FromString,
        )
        try:
            # Not at once "unavailable": after a restart of the engine the connection is made anew first.
            answer = call(message(f"{method}Request")(**fields), timeout=_TIMEOUT_SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            if _NOT_FOUND in str(error) and method != "CreateEntry":  # what was not written is no success
                return None
            raise Unavailable(
                say(
                    "The storage engine did not answer {method} of its file system: {error}.",
                    method=method,
                    error=error.code().name,
                ),
                way_out=say(
                    "See whether it runs (`strongroom system status`); Strongroom goes on by itself when it does."
                ),
            ) from error
        if said := getattr(answer, "error", ""):
            raise Unavailable(
                say("The storage engine refused {method} of its file system: {said}.", method=method, said=said)
            )
        return answer


def channel(settings: SeaweedSettings, port: int) -> grpc.Channel:
    """A connection to a part of the engine, which is made at the first request. Raises: Unavailable."""
    folder = settings.home / "certs"
    try:
        authority, key, certificate = ((folder / name).read_bytes() for name in ("ca.crt", "weed.key", "weed.crt"))
    except FileNotFoundError:
        raise Unavailable(
            say("The storage engine was never started: {folder} holds no certificate.", folder=folder),
            way_out=say("Start it with `make up`."),
        ) from None
    proof = grpc.ssl_channel_credentials(authority, key, certificate)
    return grpc.secure_channel(f"127.0.0.1:{port}", proof, _OPTIONS)


@cache
def message(name: str) -> Any:  # a class made from a description
    """The class of one of the messages; its arguments are the fields."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="filer.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        described = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _describe(described.field.add(name=field, number=number), kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _describe(field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    known = descriptor_pb2.FieldDescriptorProto
    field.label = known.LABEL_REPEATED if kind.startswith("[") else known.LABEL_OPTIONAL
    kind = kind.strip("[]")
    if kind in _MESSAGES:
        field.type, field.type_name = known.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    else:
        field.type = known.Type.Value(f"TYPE_{kind.upper()}")
