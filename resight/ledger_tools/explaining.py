"""Draws the matches of two sightings of a ledger."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recognition.figures.explanation import draw
from resight.connections import MOST_CROP_BYTES, crops_at, ledger_at
from resight.console import CommandError
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.engine import build_engine
from services.matcher.explanation import explain, summary
from services.matcher.networks import pair_matcher
from services.matcher.settings import MatcherSettings
from services.registry.identity.entry import Entry
from services.registry.ledger.ledger import Ledger
from shared.environment import load
from shared.errors import Poison
from shared.images import codec
from shared.keypoints.keypoints import Keypoints
from shared.messages import Depth, Sighting


class _Nothing:
    """Stores no keypoints: two crops are processed quickly."""

    def get(self, _: Sequence[str]) -> dict[str, Keypoints]:
        return {}

    def put(self, digest: str, keypoints: Keypoints) -> None:
        """Ignore them."""


def explain_pair(
    one: str, other: str, output: Path, ledger_url: str | None, data_dir: Path
) -> dict[str, Any]:
    """Draw the matches of two sightings into `output`, and return their summary.

    Raises:
        CommandError: the ledger does not know one of them, or its crop is missing.
        Transient: the ledger or the store does not respond.
        SettingsError: the matcher is misconfigured.
    """
    ledger, crops = ledger_at(ledger_url, data_dir), crops_at(data_dir)
    entries = [_entry(ledger, name) for name in (one, other)]
    settings = load(MatcherSettings)
    networks = build_engine(settings)
    finder = CropKeypoints(crops, networks.extractor, _Nothing(), settings.max_crop_bytes)
    found = finder.find([_shown(entry) for entry in entries])
    for name, keypoints in zip((one, other), found, strict=True):
        if isinstance(keypoints, Poison):
            raise CommandError(f"the crop of {name} can't be read: {keypoints.reason}")
    mine, theirs = (each for each in found if isinstance(each, Keypoints))
    explanation = explain(networks, pair_matcher(settings), mine, theirs)
    pictures = [codec.decode(crops.get(entry.decision.crop, MOST_CROP_BYTES)) for entry in entries]
    captions = [_caption(ledger, entry) for entry in entries]
    draw(explanation, (pictures[0], pictures[1]), (captions[0], captions[1]), output)
    evidence = asdict(explanation.evidence)
    evidence["depth"] = Depth.Name(explanation.evidence.depth).removeprefix("DEPTH_").lower()
    return {"picture": str(output), "summary": summary(explanation), **evidence}


def _entry(ledger: Ledger, sighting: str) -> Entry:
    for gallery in ledger.galleries():
        number = ledger.decided(gallery).get(sighting)
        entry = number and ledger.entry(gallery, number)
        if entry:
            return entry
    raise CommandError(
        f"no sighting {sighting} in the ledger; `resight individuals show` and `resight "
        f"individuals questions` list sighting IDs"
    )


def _shown(entry: Entry) -> Sighting:
    shown = Sighting(sighting_id=entry.decision.sighting_id, crop=entry.decision.crop)
    if entry.enrolment and entry.enrolment.HasField("mask"):
        shown.mask.CopyFrom(entry.enrolment.mask)
    return shown


def _caption(ledger: Ledger, entry: Entry) -> str:
    decision = entry.decision
    belongs = ledger.belongs(decision.gallery, [decision.sighting_id])
    return f"{belongs.get(decision.sighting_id, 'no individual')}, {decision.sighting_id[:12]}"
