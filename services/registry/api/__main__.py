"""Runs the API and the pages: `python -m services.registry.api`, configured by the environment."""

import logging
import socket
import threading

import uvicorn

from services.registry.alerts.outbox import AlertOutbox
from services.registry.alerts.sender import AlertSender
from services.registry.alerts.webhook import networks
from services.registry.api.access.audit_log import AuditLog
from services.registry.api.access.keys import Access
from services.registry.api.application import application
from services.registry.api.context import ApiContext
from services.registry.api.explainer import Explainer
from services.registry.api.limits.connections import protocol
from services.registry.api.picture_query import PictureQuery
from services.registry.api.pictures.thumbnails import Thumbnails
from services.registry.api.settings import ApiSettings
from services.registry.api.system import System
from services.registry.calibration import calibration
from services.registry.imports.importer import Importer, sweep
from services.registry.imports.register import ImportRegister
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.overview import LedgerOverview
from services.registry.ledger.store import Store
from services.registry.locations.masking import LocationMasking, read_list
from services.registry.outbox.entry_publisher import EntryPublisher
from services.registry.review.skipped_questions import SkippedQuestions
from services.registry.settings import LedgerSettings, RegistrySettings
from shared.blobs import BlobStore
from shared.environment import load
from shared.errors import SettingsError
from shared.labels import LabelSettings
from shared.process.health import Health, HealthServer
from shared.process.heap import keep_small
from shared.process.startup import start_process
from shared.settings import BlobSettings, KafkaSettings

NAME = "api"
DRAIN_SECONDS = 5

log = logging.getLogger(__name__)


def main() -> None:
    """Connect the clients and serve until shutdown."""
    keep_small()
    with start_process(NAME) as telemetry:
        settings = load(ApiSettings)
        ledger = Ledger(Store.at(load(LedgerSettings)))
        ledger.load()
        access = Access(ledger.store)
        if not settings.local and not access.any():
            raise SettingsError(
                f"RESIGHT_API_HOST={settings.host} accepts other machines, and the ledger has no "
                "API key to identify users; make one with `resight keys add NAME`, or listen on "
                "127.0.0.1"
            )
        kafka, registry = load(KafkaSettings), load(RegistrySettings)
        entry_publisher = EntryPublisher(ledger, kafka)
        entry_publisher.start()
        sweep()
        closing, imports = threading.Event(), ImportRegister(ledger.store)
        context = ApiContext(
            ledger=ledger,
            catalogue=LedgerOverview(ledger),
            access=access,
            audit=AuditLog(ledger.store),
            calibration=calibration.load(registry.calibration),
            thumbnails=Thumbnails(BlobStore(load(BlobSettings).crops_url)),
            settings=settings,
            announce=entry_publisher.announce,
            skipped_questions=SkippedQuestions(ledger.store),
            location_masking=LocationMasking(
                ledger, read_list(settings.protected), settings.unlisted_kilometres
            ),
            alerts=AlertOutbox(ledger.store),
            imports=imports,
            kafka=kafka,
            drift_window=registry.drift_window,
            system=System(kafka, settings.services),
            picture_query=PictureQuery(kafka),
            importing=Importer(imports, kafka, closing, load(LabelSettings)),
            explainer=Explainer(settings.explainer_url) if settings.explainer_url else None,
            closing=closing,
        )
        AlertSender(
            ledger, context.catalogue, context.alerts, allowed=networks(settings.webhook_networks)
        ).start(context.closing)
        health = Health(float("inf"), ledger.ready)
        health.joined = True
        server = HealthServer(telemetry, health)
        server.start()
        try:
            serve(context, settings)
        finally:
            context.closing.set()
            server.stop()


def serve(context: ApiContext, settings: ApiSettings) -> None:
    """Serve until SIGTERM.

    Raises:
        SettingsError: the address is in use or not of this machine.
    """
    listening = _listening(settings)
    log.info("pages and API listen on %s:%d", *listening.getsockname()[:2])
    config = uvicorn.Config(
        application(context),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        http=protocol(settings.max_connections),
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _listening(settings: ApiSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the protocol is given.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        raise SettingsError(
            f"can't listen on {settings.host}:{settings.port}: {error.strerror}; "
            "see RESIGHT_API_HOST and RESIGHT_API_PORT"
        ) from error
    return listening


if __name__ == "__main__":
    main()
