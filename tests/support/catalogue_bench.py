"""A ledger with a few animals, their crops, and the API on it."""

import io
import threading
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from starlette.testclient import TestClient

from services.registry.alerts.outbox import AlertOutbox
from services.registry.api.access.audit_log import AuditLog
from services.registry.api.access.keys import Access, Role
from services.registry.api.application import application
from services.registry.api.context import ApiContext
from services.registry.api.pictures.thumbnails import Thumbnails
from services.registry.api.settings import ApiSettings
from services.registry.identity.entry import Entry
from services.registry.imports.importer import Importer
from services.registry.imports.register import ImportRegister
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.overview import LedgerOverview
from services.registry.locations.masking import LocationMasking
from services.registry.review.skipped_questions import SkippedQuestions
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.messages import Sighting
from shared.settings import KafkaSettings
from tests.support.identities import CALIBRATION, found
from tests.support.queries import GALLERY, NOON, ledger_at, matches, sighting
from tests.support.samples.pictures import photograph

API = f"/api/v1/galleries/{GALLERY}"


@dataclass
class Bench:
    """What a test asks, and what was announced."""

    ledger: Ledger
    crops: BlobStore
    context: ApiContext
    announced: list[Entry] = field(default_factory=list)

    def client(self, key: str = "", address: str = "127.0.0.1") -> TestClient:
        """Somebody at this machine, or wherever `address` is."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return TestClient(
            application(self.context),
            base_url="http://localhost:8080",
            client=(address, 50_000),
            headers=headers,
            raise_server_exceptions=False,
        )

    def key(self, role: Role, *galleries: str) -> str:
        return self.context.access.add(role, role, galleries)

    def decide(
        self,
        name: str,
        alike: Sequence[str] = (),
        *,
        perhaps: Sequence[str] = (),
        candidates: int = 10**6,
        gallery: str = GALLERY,
        change: Callable[[Sighting], None] = lambda _: None,
    ) -> None:
        """Let a sighting come that is compared with those before it, and like some of them.

        Only the latest `candidates` are compared with it.
        """
        service = RegistryService(self.ledger, CALIBRATION, RegistrySettings(), now=lambda: NOON)
        before = self.ledger.count(gallery, "enrolments")
        enrolled = [
            each.sighting_id
            for chunk in self.ledger.between(gallery, 0, before)
            for each, _ in chunk
        ]
        evidence = [
            found(
                each,
                number,
                "same" if each in alike else "doubtful" if each in perhaps else "other",
            )
            for number, each in list(enumerate(enrolled, 1))[-candidates:]
        ]
        query = sighting(name, gallery=gallery)
        jpeg = photograph(seed=len(enrolled))
        query.crop.CopyFrom(self.crops.put(f"crops/{name}.jpg", jpeg))
        change(query)
        [result] = service.handle([matches(query, evidence, watermark=before)])
        assert not isinstance(result, Poison)


def bench_at(ledger_url: str, folder: Path, settings: ApiSettings | None = None) -> Bench:
    """The API on an empty ledger, without keys."""
    ledger, crops = ledger_at(ledger_url), BlobStore((folder / "crops").as_uri())
    announced: list[Entry] = []
    closing, imports = threading.Event(), ImportRegister(ledger.store)
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1", request_timeout_seconds=1.0)
    context = ApiContext(
        ledger=ledger,
        catalogue=LedgerOverview(ledger),
        access=Access(ledger.store),
        audit=AuditLog(ledger.store),
        calibration=CALIBRATION,
        thumbnails=Thumbnails(crops),
        settings=settings or ApiSettings(),
        announce=announced.append,
        skipped_questions=SkippedQuestions(ledger.store),
        location_masking=LocationMasking(ledger, {"plains-zebra": 50.0}, 50.0),
        alerts=AlertOutbox(ledger.store),
        imports=imports,
        importing=Importer(imports, nowhere, closing),
        closing=closing,
    )
    return Bench(ledger, crops, context, announced)


def packed(**files: bytes) -> bytes:
    """A ZIP; in the names of the files '__' stands for '/' and each is a JPEG."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"lions/{name.replace('__', '/')}.jpg", data)
    return target.getvalue()
