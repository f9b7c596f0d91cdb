"""The files in which objects lie, a volume each: whether the engine finds them, and that a bucket's go with the bucket.

The engine asks the storage processes which volumes they have, and drops those of a bucket that is deleted in every
process that it knows at that moment. One that was being started again keeps them, and nobody would ask for them again.
Source: `volume_server.proto` and `master.proto` of SeaweedFS 4.48 (Apache License 2.0); observation of 4.48.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import grpc

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import Sentence, quoted, say
from strongroom.engines.seaweedfs.filer import channel, message
from strongroom.engines.seaweedfs.settings import SeaweedSettings, Storage

_DROP_SECONDS = 10
_LOOK_SECONDS = 2  # whoever asks whether all is well asks again, and others wait for the answer
_SAMPLE = 3  # one may be deleted while it is looked for


def are_known(settings: SeaweedSettings, storage: Storage) -> bool:
    """Whether the engine looks for the volumes of this process there; where it has none, whether it may make some.

    A process tells the master of itself when it starts, and again only seconds later where that came too early.
    """
    sample = list(islice(_volume_ids(settings.home / storage.folder), _SAMPLE))
    here = f"127.0.0.1:{storage.port}"
    try:
        return here in (_places(settings, sample) if sample else _members(settings))
    except grpc.RpcError:
        return False


def _places(settings: SeaweedSettings, volumes: list[str]) -> set[str]:
    request = message("LookupVolumeRequest")(volume_or_file_ids=volumes)
    answer = _ask(settings, settings.ports.master + 1, "master_pb.Seaweed/LookupVolume", request, _LOOK_SECONDS)
    found = message("LookupVolumeResponse").FromString(answer).volume_id_locations
    return {location.url for each in found for location in each.locations}


def _members(settings: SeaweedSettings) -> set[str]:
    """All processes that the master knows. The only question for them is the one for all their volumes, too."""
    request = message("VolumeListRequest")()
    answer = _ask(settings, settings.ports.master + 1, "master_pb.Seaweed/VolumeList", request, _LOOK_SECONDS)
    known = message("VolumeListResponse").FromString(answer).topology_info
    racks = (rack for center in known.data_center_infos for rack in center.rack_infos)
    return {node.id for rack in racks for node in rack.data_node_infos}


def forget(settings: SeaweedSettings, bucket: str) -> None:
    """Return when no file of the bucket is left. Raises: Unavailable."""
    for storage in settings.storages:
        if _files(settings, storage, bucket):
            _drop(settings, storage, bucket)


def _volume_ids(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".dat"):
                yield entry.name.removesuffix(".dat").rpartition("_")[2]


def _files(settings: SeaweedSettings, storage: Storage, bucket: str) -> list[Path]:
    return list((settings.home / storage.folder).glob(f"{bucket}_*"))


def _drop(settings: SeaweedSettings, storage: Storage, bucket: str) -> None:
    request = message("DeleteCollectionRequest")(collection=bucket)
    try:
        _ask(settings, storage.port + 1, "volume_server_pb.VolumeServer/DeleteCollection", request, _DROP_SECONDS)
    except grpc.RpcError as error:
        raise _left(storage, bucket, quoted(error.code().name)) from error
    if left := _files(settings, storage, bucket):
        raise _left(storage, bucket, say("{file} is still there", file=left[0].name))


def _ask(
    settings: SeaweedSettings,
    port: int,
    method: str,
    request: Any,  # a message made from a description
    timeout_seconds: int,
) -> bytes:
    with channel(settings, port) as asking:
        call = asking.unary_unary(f"/{method}", request_serializer=bytes, response_deserializer=bytes)
        return bytes(call(request.SerializeToString(), timeout=timeout_seconds))


def _left(storage: Storage, bucket: str, why: Sentence) -> Unavailable:
    return Unavailable(
        say(
            "The process {storage} of the storage engine did not remove the files of {bucket}: {why}.",
            storage=storage.name,
            bucket=bucket,
            why=why,
        ),
        way_out=say("It is asked again by itself. See whether it runs (`strongroom system status`)."),
    )
