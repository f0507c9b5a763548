"""Client of the explainer, which computes the matches of two sightings."""

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
            Transient: the explainer does not respond.
        """
        connection = http.client.HTTPConnection(self._netloc, timeout=SECONDS)
        try:
            connection.request("POST", PATH, question.SerializeToString())
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Transient(f"the explainer at {self._netloc} does not respond: {error}") from error
        finally:
            connection.close()
        if answer.status == 422:
            raise Poison(body.decode(errors="replace"))
        if answer.status != 200:
            raise Transient(f"the explainer at {self._netloc} returned status {answer.status}")
        try:
            return PairMatches.FromString(body)
        except DecodeError as error:
            raise Transient(f"the server at {self._netloc} is not an explainer") from error
