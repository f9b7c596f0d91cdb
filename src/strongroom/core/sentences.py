"""Sentences for people that can be said in another language later: the English, and what it was made of.

raise Conflict(say("{dataset} was finalized by {person}.", dataset=dataset.name, person=person.email))

Refuses to know languages: who shows a sentence to a person finds the words for it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import reduce

# What stays as it is, so that whoever shows it can say it in their own way; anything else is kept as text.
_KEPT = (str, int, float, Decimal, date)


class Sentence(str):
    """The English sentence: a text like any other, which also knows its template and the values in it.

    With a `plural`, which is used unless `number` is 1, the template is for one. `is_opening`: begins with a capital.
    """

    __slots__ = ("is_opening", "number", "plural", "template", "values")

    template: str
    values: Mapping[str, object]
    plural: str
    number: int
    is_opening: bool

    def __new__(
        cls, template: str, values: Mapping[str, object], plural: str = "", number: int = 1, is_opening: bool = False
    ) -> "Sentence":
        """Raises: LookupError or ValueError when the values are not those of the template."""
        english = (template if number == 1 or not plural else plural).format_map(values)
        made = super().__new__(cls, _capital(english) if is_opening else english)
        made.template, made.values, made.is_opening = template, values, is_opening
        made.plural, made.number = plural, number
        return made

    def __reduce__(self) -> tuple[object, ...]:
        return Sentence, (self.template, dict(self.values), self.plural, self.number, self.is_opening)

    def worded(self, template: str, value_in_words: Callable[[object], object]) -> str:
        """The sentence as `template` says it, the same one in another language; English where that does not fit."""
        values = {name: value_in_words(each) for name, each in self.values.items()}
        try:
            text = template.format_map(values)
        except (LookupError, ValueError, TypeError, AttributeError):
            return str(self)
        return _capital(text) if self.is_opening else text


def say(template: str, /, **values: object) -> Sentence:
    """The sentence that this makes, which translators see with the names of its values: `"{person} left."`.

    A value may be a sentence itself. Raises: LookupError or ValueError when values and template do not fit.
    """
    return Sentence(template, _kept(values))


def say_many(one: str, many: str, count: int, /, **values: object) -> Sentence:
    """The same with a form for one and another for other numbers; `{count}` is a value, too."""
    return Sentence(one, {"count": count, **_kept(values)}, many, count)


def quoted(text: object) -> Sentence:
    """What a person or another program said: the same in every language."""
    return Sentence("{text}", _kept({"text": text}))


def opening(sentence: Sentence) -> Sentence:
    """The same with a capital at its beginning, in every language."""
    return Sentence(sentence.template, sentence.values, sentence.plural, sentence.number, is_opening=True)


def listed(sentences: Iterable[Sentence]) -> Sentence:
    """`an owner, a steward`: one after the other."""
    return reduce(lambda some, another: say("{some}, {another}", some=some, another=another), sentences)


def either(sentences: Iterable[Sentence]) -> Sentence:
    """`an owner, a steward or an auditor`."""
    *some, last = sentences
    return say("{some} or {last}", some=listed(some), last=last) if some else last


def both(sentences: Iterable[Sentence]) -> Sentence:
    """`an owner and an auditor`, also of one or of more."""
    return reduce(lambda one, another: say("{one} and {another}", one=one, another=another), sentences)


def _kept(values: Mapping[str, object]) -> dict[str, object]:
    return {name: each if isinstance(each, _KEPT) else str(each) for name, each in values.items()}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


NOTHING = Sentence("", {})
"""Where nothing is to be said, such as a way out of what needs none."""
