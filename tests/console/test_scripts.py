"""Scripts that are modules: what is not ours is unmodified; browsers ask for them anew; they speak to nobody."""

import hashlib
from pathlib import Path

import pytest
from django.test import Client

STATIC = Path(__file__).parents[2] / "src/strongroom/console/static/console"
HASHES = STATIC / "vendor/noble-hashes"


def test_the_hash_library_is_as_its_authors_published_it() -> None:
    sums = dict(reversed(line.split()) for line in (HASHES / "SHA256SUMS").read_text().splitlines())
    found = {path.name for path in HASHES.iterdir()} - {"README.md", "SHA256SUMS"}
    assert set(sums) == found
    for name, wanted in sums.items():
        assert hashlib.sha256((HASHES / name).read_bytes()).hexdigest() == wanted, name


def test_no_script_of_ours_is_too_long() -> None:
    scripts = [path for path in STATIC.rglob("*.js") if "vendor" not in path.parts]
    assert len(scripts) > 10
    assert [path.name for path in scripts if len(path.read_text().splitlines()) > 400] == []


@pytest.mark.parametrize("path", ["vendor/noble-hashes/sha2.js", "upload/page.js", "upload/reading.js"])
def test_a_module_is_asked_for_anew_and_may_load_only_others_of_ours(path: str) -> None:
    response = Client().get(f"/static/console/{path}")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; script-src 'self'"
