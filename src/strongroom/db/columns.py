"""Column shapes that several tables share."""

from collections.abc import Iterable
from enum import StrEnum

from django.db import models


def word(words: type[StrEnum], **options: object) -> "models.CharField[str, str]":
    """A column that holds one word of a vocabulary."""
    return models.CharField(max_length=40, choices=[(each.value, each.value) for each in words], **options)  # type: ignore[arg-type]


def one_of(column: str, words: Iterable[StrEnum]) -> models.CheckConstraint:
    """The database itself refuses a word outside the vocabulary."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{column}__in": [each.value for each in words]}), name=f"%(class)s_{column}_known"
    )
