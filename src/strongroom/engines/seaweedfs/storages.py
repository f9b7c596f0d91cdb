"""How many processes hold the volumes: each volume takes two open files, and how many a process may have is limited.

A process that holds something is there for good, whatever is wanted later: the engine finds volumes by asking who has
them, and one that is not started has lost them.
"""

import resource
import shutil
from math import ceil

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say
from strongroom.core.settings import STORAGE_PROCESSES
from strongroom.engines.seaweedfs import local, volumes
from strongroom.engines.seaweedfs.files import make_private
from strongroom.engines.seaweedfs.http import Http
from strongroom.engines.seaweedfs.settings import SeaweedSettings, Storage

# What a storage process opens beside its volumes: connections above all.
OTHER_FILES = 1_000
# 10,000 data sets with something in them, and a fifth more: large ones have several volumes.
WANTED_VOLUMES = 12_000
FILES_A_VOLUME = 2
# Without these a process would not even start: the first opens 90 beside its volumes, and 250 were seen at work. No
# more is asked for at a start: what is there must be readable where a limit was lowered. It takes no new volumes then,
# and that its connections run short, its health says.
_FILES_OF_ITS_OWN = 200
_TIMEOUT_SECONDS = 2


def volumes_each() -> int:
    """How many volumes a process takes: as many as there may be open files for.

    Beyond that a new data set is refused its first object and all others go on; without a bound the engine would use
    up the files that its connections need.
    """
    most = _most_files()
    return max((most - OTHER_FILES) // FILES_A_VOLUME, 8) if most else 1_000_000


def make_folders(settings: SeaweedSettings) -> None:
    """A folder for each process that is wanted, and none for the others that hold nothing.

    Raises: Unavailable when one holds more than may be opened here.
    """
    wanted = settings.storage_processes or min(ceil(WANTED_VOLUMES / volumes_each()), STORAGE_PROCESSES)
    for number in range(2, STORAGE_PROCESSES + 1):
        folder = settings.home / Storage(number, settings.ports).folder
        if number <= wanted:
            make_private(folder)
        elif folder.is_dir() and not any(folder.glob("*.dat")):
            shutil.rmtree(folder)
    for each in settings.storages:
        _refuse_what_cannot_be_opened(settings, each)


def runs(settings: SeaweedSettings, storage: Storage) -> bool:
    """Whether the process answers; its volumes are open then."""
    url = f"http://127.0.0.1:{storage.port}/healthz"
    try:
        hidden = local.get(settings.home / storage.socket, url, timeout_seconds=_TIMEOUT_SECONDS)
        return hidden is not None or Http(timeout_seconds=_TIMEOUT_SECONDS).get(url).status == 200
    except Unavailable:
        return False


def further_run(settings: SeaweedSettings) -> bool:
    """Whether all processes but the first answer."""
    return all(runs(settings, each) for each in settings.storages[1:])


def is_there(settings: SeaweedSettings, storage: Storage) -> bool:
    """Whether the process answers and the engine finds its volumes."""
    return runs(settings, storage) and volumes.are_known(settings, storage)


def are_there(settings: SeaweedSettings) -> bool:
    """Whether all of them are."""
    return all(is_there(settings, each) for each in settings.storages)


def _refuse_what_cannot_be_opened(settings: SeaweedSettings, storage: Storage) -> None:
    """Volumes that cannot be opened would be missing without a word."""
    folder, most = settings.home / storage.folder, _most_files()
    held = sum(1 for _ in folder.glob("*.dat")) if folder.is_dir() else 0
    needed = held * FILES_A_VOLUME + _FILES_OF_ITS_OWN
    if most and needed > most:
        raise Unavailable(
            say(
                "{folder} holds {held:,} volumes, for which the storage engine must open {needed:,} "
                "files, and here a process may open {most:,}.",
                folder=folder,
                held=held,
                needed=needed,
                most=most,
            ),
            way_out=say(
                "Raise the hard limit of open files (ulimit -Hn) to {needed:,} and start again.",
                needed=needed + OTHER_FILES,
            ),
        )


def _most_files() -> int:
    """The hard limit of this process and of those it starts; 0 where there is none."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if most == resource.RLIM_INFINITY else most
