"""One of everything that a page can show: spaces, people, data sets in each state, documents, a server with a mount."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.journeys.agents import Agent, joined
from tests.journeys.api import Api, Study
from tests.journeys.browser.cast import Cast
from tests.journeys.browser.person import Person
from tests.journeys.system import System

IDS = re.compile(r"<(?:\w+:)?(\w+)>")
AGREEMENT = b"%PDF-1.7 The recipient shall not try to identify anybody.\n" * 400


@dataclass
class Scene:
    """`people` are browsers, by who they are. `ids` are what a placeholder of a path can stand for."""

    cast: Cast
    people: dict[str, Person]
    ids: dict[str, list[str]]
    studies: dict[str, Study]
    agents: list[Agent]

    def beat(self) -> None:
        """Both machines are heard, and the first has the finalized data set mounted."""
        for agent, mounts in zip(self.agents, ([_mount(self.studies["finalized"])], []), strict=True):
            agent.ask("heartbeat", hostname="vm", os_version="Debian 12", agent_version="1", mounts=mounts)

    def paths(self, written: str) -> list[str]:
        """Every path that such a pattern stands for here; empty where the scene lacks what it names."""
        found = [written]
        for name in IDS.findall(written):
            found = [IDS.sub(each, path, count=1) for path in found for each in self.ids.get(name, [])]
        return found


def set_scene(people: Cast) -> Scene:
    """Ada's: made over the API, then she and the others come in by a browser."""
    system = people.system
    ada, email = _api(system, "ada@example.org", "Ada Lovelace")
    space = ada.post("/spaces", name="Sleep study", risk_level="high", charge_code="CC-1234", contact="Ward 7")["id"]
    for name, role in (("Bob Bailey", "steward"), ("Carol Clarke", "researcher"), ("Dan Doyle", "auditor")):
        system.administrator.post("/people", email=_address(name), name=name, staff_role=None)
        ada.post(f"/spaces/{space}/members", email=_address(name), role=role)
    studies = _studies(system, ada, space)
    agent = joined(system, ada, space, "genomics-1")
    ada.post(f"{studies['finalized'].path}/grants", server_id=agent.server_id, reason="Analysis of the first wave")
    idle = joined(system, ada, space, "imaging-2")
    agent.ask("credentials")
    ended = ada.post(f"{studies['pending'].path}/transfers")["id"]
    ada.post(f"/transfers/{ended}/close", file_count=4, size_bytes=21023, problem_count=0)
    ada.post(f"{studies['derivative'].path}/transfers", label="scanner 7")
    documents = ada.get(f"{studies['pending'].path}/attachments")["items"]
    token = ada.post("/tokens", name="nightly-export", scopes=["read"], days=30)
    ids = {
        "space_id": [space],
        "dataset_id": [each.id for each in studies.values()],
        "attachment_id": [documents[0]["id"]],
        "server_id": [agent.server_id],
        "person_id": [_person(system, "bob.bailey@example.org")],
        "token_id": [token["id"]],
        "mapping_id": [_mapped(system, space)],
        "kind": ["oidc"],
        "passkey_id": [space],
        "session_id": [space],
        "device_id": [space],
        "transfer_id": [space],
        "code": [_invite(system, "carol.clarke@example.org")],
    }
    return Scene(people, _browsers(people, email), ids, studies, [agent, idle])


def _browsers(people: Cast, email: str) -> dict[str, Person]:
    return {
        "nobody": people.stranger(),
        "ada": people.come_in(_invite(people.system, email), email),
        "support": people.somebody("support@example.org", "Support", "support"),
        "admin": people.admin,
    }


def _studies(system: System, ada: Api, space: str) -> dict[str, Study]:
    """One in each state that lasts, with its files and documents."""
    finalized = _filled(system, ada, space, "Cohort 2024", kind="original", description="First wave, 412 participants")
    finalized.finalize()
    system.settled(finalized)
    pending = _filled(system, ada, space, "Cohort 2025", kind="original", description="Second wave")
    about = {"source_ids": [finalized.id], "external_source": "The national registry, 2019"}
    derivative = _filled(system, ada, space, "Sleep scores", kind="derivative", **about)
    return {"pending": pending, "derivative": derivative, "finalized": finalized}


def _filled(system: System, ada: Api, space: str, name: str, **fields: Any) -> Study:
    made = ada.post("/datasets", space_id=space, name=name, data_classifications=["PHI"], data_format="CSV", **fields)
    study = Study(ada, made["id"], made["name"], made["repository"], system.gateway).issue()
    for number in range(3):
        key = f"visits/{number + 1}.csv"
        system.s3(study).put_object(Bucket=study.repository, Key=key, Body=b"id,score\n1,17\n" * 500)
    system.s3(study).put_object(Bucket=study.repository, Key="codebook.csv", Body=b"name,meaning\nid,person\n")
    about = {"title": "Agreement with the registry", "kind": "data-use-agreement"}
    ada.attach(f"{study.path}/attachments", "agreement.pdf", AGREEMENT, **about)
    return study


def _mount(study: Study) -> dict[str, Any]:
    """As the agent of a machine reports it."""
    return {
        "repository": study.repository,
        "path": "/mnt/cohort",
        "tool": "rclone",
        "is_read_only": True,
        "is_persistent": True,
        "health": "ok",
        "checked_at": datetime.now(UTC).isoformat(),
    }


def _address(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@example.org"


def _api(system: System, email: str, name: str) -> tuple[Api, str]:
    made = system.administrator.post("/people", email=email, name=name, staff_role=None)
    return system.sign_in(made["sign_in_code"], email), email


def _person(system: System, email: str) -> str:
    return str(next(each["id"] for each in system.administrator.all("/people") if each["email"] == email))


def _mapped(system: System, space: str) -> str:
    about = {"group": "/hospital/sleep", "space_id": space, "role": "researcher"}
    return str(system.administrator.post("/mappings", **about)["id"])


def _invite(system: System, email: str) -> str:
    return str(system.administrator.post(f"/people/{_person(system, email)}/invite")["sign_in_code"])
