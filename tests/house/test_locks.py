"""The locks: everything by version and hash, and what `make up` installs is what the tests run on."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def locked(name: str) -> dict[str, str]:
    return {package.lower(): version for package, version in REQUIREMENT.findall((ROOT / name).read_text())}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_requirement_has_a_version_and_a_hash(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 20
    for entry in (each for each in entries if not each.startswith("#")):
        assert REQUIREMENT.match(entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_tests_run_on_the_versions_that_make_up_installs() -> None:
    development = locked("requirements-dev.lock")
    served = locked("requirements.lock")
    assert {package: development.get(package) for package in served} == served


def test_what_builds_the_package_is_locked() -> None:
    assert "flit-core" in locked("requirements.lock")


def test_what_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    served = [*project["dependencies"], *extras["server"], *extras["build"]]
    for name, asked in (("requirements.lock", served), ("requirements-dev.lock", [*served, *extras["dev"]])):
        names = {re.split(r"[\[<>=~!; ]", each, maxsplit=1)[0].lower().replace("_", "-") for each in asked}
        assert names <= set(locked(name)), names - set(locked(name))
