"""A shard of Qdrant Edge that is optimised while it serves."""

import logging
from pathlib import Path

import qdrant_edge as qdrant

from services.lookup.galleries.optimisation import Optimisation
from services.lookup.galleries.shards import configuration
from services.lookup.settings import GallerySettings

# A shard of this size is optimised within seconds.
QUICK_BELOW = 20_000

log = logging.getLogger(__name__)


class LiveShard:
    """A shard in a folder. It may only be used by one thread.

    There is no network, so it raises no Transient; a failing disk is a crash. Points written since
    the last optimisation are searched exactly. Few are optimised at once, within seconds, many in
    the background (see `optimisation`).
    """

    def __init__(self, folder: Path, settings: GallerySettings) -> None:
        self._folder = folder
        self._settings = settings
        self._shard = self._loaded()
        self._optimisation: Optimisation | None = None

    def optimise(self) -> None:
        """Merge segments and build graphs now; start it in the background if it would take long."""
        if self._optimisation is not None:
            return
        info = self._shard.info()
        if info.points_count <= QUICK_BELOW:
            self._shard.optimize()
        elif info.indexed_vectors_count < info.points_count - QUICK_BELOW:
            log.info(
                "%s has %d sightings, %d of them not optimised; it serves, and is being optimised",
                self._folder.name,
                info.points_count,
                info.points_count - info.indexed_vectors_count,
            )
            self._shard.flush()
            self._optimisation = Optimisation(self._folder, self._settings)

    def current(self) -> qdrant.EdgeShard:
        """Return the shard for reading, optimised if that is done."""
        if self._optimisation is not None and self._optimisation.over():
            optimisation, self._optimisation = self._optimisation, None
            if optimisation.swap(self._shard.close):
                self._shard = self._loaded()
        return self._shard

    def upsert(self, points: list[qdrant.Point]) -> None:
        """Write points."""
        self.current().update(qdrant.UpdateOperation.upsert_points(points))
        if self._optimisation is not None:
            self._optimisation.note(points)

    def flush(self) -> None:
        """Make writes survive a power cut (5 ms); a killed process loses nothing anyway."""
        self._shard.flush()

    def delete(self, those: qdrant.Filter) -> None:
        """Delete points. A copy being optimised would keep them, so it is discarded."""
        self._discard_optimisation()
        self._shard.update(qdrant.UpdateOperation.delete_points_by_filter(those))
        self._shard.flush()

    def close(self) -> None:
        """Close the shard."""
        self._discard_optimisation()
        self._shard.close()

    def _loaded(self) -> qdrant.EdgeShard:
        return qdrant.EdgeShard.load(str(self._folder), configuration(self._settings))

    def _discard_optimisation(self) -> None:
        if self._optimisation is not None:
            self._optimisation.close()
            self._optimisation = None
