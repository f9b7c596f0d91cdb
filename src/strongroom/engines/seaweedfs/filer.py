"""Small files in the engine's own file system, where its configuration is: over gRPC, with its own certificate.

Refuses to know what is in them. All raise Unavailable when the engine does not answer or does not obey.
Source: `filer.proto` of SeaweedFS 4.48 (Apache License 2.0), of which the fields below are a part; observation of 4.48.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from strongroom.core.errors import Unavailable
from strongroom.engines.seaweedfs.settings import SeaweedSettings

_TIMEOUT_SECONDS = 5
_NOT_FOUND = "no entry is found"  # the filer gives it no status of its own
_PACKAGE = "filer_pb"
# Every message that is spoken here: field by number, and its type. Fields that are not named keep their defaults.
_MESSAGES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "FuseAttributes": {
        "file_size": (1, "uint64"),
        "mtime": (2, "int64"),
        "file_mode": (3, "uint32"),
        "crtime": (6, "int64"),
        "md5": (14, "bytes"),
    },
    "Entry": {"name": (1, "string"), "attributes": (4, "FuseAttributes"), "content": (9, "bytes")},
    "CreateEntryRequest": {"directory": (1, "string"), "entry": (2, "Entry")},
    "CreateEntryResponse": {"error": (1, "string")},
    "DeleteEntryRequest": {"directory": (1, "string"), "name": (2, "string"), "is_delete_data": (4, "bool")},
    "DeleteEntryResponse": {"error": (1, "string")},
    "LookupDirectoryEntryRequest": {"directory": (1, "string"), "name": (2, "string")},
    "LookupDirectoryEntryResponse": {"entry": (1, "Entry")},
}
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),  # it is on this machine, whatever proxy the environment names
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
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
        attributes = _message("FuseAttributes")(
            file_size=len(content),
            mtime=now,
            crtime=now,
            file_mode=0o600,
            md5=hashlib.md5(content, usedforsecurity=False).digest(),
        )
        entry = _message("Entry")(name=name, attributes=attributes, content=content)
        self._ask("CreateEntry", directory=folder, entry=entry)

    def remove(self, folder: str, name: str) -> None:
        """Gone already is fine."""
        self._ask("DeleteEntry", directory=folder, name=name, is_delete_data=True)

    @cached_property
    def _channel(self) -> grpc.Channel:
        folder = self._settings.home / "certs"
        try:
            authority, key, certificate = ((folder / name).read_bytes() for name in ("ca.crt", "weed.key", "weed.crt"))
        except FileNotFoundError:
            raise Unavailable(
                f"The storage engine was never started: {folder} holds no certificate.",
                way_out="Start it with `make up`.",
            ) from None
        address = f"127.0.0.1:{self._settings.ports.filer + 1}"
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(authority, key, certificate), _OPTIONS)

    def _ask(self, method: str, **fields: object) -> Any:  # a message made from a description has no type
        self._on_request(f"filer.{method}")
        call = self._channel.unary_unary(
            f"/{_PACKAGE}.SeaweedFiler/{method}",
            request_serializer=lambda message: bytes(message.SerializeToString()),
            response_deserializer=_message(f"{method}Response").FromString,
        )
        try:
            # Not at once "unavailable": after a restart of the engine the connection is made anew first.
            answer = call(_message(f"{method}Request")(**fields), timeout=_TIMEOUT_SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            if _NOT_FOUND in str(error):
                return None
            raise Unavailable(
                f"The storage engine did not answer {method} of its file system: {error.code().name}.",
                way_out="See whether it runs (`strongroom system status`); Strongroom goes on by itself when it does.",
            ) from error
        if said := getattr(answer, "error", ""):
            raise Unavailable(f"The storage engine refused {method} of its file system: {said}.")
        return answer


@cache
def _message(name: str) -> Any:  # a class made from a description
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="filer.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            is_message = kind in _MESSAGES
            message.field.add(
                name=field,
                number=number,
                label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
                type=descriptor_pb2.FieldDescriptorProto.Type.Value(
                    "TYPE_MESSAGE" if is_message else f"TYPE_{kind.upper()}"
                ),
                type_name=f".{_PACKAGE}.{kind}" if is_message else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool
