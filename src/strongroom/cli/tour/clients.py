"""The S3 client the tour uploads with: the real AWS CLI, or else rclone; each as the words of its commands."""

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from strongroom.cli.problems import usage

PROFILE = "strongroom-tour"


class Client(Protocol):
    """What the story needs of a client; both speak as the profile in `AWS_PROFILE`."""

    name: str
    program: str

    def variables(self, endpoint: str) -> Mapping[str, str]:
        """What it needs in its environment beside the profile."""

    def upload(self, folder: str) -> tuple[str, ...]:
        """Send a folder."""

    def contents(self) -> tuple[str, ...]:
        """List everything."""

    def put(self, file: str, key: str) -> tuple[str, ...]:
        """Write one object."""

    def read(self, key: str) -> tuple[str, ...]:
        """Read one object."""

    def delete(self, key: str) -> tuple[str, ...]:
        """Delete one object."""

    def open_to_all(self, policy: str) -> tuple[str, ...] | None:
        """Change the policy of the bucket; None where the client knows no such thing."""


class Aws:
    """The AWS CLI."""

    name = "AWS CLI"

    def __init__(self, program: str) -> None:
        self.program = program

    def variables(self, endpoint: str) -> Mapping[str, str]:
        return {}

    def upload(self, folder: str) -> tuple[str, ...]:
        return "aws", "s3", "sync", "--no-progress", folder, "s3://$REPOSITORY"

    def contents(self) -> tuple[str, ...]:
        return "aws", "s3", "ls", "--recursive", "s3://$REPOSITORY"

    def put(self, file: str, key: str) -> tuple[str, ...]:
        return "aws", "s3", "cp", "--no-progress", file, f"s3://$REPOSITORY/{key}"

    def read(self, key: str) -> tuple[str, ...]:
        return "aws", "s3api", "get-object", "--bucket", "$REPOSITORY", "--key", key, "copy-of-it"

    def delete(self, key: str) -> tuple[str, ...]:
        return "aws", "s3", "rm", f"s3://$REPOSITORY/{key}"

    def open_to_all(self, policy: str) -> tuple[str, ...] | None:
        return "aws", "s3api", "put-bucket-policy", "--bucket", "$REPOSITORY", "--policy", f"file://{policy}"


class Rclone:
    """rclone, with the same profile and one remote called `tour`."""

    name = "rclone"

    def __init__(self, program: str) -> None:
        self.program = program

    def variables(self, endpoint: str) -> Mapping[str, str]:
        settings = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ENV_AUTH": "true",
            "NO_CHECK_BUCKET": "true",
            "ENDPOINT": endpoint,
        }
        remote = {f"RCLONE_CONFIG_TOUR_{name}": value for name, value in settings.items()}
        return {**remote, "RCLONE_RETRIES": "1", "RCLONE_CONFIG": ""}  # none

    def upload(self, folder: str) -> tuple[str, ...]:
        return "rclone", "copy", "-v", "--stats", "0", folder, "tour:$REPOSITORY"

    def contents(self) -> tuple[str, ...]:
        return "rclone", "lsl", "tour:$REPOSITORY"

    def put(self, file: str, key: str) -> tuple[str, ...]:
        return "rclone", "copyto", "--no-check-dest", file, f"tour:$REPOSITORY/{key}"

    def read(self, key: str) -> tuple[str, ...]:
        return "rclone", "cat", f"tour:$REPOSITORY/{key}"

    def delete(self, key: str) -> tuple[str, ...]:
        return "rclone", "deletefile", f"tour:$REPOSITORY/{key}"

    def open_to_all(self, policy: str) -> tuple[str, ...] | None:
        return None


CLIENTS: Mapping[str, Callable[[str], Client]] = {"aws": Aws, "rclone": Rclone}


def found(wanted: str | None = None) -> Client:
    """The client of this machine, beside the Python that runs or on PATH. Raises Problem that says what to install."""
    for program in [wanted] if wanted else CLIENTS:
        place = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
        if place:
            return CLIENTS[program](place)
    raise usage(
        f"There is no {wanted or 'S3 client'} here to upload with.", "Install one: `pip install awscli`, or rclone."
    )
