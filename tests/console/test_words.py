"""Every word that a page says can be translated: none stands in a template outside of what Django translates."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.base import Lexer, Token, TokenType

from strongroom.console.words import UNITS, WORDS
from strongroom.core import vocabulary
from strongroom.core.settings import entries

CONSOLE = Path(__file__).parents[2] / "src" / "strongroom" / "console"
TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))
# Without the samples of parts, which stand for what other parts of Strongroom say.
CODE = sorted(each for each in CONSOLE.rglob("*.py") if each.name != "components.py")
SAID = {"title", "aria-label", "placeholder", "alt", "data-label"}  # attributes that people read or hear
NOT_SAID = {"code", "pre"}  # what is typed is typed in every language
SHOWN = {"label", "help", "title", "text", "button", "words", "action", "last", "placeholder"}  # of what is included
NAME = "Strongroom"
WITHIN_A_TAG = "described.html"  # a part that holds attributes alone
LITERAL = re.compile(r"""(\w+)=(["'])(.*?)\2""")
TRANSLATES = {"gettext", "gettext_noop", "ngettext", "say", "say_many"}
SENTENCE = re.compile(r"[A-Za-z]{2,}[,:;]? [a-z]{2,}")
# Headers of files, and commands.
NOT_SENTENCES = re.compile(
    r"strongroom |attachment; |text/plain|text/javascript|public, |<time |Access key ID|Secret access key"
    r"|: --allow-empty"
)
DEFAULT = re.compile(r"""\|default(?:_if_none)?:(["'])(.*?)\1""")
# Words that only programs read, or that no row of a page shows.
NEVER_SHOWN = {
    *(each.value for each in vocabulary.Verb),
    *(each.value for each in vocabulary.SystemFact),
    *(each.value for each in vocabulary.ManifestForm),
    *(each.value for each in vocabulary.MountTool),
    *(each.value for each in vocabulary.IdentityKind),
    *(each.value for each in vocabulary.AttachmentKind),
    *(each.value for each in vocabulary.CheckState),
}


class Outside(HTMLParser):
    """Collects what people would read of a page; what a template fills in is an underscore."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within += [tag] if tag in NOT_SAID else []
        self.said += [value or "" for name, value in attrs if name in SAID]

    def handle_endtag(self, tag: str) -> None:
        if self.within and tag == self.within[-1]:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if not self.within:
            self.said.append(data)


def _untranslated(source: str) -> list[str]:
    """What a template says in words of its own."""
    left: list[str] = []
    literals: list[str] = []
    for token in _outside(Lexer(source).tokenize()):
        if token.token_type is TokenType.TEXT:
            left.append(token.contents)
        else:
            left.append("_" if token.token_type is TokenType.VAR else "")
            literals += _literals(token)
    page = Outside()
    page.feed("".join(left))
    page.close()
    return [each.strip() for each in [*page.said, *literals] if _is_human(each)]


def _outside(tokens: list[Token]) -> Iterator[Token]:
    """Without comments, classes, and what is between a tag that translates and its end."""
    ends = ""
    for token in tokens:
        first = token.contents.split(maxsplit=1)[0] if token.token_type is TokenType.BLOCK else ""
        if ends:
            ends = "" if first == ends else ends
        elif first in ("comment", "blocktranslate"):
            ends = f"end{first}"
        elif token.contents == "block width":  # a class
            ends = "endblock"
        elif first != "translate" and token.token_type is not TokenType.COMMENT:
            yield token


def _literals(token: Token) -> Iterator[str]:
    yield from (found[2] for found in DEFAULT.finditer(token.contents) if found[2] != "text")
    if token.contents.startswith(("include", "with")):
        for name, _, value in LITERAL.findall(token.contents):
            if name in SHOWN and not value.startswith(("/", "strongroom ")):
                yield value


def _is_human(text: str) -> bool:
    return any(letter.isalpha() for letter in text.replace(NAME, ""))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(CONSOLE / "templates" / "console")))
def test_a_template_says_nothing_that_cannot_be_translated(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert _untranslated(f"<i {source}>" if path.name == WITHIN_A_TAG else source) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Gone {{ x }}</p>", ["Gone _"]),
        ("<p>{% if x %}Gone{% endif %}</p>", ["Gone"]),
        ('<a title="Away" href="/away">{{ x }}</a>', ["Away"]),
        ('<a class="{% if x %}away{% endif %}" aria-label="{{ x }} away">–</a>', ["_ away"]),
        ('{% include "a.html" with label="Name" name="name" %}', ["Name"]),
        ('{{ x|default:"none" }}', ["none"]),
        ('{% translate "Here" %} and there', ["and there"]),
        ("{% blocktranslate %}Here{% endblocktranslate %}<b>there</b>", ["there"]),
        ('{% include "a.html" with label=_("Name") %}<p>{% translate "x" %} · <code>ls</code></p>', []),
        ("{% block width %}narrow{% endblock %}", []),
        ("{% comment %}Why{% endcomment %}<b>Strongroom</b>&nbsp;{{ x }}", []),
    ],
)
def test_words_of_a_template_are_found_where_they_hide(source: str, found: list[str]) -> None:
    assert _untranslated(source) == found


def test_all_templates_are_read() -> None:
    assert len(TEMPLATES) > 80


def test_every_word_that_a_row_may_hold_is_known_to_translators() -> None:
    enums = [each for each in vars(vocabulary).values() if isinstance(each, type) and issubclass(each, StrEnum)]
    stored = {word.value for enum in enums if enum is not StrEnum for word in enum}
    assert stored - NEVER_SHOWN - WORDS == set()


def test_every_unit_of_a_setting_is_known_to_translators() -> None:
    assert {each.unit for each in entries()} == UNITS


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(CONSOLE)))
def test_code_says_no_sentence_that_cannot_be_translated(path: Path) -> None:
    assert _sentences(path.read_text(encoding="utf-8")) == []


def test_sentences_of_code_are_found_where_they_hide() -> None:
    lines = [
        '"""What it knows."""',
        'SAID = "It was done."',
        'def f(x): return [gettext("It is done."), f"{x} is gone", "strongroom grant list"]',
    ]
    assert sorted(_sentences("\n".join(lines))) == [" is gone", "It was done."]


def _sentences(source: str) -> list[str]:
    """What code says in words, besides documentation and what is given to the translators."""
    tree = ast.parse(source)
    known: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            known.add(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATES:
            known |= set(ast.walk(node))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in known]
    said = [each for each in texts if isinstance(each, str) and SENTENCE.search(each)]
    return [each for each in said if not NOT_SENTENCES.match(each)]
