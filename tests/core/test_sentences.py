"""A sentence is the English text wherever it goes, and can be said in another language where it is shown."""

import copy
import json
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from strongroom.core.errors import Conflict, Invalid, Unavailable, sentence_of
from strongroom.core.sentences import NOTHING, Sentence, both, either, listed, opening, quoted, say, say_many

AT = datetime(2031, 12, 31, 23, 59, tzinfo=UTC)
SAID = {
    "{person} left.": "Fort ist {person}.",
    "{person} left at {at:%H:%M}, after {count:,} files.": "Nach {count:,} Dateien, um {at:%H:%M}, ging {person}.",
    "an owner": "ein Eigner",
    "a steward": "ein Verwalter",
    "{some} or {last}": "{some} oder {last}",
    "You cannot {deed}.": "{deed}: das geht nicht.",
    "delete it": "es löschen",
    "{count} file": "{count} Datei",
    "{count} files": "{count} Dateien",
}


def german(value: object) -> object:
    """As an edge does it: sentences found by their template, values by what they are."""
    if not isinstance(value, Sentence):
        return value
    wanted = value.plural if value.plural and value.number != 1 else value.template
    return value.worded(SAID.get(wanted, wanted), german)


def test_a_sentence_is_its_english_text() -> None:
    said = say("{person} left at {at:%H:%M}, after {count:,} files.", person="Ada", at=AT, count=12345)
    assert said == "Ada left at 23:59, after 12,345 files."
    assert isinstance(said, str) and {said: 1}[str(said)] == 1
    assert f"{said}" == str(said) == "".join([said]) and json.dumps({"said": said}) == json.dumps({"said": str(said)})
    assert type(str(said)) is str and say("It is done.") == "It is done."


def test_values_keep_what_they_are_and_anything_else_becomes_text() -> None:
    said = say("{at} {count} {path}", at=AT, count=3, path=Path("/a"))
    assert said.values == {"at": AT, "count": 3, "path": "/a"} and said.template == "{at} {count} {path}"


def test_a_sentence_is_said_in_another_order_with_the_same_values() -> None:
    said = say("{person} left at {at:%H:%M}, after {count:,} files.", person="Ada", at=AT, count=12345)
    assert german(said) == "Nach 12,345 Dateien, um 23:59, ging Ada."


def test_sentences_within_a_sentence_are_said_too() -> None:
    assert german(say("You cannot {deed}.", deed=say("delete it"))) == "es löschen: das geht nicht."


def test_a_count_has_a_form_of_its_own_for_one() -> None:
    counts = [say_many("{count} file", "{count} files", count) for count in (0, 1, 2)]
    assert counts == ["0 files", "1 file", "2 files"]
    assert [german(each) for each in counts] == ["0 Dateien", "1 Datei", "2 Dateien"]


def test_a_capital_is_put_where_the_sentence_begins_in_each_language() -> None:
    some = either([say("an owner"), say("a steward")])
    assert (some, opening(some)) == ("an owner or a steward", "An owner or a steward")
    assert german(opening(some)) == "Ein Eigner oder ein Verwalter"


def test_sentences_are_put_one_after_the_other() -> None:
    one, two, three = say("an owner"), say("a steward"), say("a researcher")
    assert either([one]) is one and either([one, two, three]) == "an owner, a steward or a researcher"
    assert listed([one, two]) == "an owner, a steward" and both([one, two]) == "an owner and a steward"


@pytest.mark.parametrize("bad", ["{nobody} ging.", "{} ging.", "{person", "{person:d}", "{person.age}", "{person!x}"])
def test_a_translation_that_does_not_fit_is_not_said(bad: str) -> None:
    assert say("{person} left.", person="Ada").worded(bad, german) == "Ada left."


def test_braces_in_values_are_text() -> None:
    said = say("{person} left.", person="{at} {0.__class__} {")
    assert said == "{at} {0.__class__} { left." and german(said) == "Fort ist {at} {0.__class__} {."
    assert german(quoted("{person} {")) == quoted("{person} {") == "{person} {"


def test_a_sentence_whose_values_do_not_fit_is_a_bug() -> None:
    with pytest.raises(KeyError):
        say("{person} left.")


@pytest.mark.parametrize("made", [say("{person} left.", person="Ada"), say_many("{count} file", "{count} files", 2)])
def test_a_sentence_survives_copying_and_pickling(made: Sentence) -> None:
    for other in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert isinstance(other, Sentence) and other == made and german(other) == german(made) != str(made)


def test_a_refusal_keeps_its_sentence() -> None:
    refusal = Conflict(say("{person} left.", person="Ada"), way_out=say("an owner"))
    assert str(refusal) == "Ada left." and german(refusal.sentence) == "Fort ist Ada."
    assert refusal.in_full == "Ada left. an owner" and german(refusal.in_full) == "Fort ist Ada. ein Eigner"
    assert Conflict(say("an owner")).in_full == "an owner" and Invalid(say("an owner")).way_out is NOTHING


def test_what_another_error_says_is_quoted() -> None:
    assert sentence_of(Unavailable(say("an owner"))) == "an owner" and sentence_of(OSError("{x}")) == "{x}"
    assert german(sentence_of(Unavailable(say("an owner")))) == "ein Eigner"
