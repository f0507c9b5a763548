"""Settings of the API and the review pages."""

from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.registry.alerts.webhook import networks
from shared.environment import Settings, constant


class ApiSettings(Settings):
    """API and review pages."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_API_")

    host: str = Field(
        "127.0.0.1",
        description="Listen address. Only a loopback address is allowed until the ledger has an "
        "API key (`resight keys add`).",
    )
    port: int = Field(8080, ge=0, le=65535, description="Port. 0: any free port.")
    behind_tls: bool = Field(
        default=False,
        description="Browsers use https, through a proxy that terminates TLS: session cookies are "
        "marked Secure.",
    )
    proxies: str = Field(
        "",
        description="Trusted proxies, addresses or networks, comma-separated: their "
        "X-Forwarded-For is used. Empty: none.",
    )
    webhook_networks: str = Field(
        "",
        description="Private networks that alerts may be sent to, comma-separated, such as "
        "10.20.0.0/16. Empty: public addresses only.",
    )
    explainer_url: str = Field(
        "",
        description="URL of the explainer, such as http://explainer:9200. Empty: matches are not "
        "drawn.",
    )
    services: dict[str, str] = Field(
        {},
        description="URLs of the services' health endpoints, as JSON such as "
        '{"embedder": "http://embedder:9100"}, for the home page. Of the others it shows '
        "the backlog only.",
    )
    protected: Path | None = Field(
        None,
        description="JSON file of species and the grid size in kilometres to which their locations "
        'are rounded for everybody but admins, such as {"black-rhinoceros": 50, "plains-zebra": 0, '
        '"*": 50}. 0: exact. "*": species that neither the file nor an admin names; 50 by default.',
    )
    session_hours: float = constant(12.0, "Unused browser sessions end after a working day.", gt=0)
    max_connections: int = constant(
        1000, "Further connections are closed: each takes memory before it is authenticated.", ge=10
    )
    max_body_bytes: int = constant(
        1024 * 1024, "Largest request body except pictures and catalogues.", ge=1024
    )
    max_picture_bytes: int = constant(
        33 * 1024 * 1024, "Largest picture to identify: the limit of a captures record.", ge=1024
    )
    max_catalogue_bytes: int = constant(
        2 * 1024**3,
        "Largest upload of a catalogue; the temporary folder (TMPDIR) holds two, unpacked. "
        "`resight import` has no limit.",
        ge=1024,
    )
    requests_per_minute: int = constant(
        6000, "Per key, or per address without one; a page with its pictures takes 50.", ge=1
    )
    failed_logins: int = constant(
        10, "Wrong keys after which an address waits 15 minutes; a right key always works.", ge=1
    )
    unlisted_kilometres: float = constant(
        50.0, 'Write "*" into the file of RESIGHT_API_PROTECTED.', gt=0, le=1000
    )

    @field_validator("webhook_networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        networks(text)
        return text

    @property
    def local(self) -> bool:
        """Whether it listens on this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
