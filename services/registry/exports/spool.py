"""Records of a gallery on disk, for repeated iteration in constant memory."""

import pickle
import tempfile
import weakref
from collections.abc import Iterable, Iterator

from services.registry.exports.record import Record


class Spool:
    """Records in insertion order; `close` deletes the file."""

    def __init__(self, records: Iterable[Record]) -> None:
        # The file is anonymous and private to this process.
        self._file = tempfile.TemporaryFile(prefix="export-")  # noqa: SIM115 - closed by `close`
        # Also when nobody reads the export.
        self.close = weakref.finalize(self, self._file.close)
        self.count = 0
        pickler = pickle.Pickler(self._file, pickle.HIGHEST_PROTOCOL)
        for record in records:
            pickler.dump(record)
            pickler.clear_memo()
            self.count += 1

    def __iter__(self) -> Iterator[Record]:
        at = 0
        for _ in range(self.count):
            self._file.seek(at)
            record = pickle.load(self._file)  # noqa: S301 - what this very process wrote
            at = self._file.tell()
            yield record
