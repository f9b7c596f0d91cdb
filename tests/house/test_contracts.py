"""The import contracts hold what the design says: each part is named in them, and the core is pure."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "strongroom"
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
PARTS = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
EDGES = {"api", "console"}
CLIENTS = {"cli", "agent"}
MOVERS = "movers"


def named(key: str, part: str) -> list[dict[str, Any]]:
    return [each for each in CONTRACTS if f"strongroom.{part}" in each.get(key, [])]


def imports_of(path: Path) -> Iterator[str]:
    """The modules that a module names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_its_place_in_the_layers(part: str) -> None:
    layers = next(each for each in CONTRACTS if each["type"] == "layers")["layers"]
    assert any(f"strongroom.{part}" in layer.replace("(", "").replace(")", "").split(" | ") for layer in layers)


@pytest.mark.parametrize("edge", sorted(EDGES & set(PARTS)))
def test_edges_are_kept_from_db_engines_and_hosts(edge: str) -> None:
    forbidden = {each for contract in named("source_modules", edge) for each in contract["forbidden_modules"]}
    assert {f"strongroom.{part}" for part in {"db", "engines", "hosts"} & set(PARTS)} <= forbidden


@pytest.mark.parametrize("client", sorted(CLIENTS & set(PARTS)))
def test_clients_are_kept_from_django_and_every_part_of_the_server(client: str) -> None:
    forbidden = {each for contract in named("source_modules", client) for each in contract["forbidden_modules"]}
    server = set(PARTS) - CLIENTS - {"core", MOVERS}
    assert {"django", *(f"strongroom.{part}" for part in server)} <= forbidden


@pytest.mark.parametrize("path", sorted((SOURCE / "core").rglob("*.py")), ids=lambda path: path.name)
def test_the_core_imports_the_standard_library_and_itself(path: Path) -> None:
    for name in imports_of(path):
        assert name.split(".")[0] in sys.stdlib_module_names or name.startswith("strongroom.core"), name


def test_movers_are_kept_from_every_part_but_the_core() -> None:
    forbidden = {each for contract in named("source_modules", MOVERS) for each in contract["forbidden_modules"]}
    assert {"django", "httpx", *(f"strongroom.{part}" for part in set(PARTS) - {"core", MOVERS})} <= forbidden


@pytest.mark.parametrize("path", sorted((SOURCE / MOVERS).rglob("*.py")), ids=lambda path: path.name)
def test_movers_import_the_standard_library_the_core_and_themselves(path: Path) -> None:
    for name in imports_of(path):
        assert name.split(".")[0] in sys.stdlib_module_names or name.startswith(
            ("strongroom.core", "strongroom.movers")
        ), name
