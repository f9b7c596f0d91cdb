"""Which pages the guide shows pictures of, and how people come to them."""

from collections.abc import Callable, Mapping

from tests.journeys.browser.person import Person
from tests.journeys.browser.scene import Scene


def _ada(scene: Scene, which: str, tab: str = "") -> Person:
    return scene.people["ada"].go(scene.studies[which].path + tab)


def _new(scene: Scene) -> Person:
    ada = scene.people["ada"].go(f"/spaces/{scene.ids['space_id'][0]}/datasets/new").pick("Original")
    return ada.fill("Name", "Cohort 2026").fill("Description", "Third wave")


def _key(scene: Scene) -> Person:
    ada = scene.people["ada"].go(f"/spaces/{scene.ids['space_id'][0]}/datasets/new").pick("Original")
    ada.fill("Name", "Cohort 2026").fill("Description", "Third wave").click("Create dataset")
    ada.click("Get initial credentials", within=".ds-side").click("Get access key").sees("Save both now")
    return ada


def _access(scene: Scene) -> Person:
    scene.beat()
    return _ada(scene, "finalized", "/access").click("Provision server access")


def _revoke(scene: Scene) -> Person:
    scene.beat()
    return _ada(scene, "finalized", "/access").click("Revoke access")


def _server(scene: Scene) -> Person:
    scene.beat()
    return scene.people["ada"].go(f"/servers/{scene.ids['server_id'][0]}")


def _derivative(scene: Scene) -> Person:
    ada = scene.people["ada"].go(f"/spaces/{scene.ids['space_id'][0]}/datasets/new").pick("Derivative")
    ada.fill("Name", "Sleep scores").pick("Cohort 2024").pick("External source")
    return ada.fill("Where the external source is", "The national registry, 2019")


def _windows(scene: Scene) -> Person:
    return _ada(scene, "finalized", "/connect").click("PowerShell (Windows)", within=".ds-clients")


def _clients(scene: Scene) -> Person:
    return _ada(scene, "pending", "/connect").click("AWS CLI", within=".ds-clients")


def _upload(scene: Scene) -> Person:
    ada = _ada(scene, "pending", "/upload").sees("Drop files and folders here")
    files = [(f"visit-{number}.csv", b"id,score\n" * 900 * number) for number in range(1, 4)]
    chosen = [{"name": name, "mimeType": "text/csv", "buffer": content} for name, content in files]
    ada.page.locator("[data-input=files]").set_input_files(chosen)  # type: ignore[arg-type]
    return ada.sees("will be sent")


PICTURES: Mapping[str, Callable[[Scene], Person]] = {
    "data-set": lambda scene: _ada(scene, "finalized"),
    "space": lambda scene: scene.people["ada"].go(f"/spaces/{scene.ids['space_id'][0]}"),
    "create": _new,
    "create-derivative": _derivative,
    "pending": lambda scene: _ada(scene, "pending"),
    "upload-browser": _upload,
    "attachments": lambda scene: _ada(scene, "pending", "/attachments"),
    "access-key": _key,
    "how-to-connect": _clients,
    "finalize": lambda scene: _ada(scene, "pending", "/finalize"),
    "server-access": _access,
    "revoke": _revoke,
    "server": _server,
    "mount-linux": lambda scene: _ada(scene, "finalized", "/connect"),
    "mount-windows": _windows,
    "lineage": lambda scene: _ada(scene, "derivative", "/lineage"),
    "integrity": lambda scene: _ada(scene, "finalized", "/integrity"),
    "home": lambda scene: scene.people["ada"].go("/"),
    "people": lambda scene: scene.people["ada"].go(f"/spaces/{scene.ids['space_id'][0]}/people"),
}
"""By file name."""
