"""The steps of closing a data set, and how a step says that it must wait."""

from datetime import timedelta

CLOSING = "closing"  # policy without the uploader, engine frozen, keys removed
DRAINING = "draining"  # waiting for requests that were under way to end
ABORTING = "aborting"  # unfinished multipart uploads
LOCKING = "locking"  # retention on every object
LISTING = "listing"  # the manifest
SIGNING = "signing"  # the receipt
REMOVING = "removing"  # the bucket of a data set that is deleted


class NotYet(Exception):
    """Nothing is wrong; look again after `delay`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not yet; again in {seconds} s")
        self.delay = timedelta(seconds=seconds)
