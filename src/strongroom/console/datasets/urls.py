"""Where the pages of data sets are."""

from django.urls import URLPattern, path

from strongroom.console.datasets import (
    access,
    attaching,
    closing,
    connecting,
    creating,
    editing,
    looking,
    overview,
    proving,
    transferring,
    uploading,
)

ONE = "datasets/<uuid:dataset_id>"
ATTACHMENT = f"{ONE}/attachments/<uuid:attachment_id>"
SERVER = f"{ONE}/access/servers/<uuid:server_id>"
TRANSFER = f"{ONE}/transfers/<uuid:transfer_id>"

urlpatterns: list[URLPattern] = [
    path("spaces/<uuid:space_id>/datasets/new", creating.create),
    path(ONE, overview.show),
    path(f"{ONE}/progress", overview.progress),
    path(f"{ONE}/retry", overview.retry),
    *(path(f"{ONE}/{deed}", closing.control, {"deed": deed}) for deed in closing.CONTROLS),
    path(f"{ONE}/access", access.show),
    path(f"{ONE}/access/key", access.issue),
    path(f"{ONE}/access/key/reset", access.reset),
    path(f"{ONE}/access/key/renew", access.renew),
    path(f"{ONE}/access/key/revoke", access.revoke_key),
    path(f"{ONE}/access/servers", access.provision),
    path(f"{ONE}/access/transfers/<uuid:transfer_id>/end", access.end_transfer),
    path(f"{SERVER}/revoke", access.revoke),
    path(f"{SERVER}/end", access.change_end),
    path(f"{ONE}/upload", uploading.show),
    path(f"{ONE}/transfers", transferring.begin),
    path(f"{TRANSFER}/renew", transferring.renew),
    path(f"{TRANSFER}/digests", transferring.record),
    path(f"{TRANSFER}/close", transferring.close),
    path(f"{ONE}/connect", connecting.show),
    path(f"{ONE}/connect/bookmark", connecting.bookmark),
    path(f"{ONE}/attachments", attaching.show),
    path(f"{ATTACHMENT}/link", attaching.link),
    path(f"{ATTACHMENT}/remove", attaching.remove),
    path(f"{ATTACHMENT}/supersede", attaching.supersede),
    path(f"{ONE}/contents", looking.contents),
    path(f"{ONE}/lineage", looking.origin),
    path(f"{ONE}/integrity", proving.integrity),
    path(f"{ONE}/integrity/check", proving.check),
    path(f"{ONE}/integrity/manifest", proving.manifest_file),
    path(f"{ONE}/integrity/crate", proving.crate_file),
    *(path(f"{ONE}/integrity/{part}", proving.receipt_file, {"part": part}) for part in proving.PARTS),
    path(f"{ONE}/activity", looking.activity),
    path(f"{ONE}/edit", editing.edit),
]
