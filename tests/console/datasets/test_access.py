"""Getting at the files: the access key, servers, the settings of clients."""

import base64
import re

from strongroom.actions import transfers
from strongroom.core.vocabulary import Kind, Role, StaffRole
from strongroom.db.models import Grant, UploadKey
from tests.console.datasets.shown import refused, root, seen, sent, text
from tests.console.signed_in import browser
from tests.world import World


def test_the_secret_is_shown_once_with_a_file_to_keep(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.owner(dataset.space))
    assert "Get access key" in seen(client, f"{root(dataset)}/access")
    response = client.post(f"{root(dataset)}/access/key")
    assert response.status_code == 200 and response.headers["Cache-Control"] == "no-store"
    body = response.content.decode()
    encoded = re.search(r"data:text/csv;base64,([A-Za-z0-9+/=]+)", body)
    assert encoded is not None
    kept = base64.b64decode(encoded.group(1)).decode().splitlines()
    assert kept[0] == "User Name,Access key ID,Secret access key"
    _, access_key_id, secret = kept[1].split(",")
    assert body.count(secret) >= 2 and dataset.repository in body
    page = client.get(f"{root(dataset)}/access").content.decode()
    assert access_key_id in page and secret not in page
    assert "secret is shown once only" in refused(client, f"{root(dataset)}/access/key", 409)


def test_a_key_is_renewed_reset_once_and_revoked(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.owner(dataset.space))
    first = client.post(f"{root(dataset)}/access/key")
    assert first.status_code == 200
    sent(client, f"{root(dataset)}/access/key/renew", days="3")
    assert "days must be between" in refused(client, f"{root(dataset)}/access/key/renew", 422, days="9999")
    assert "not a whole number" in refused(client, f"{root(dataset)}/access/key/renew", 422, days="soon")
    again = client.post(f"{root(dataset)}/access/key/reset")
    assert again.status_code == 200 and "Save both now" in text(again)
    assert "Support staff can reset it again" in seen(client, f"{root(dataset)}/access")
    assert "already reset once" in refused(client, f"{root(dataset)}/access/key/reset", 403)
    sent(client, f"{root(dataset)}/access/key/revoke")
    assert "No key works now" in seen(client, f"{root(dataset)}/access")
    assert "no access key that works" in refused(client, f"{root(dataset)}/access/key/revoke", 409)


def test_support_resets_a_key_only_with_a_reason(world: World) -> None:
    dataset = world.dataset()
    world.key(dataset)
    support = browser(world.person("support", staff_role=StaffRole.SUPPORT))
    assert "Reason, for the ledger" in seen(support, f"{root(dataset)}/access")
    refused(support, f"{root(dataset)}/access/key/reset", 422, reason="")
    assert support.post(f"{root(dataset)}/access/key/reset", {"reason": "Laptop stolen"}).status_code == 200
    assert UploadKey.objects.filter(dataset=dataset, is_support_reset=True, reason="Laptop stolen").exists()


def test_a_researcher_gets_no_key_of_another_ones_data_set(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.member(dataset.space, Role.RESEARCHER))
    assert "Get access key" not in seen(client, f"{root(dataset)}/access")
    for deed in ("key", "key/reset", "key/renew", "key/revoke"):
        assert "You may not" in refused(client, f"{root(dataset)}/access/{deed}", 403)
    assert not UploadKey.objects.exists()


def test_a_server_is_provisioned_and_revoked(world: World) -> None:
    dataset = world.finalized()
    server = world.machine(dataset.space).row
    client, path = browser(world.owner(dataset.space)), f"{root(dataset)}/access/servers"
    assert "No server has access" in seen(client, f"{root(dataset)}/access")
    assert "Which server?" in refused(client, path, 422, server_id="")
    assert "not in the list" in refused(client, path, 422, server_id="x")
    assert "must lie in the future" in refused(client, path, 422, server_id=server.id, expires_at="2001-01-01")
    page = sent(client, path, server_id=server.id, reason="Second analysis", expires_at="2099-12-31")
    assert server.name in page and "Second analysis" in page and "Revoke access" in page
    assert "already" in refused(client, path, 409, server_id=server.id)
    sent(client, f"{path}/{server.id}/end", expires_at="")
    assert Grant.objects.get().expires_at is None
    assert "Access that ended" in sent(client, f"{path}/{server.id}/revoke", reason="Done")
    assert Grant.objects.get().ended_at is not None
    assert "has no access" in refused(client, f"{path}/{server.id}/revoke", 409)


def test_a_pending_data_set_says_why_no_server_can_have_it(world: World) -> None:
    dataset = world.dataset()
    server = world.machine(dataset.space).row
    client = browser(world.owner(dataset.space))
    assert "Finalize it first" in seen(client, f"{root(dataset)}/access")
    assert "Finalize it first" in refused(client, f"{root(dataset)}/access/servers", 409, server_id=server.id)


def test_settings_of_clients_are_made_for_this_repository_without_the_secret(world: World) -> None:
    dataset = world.dataset()
    key = world.key(dataset)
    client = browser(world.owner(dataset.space))
    for name in ("cyberduck", "aws", "crossftp", "rclone", "s3fs", "boto3", "r", "nonsense"):
        body = client.get(f"{root(dataset)}/connect?client={name}").content.decode()
        assert dataset.repository in body and key.secret not in body
    assert key.access_key_id in client.get(f"{root(dataset)}/connect?client=aws").content.decode()
    bookmark = client.get(f"{root(dataset)}/connect/bookmark")
    assert bookmark.headers["Content-Disposition"].startswith("attachment") and b"<plist" in bookmark.content


def test_a_finalized_one_shows_how_a_server_connects(world: World) -> None:
    dataset = world.finalized(world.dataset(kind=Kind.DERIVATIVE))
    client = browser(world.owner(dataset.space))
    assert "no client needs a key" in seen(client, f"{root(dataset)}/connect")
    assert "New-S3RcloneDrive" in seen(client, f"{root(dataset)}/connect?client=powershell")
    assert client.get(f"{root(dataset)}/connect/bookmark").status_code == 404


def test_whoever_comes_to_the_path_of_a_button_is_led_to_its_page(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.owner(dataset.space))
    for path, tab in (("access/key", "access"), ("access/servers", "access"), ("retry", "")):
        response = client.get(f"{root(dataset)}/{path}")
        assert response.status_code == 302
        assert response.headers["Location"] == f"{root(dataset)}/{tab}".rstrip("/")
    assert not UploadKey.objects.exists()


def test_a_deed_without_a_second_factor_leads_to_where_one_is_enrolled(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.owner(dataset.space), is_proved=False)
    response = client.post(f"{root(dataset)}/access/key")
    assert response.status_code == 302 and response.headers["Location"].startswith("/account/mfa?next=")
    assert not UploadKey.objects.exists()


def test_running_transfers_are_listed_and_ended_by_who_keeps_the_data_set(world: World) -> None:
    dataset = world.dataset()
    steward = world.member(dataset.space, Role.STEWARD)
    assert "Transfers that run now" not in seen(browser(steward), f"{root(dataset)}/access")
    opened = transfers.open_(steward, dataset.id, label="scanner 7")
    where = f"{root(dataset)}/access/transfers/{opened.transfer.id}/end"
    for role in (Role.RESEARCHER, Role.AUDITOR):
        client = browser(world.member(dataset.space, role))
        shown = client.get(f"{root(dataset)}/access").content.decode()
        assert ("scanner 7" in shown) == (role is Role.AUDITOR) and where not in shown
        refused(client, where, 403)
    client = browser(world.owner(dataset.space))
    assert f"{steward.email} upload: scanner 7" in seen(client, f"{root(dataset)}/access")
    assert "Transfers that ended" not in seen(client, f"{root(dataset)}/access")
    shown = sent(client, where)
    assert "The transfer was ended" in shown and "Transfers that ended" in shown and "closed by owner" in shown
    again = transfers.open_(steward, dataset.id)
    transfers.close(steward, again.transfer.id, transfers.Summary(file_count=7, size_bytes=1500, problem_count=1))
    assert "7 1.5 kB 1 closed" in seen(client, f"{root(dataset)}/access")
    assert not world.engine.put_as(opened.session, dataset.repository, "a", b"1")
    assert "it was closed" in refused(client, where, 409)
