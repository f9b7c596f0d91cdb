"""Terms are shown as they were meant, however their file was broken into lines."""

from strongroom.core import terms


def test_lines_that_were_broken_to_fit_an_editor_are_joined() -> None:
    assert terms.paragraphs("Title\n\n1. One\n   goes on.\n2. Two\n- three\n\nThe\nend.\n") == [
        "Title",
        "1. One goes on.",
        "2. Two",
        "- three",
        "The end.",
    ]


def test_the_built_in_terms_are_a_title_and_six_sentences_of_their_own() -> None:
    title, *items = terms.paragraphs(terms.TEXT)
    assert title.startswith("Terms")
    assert [each[:2] for each in items] == [f"{number}." for number in range(1, 7)]
    assert " ".join([title, *items]).split() == terms.TEXT.split()
