"""What pages show after a person's operation."""

from urllib.parse import parse_qsl, urlencode

from services.registry.api.context import ApiContext
from services.registry.api.json.reading import entry_answer
from services.registry.api.json.schemas import EntryAnswer
from services.registry.api.pages.frame import gallery_path
from services.registry.identity.entry import Entry


def shown_after(gallery: str, back: str, entry: Entry) -> str:
    """Return the page to show after an operation: the one it came from, with what it changed."""
    path, _, query = back.partition("?")
    inside = path == gallery_path(gallery) or path.startswith(f"{gallery_path(gallery)}/")
    if not inside or not back.isprintable():
        path, query = f"{gallery_path(gallery)}/questions", ""
    kept = [(key, value) for key, value in parse_qsl(query) if key != "said"]
    return f"{path}?{urlencode([*kept, ('said', entry.decision.number)])}"


def operation_shown(at: ApiContext, gallery: str, number: int) -> EntryAnswer | None:
    """Return a person's entry, to show what it changed; None: there is none."""
    found = next(at.ledger.decisions(gallery, number, number), None) if number else None
    spoken = found is not None and found.HasField("operation")
    return entry_answer(found) if found is not None and spoken else None
