"""The refusals, and nothing about how an edge shows them.

    Refusal
    ├── Unauthenticated  401  nobody is signed in, or the credential has ended
    │   └── WrongClock   401  a machine's request was signed at another time than now; `time` is ours
    ├── NotFound         404  it does not exist, or the actor may not know that it does
    ├── Forbidden        403  the actor may see it, but not do this
    ├── Conflict         409  not now: the state, or somebody else's deed, is in the way
    ├── Invalid          422  the words of the request are wrong; `fields` says which
    ├── TooMany          429  tried too often; `retry_after_seconds` says when to come back
    └── Unavailable      503  the engine or a host did not obey; what was asked stands and is retried

Every message names the thing, the reason and the way out. Anything else that is raised is a bug.
Messages are sentences (`core.sentences`): in English wherever they go, and translated where the console shows them.
"""

from collections.abc import Mapping
from datetime import datetime

from strongroom.core.sentences import NOTHING, Sentence, quoted, say


class Refusal(Exception):
    """A deed that was not done. `sentence` and `str()` are for people; `code` is a stable word for programs."""

    code = "refused"
    status = 400

    def __init__(
        self,
        message: Sentence,
        *,
        code: str | None = None,
        way_out: Sentence = NOTHING,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.sentence = message
        self.code = code or type(self).code
        self.way_out = way_out
        self.retry_after_seconds = retry_after_seconds

    @property
    def in_full(self) -> Sentence:
        """The sentence with the way out after it."""
        if not self.way_out:
            return self.sentence
        return say("{sentence} {way_out}", sentence=self.sentence, way_out=self.way_out)


class Unauthenticated(Refusal):
    """Nobody is signed in, or the credential has ended."""

    code = "unauthenticated"
    status = 401


class WrongClock(Unauthenticated):
    """A machine's request was signed at another time than now. `time` is the control plane's, aware UTC."""

    code = "clock"

    def __init__(self, message: Sentence, *, time: datetime, way_out: Sentence = NOTHING) -> None:
        super().__init__(message, way_out=way_out)
        self.time = time


class NotFound(Refusal):
    """It does not exist, or the actor may not know that it does."""

    code = "not-found"
    status = 404


class Forbidden(Refusal):
    """The actor may see it, but not do this."""

    code = "forbidden"
    status = 403


class Conflict(Refusal):
    """Not now: the state, or somebody else's deed, is in the way."""

    code = "conflict"
    status = 409


class Invalid(Refusal):
    """The words of the request are wrong. `fields` maps each field to what is wrong with it."""

    code = "invalid"
    status = 422

    def __init__(
        self,
        message: Sentence,
        *,
        fields: Mapping[str, Sentence] | None = None,
        code: str | None = None,
        way_out: Sentence = NOTHING,
    ) -> None:
        super().__init__(message, code=code, way_out=way_out)
        self.fields = dict(fields or {})


class TooMany(Refusal):
    """Tried too often. `retry_after_seconds` says when to come back."""

    code = "too-many"
    status = 429


class Unavailable(Refusal):
    """The engine or a host did not obey. What was asked stands in the rows and is retried."""

    code = "unavailable"
    status = 503


def sentence_of(error: BaseException) -> Sentence:
    """What a refusal says; of anything else its own text, whatever language that is in."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Sentence) else quoted(error)
