"""Takes in what is uploaded: straight to disk, never more than the limit, whatever the request claims."""

import tempfile
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

from strongroom.actions import attachments
from strongroom.core.actor import Actor
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Verb

_FORM_BYTES = 100_000  # what the other fields of the form and its boundaries may take


def authorize(request: HttpRequest, actor: Actor) -> None:
    """Before the body of an upload is read: may they attach anything there at all? Raises: Refusal."""
    if request.method != "POST" or request.content_type != "multipart/form-data" or request.resolver_match is None:
        return
    place = request.resolver_match.kwargs
    with suppress(KeyError, ValueError):  # no data set, or none that could exist: the operation itself says so
        dataset_id = UUID(str(place["dataset_id"]))
        verb = Verb.ATTACHMENT_SUPERSEDE if "attachment_id" in place else Verb.ATTACHMENT_ADD
        attachments.check(actor, verb, dataset_id)


class LimitedUpload(FileUploadHandler):
    """A file on disk without a name, so that nothing is left of it however this process ends.

    Refuses once there is more than an attachment may have.
    """

    file: "UploadedFile[Any]"
    _received_bytes = 0

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_: Any, **__: Any) -> None:  # noqa: N803 as Django calls it
        """Refuse before anything is read when the request says that it is too large."""
        self._refuse_beyond(content_length - _FORM_BYTES)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file of the form."""
        super().new_file(*args, **kwargs)
        on_disk = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115 the request closes it
        self.file = UploadedFile(on_disk, self.file_name, self.content_type, 0, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write on. Raises: RequestDataTooBig."""
        self._received_bytes += len(raw_data)
        self._refuse_beyond(self._received_bytes)
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[Any]":
        """The file, ready to be read from its beginning."""
        self.file.seek(0)
        self.file.size = file_size
        return self.file

    def _refuse_beyond(self, size_bytes: int) -> None:
        limit = settings.STRONGROOM.attachment_max_bytes
        if size_bytes > limit:
            raise RequestDataTooBig(say("An attachment can have at most {limit} bytes.", limit=limit))
