"""Takes in what is uploaded: straight to disk, never more than the limit, whatever the request claims."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import TemporaryFileUploadHandler

_FORM_BYTES = 100_000  # what the other fields of the form and its boundaries may take


class LimitedUpload(TemporaryFileUploadHandler):
    """A temporary file that only this user can read; refuses once there is more than an attachment may have."""

    _received_bytes = 0

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):  # type: ignore[no-untyped-def]  # noqa: N803 as Django calls it
        """Refuse before anything is read when the request says that it is too large."""
        self._refuse_beyond(content_length - _FORM_BYTES)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write on. Raises: RequestDataTooBig."""
        self._received_bytes += len(raw_data)
        self._refuse_beyond(self._received_bytes)
        super().receive_data_chunk(raw_data, start)

    def _refuse_beyond(self, size_bytes: int) -> None:
        limit = settings.STRONGROOM.attachment_max_bytes
        if size_bytes > limit:
            raise RequestDataTooBig(f"An attachment can have at most {limit} bytes.")
