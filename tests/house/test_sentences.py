"""What refuses somebody is a sentence that translators find: a text as it stands, with names for the values in it.

That every message, way out and field of a refusal is one is for the types to say (`core.errors`, checked by mypy);
here is what they cannot: that the text is written where it is said, and that its values are all there.
"""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.console.collecting import LEFT_OUT
from strongroom.core import errors

SOURCE = Path(__file__).parents[2] / "src/strongroom"
FILES = sorted(path for path in SOURCE.rglob("*.py") if path.relative_to(SOURCE).parts[0] not in LEFT_OUT)
REFUSALS = {name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, errors.Refusal)}
TEXTS = {"format", "join", "str", "strip", "replace"}  # what would make an English text of a sentence


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield _name(node.func), node


def _name(of: ast.expr) -> str:
    return of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""


def _unsaid(source: str) -> list[str]:
    """What a refusal says that is no sentence."""
    found = [each for name, call in _calls(ast.parse(source)) if name in REFUSALS for each in _words(call)]
    return [ast.unparse(each) for each in found if _is_plain(each)]


def _words(call: ast.Call) -> Iterator[ast.expr]:
    given = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "way_out")]
    fields = next((each.value for each in call.keywords if each.arg == "fields"), None)
    given += fields.values if isinstance(fields, ast.Dict) else []
    for each in given:
        yield from (each.body, each.orelse) if isinstance(each, ast.IfExp) else (each,)


def _is_plain(said: ast.expr) -> bool:
    return isinstance(said, ast.Constant | ast.JoinedStr | ast.BinOp) or (
        isinstance(said, ast.Call) and _name(said.func) in TEXTS
    )


def _ill_said(source: str) -> list[str]:
    """Sentences whose text stands elsewhere, or does not name just the values that it is given."""
    found = []
    for name, call in _calls(ast.parse(source)):
        if name in ("say", "say_many"):
            forms = call.args[: 1 if name == "say" else 2]
            given = {each.arg for each in call.keywords} | ({"count"} if name == "say_many" else set())
            named = [_named(each) for each in forms]
            if None in named or set().union(*(each or set() for each in named)) != given:
                found.append(ast.unparse(call))
    return found


def _named(form: ast.expr) -> set[str | None] | None:
    if not isinstance(form, ast.Constant) or not isinstance(form.value, str):
        return None
    return {name for _, name, _, _ in string.Formatter().parse(form.value) if name is not None}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_refusals_say_what_translators_find(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert _unsaid(source) == [] and _ill_said(source) == []


def test_refusals_that_say_it_otherwise_are_found() -> None:
    source = """
raise Conflict("It is gone.", code="gone")
raise Invalid(f"{name} is gone.", fields={"name": "is gone", "other": say("is gone")})
raise errors.NotFound(say("{name} is gone.", name=name), way_out="See " + page if page else say("Look again."))
raise Forbidden(gettext("{name} is gone.").format(name=name), way_out=" ".join(words))
raise Unavailable(str(error))
raise Problem("It is gone.")
"""
    assert len(_unsaid(source)) == 7


@pytest.mark.parametrize(
    "said",
    [
        'say(f"{name} is gone.")',
        "say(text)",
        'say("{name} is gone.")',
        'say("It is gone.", name=name)',
        'say("{name} is gone.", other=name)',
        'say_many("A file.", "Files.", 2, name=name)',
        'say_many("{count} file", MANY, 2)',
    ],
)
def test_sentences_that_nobody_could_translate_are_found(said: str) -> None:
    assert _ill_said(said) == [ast.unparse(ast.parse(said))]


def test_sentences_that_somebody_can_translate_are_not() -> None:
    assert _ill_said('say("It is gone."); say("{at:%H:%M} {name!r}", at=at, name=name)') == []
    assert _ill_said('say_many("{count} file of {name}", "{count} files of {name}", 2, name=name)') == []


def test_all_packages_are_read_whose_sentences_people_see() -> None:
    assert {path.relative_to(SOURCE).parts[0] for path in FILES} >= {
        *("core", "actions", "identity", "engines", "hosts", "runtime", "api", "console")
    }
    assert len(REFUSALS) == 9 and len(FILES) > 200
