"""The import contracts hold what the design says: each part is named in them, and the core is pure."""

import ast
import sys
import tomllib
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


def named(key: str, part: str) -> list[dict[str, Any]]:
    return [each for each in CONTRACTS if f"strongroom.{part}" in each.get(key, [])]


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
    server = set(PARTS) - CLIENTS - {"core"}
    assert {"django", *(f"strongroom.{part}" for part in server)} <= forbidden


@pytest.mark.parametrize("path", sorted((SOURCE / "core").rglob("*.py")), ids=lambda path: path.name)
def test_the_core_imports_the_standard_library_and_itself(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        imported = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        for name in imported:
            assert name.split(".")[0] in sys.stdlib_module_names or name.startswith("strongroom.core"), name
