"""Asks the matcher's own process which parts of two sightings match."""

import http.client
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError

from shared.errors import Poison, Transient
from shared.messages import PairMatches, PairQuestion

SECONDS = 30.0
PATH = "/pair"


class Explainer:
    """A client of `services.matcher.explainer` at `http://host:port`."""

    def __init__(self, url: str) -> None:
        self._netloc = urlsplit(url).netloc

    def matches(self, question: PairQuestion) -> PairMatches:
        """Return the matches of two sightings.

        Raises:
            Poison: a crop is missing or damaged.
            Transient: nobody answers.
        """
        connection = http.client.HTTPConnection(self._netloc, timeout=SECONDS)
        try:
            connection.request("POST", PATH, question.SerializeToString())
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Transient(f"the matcher at {self._netloc} does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status == 422:
            raise Poison(body.decode(errors="replace"))
        if answer.status != 200:
            raise Transient(f"the matcher at {self._netloc} answers with {answer.status}")
        try:
            return PairMatches.FromString(body)
        except DecodeError as error:
            raise Transient(f"what answers at {self._netloc} is no matcher") from error
