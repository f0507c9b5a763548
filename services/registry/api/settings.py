"""Settings of the API and the review pages."""

from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.registry.alerts.webhook import networks
from shared.settings import Settings


class ApiSettings(Settings):
    """Where the API listens, and what it allows."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_API_")

    host: str = Field(
        "127.0.0.1",
        description="Address that API and pages listen on. While the ledger holds no key "
        "(`resight keys add`), only one of this machine is taken.",
    )
    port: int = Field(8080, ge=0, le=65535, description="Their port; 0 takes a free one.")
    session_hours: float = Field(
        12.0, gt=0, description="How long a browser stays signed in without being used."
    )
    behind_tls: bool = Field(
        default=False,
        description="Whether browsers come over https, through a proxy that ends it: then their "
        "cookie never travels in the clear.",
    )
    proxies: str = Field(
        "",
        description="Addresses or networks of the proxies before it, with commas between them: "
        "what these say of who asks is believed (X-Forwarded-For). Empty: nobody's word is.",
    )
    max_connections: int = Field(
        1000, ge=10, description="Connections at once; further ones are closed at once."
    )
    max_body_bytes: int = Field(
        1024 * 1024,
        ge=1024,
        description="A request with a larger body is refused, but for pictures and catalogues.",
    )
    max_picture_bytes: int = Field(
        33 * 1024 * 1024, ge=1024, description="A larger picture to be asked about is refused."
    )
    max_catalogue_bytes: int = Field(
        2 * 1024**3,
        ge=1024,
        description="A larger ZIP of a catalogue is refused. Two of them, with what is in them, "
        "lie in the folder for temporary files (TMPDIR) at most; `resight import` has no limit.",
    )
    requests_per_minute: int = Field(
        6000,
        ge=1,
        description="Requests of one key, or of one address without a key; a page with its "
        "pictures is some 50.",
    )
    failed_logins: int = Field(
        10,
        ge=1,
        description="After so many wrong keys of one kind an address waits 15 minutes with them; "
        "the right key gets in at any time.",
    )

    webhook_networks: str = Field(
        "",
        description="Networks that alerts may go to though they are not public, with commas "
        "between them, such as 10.20.0.0/16. Empty: to public addresses alone.",
    )

    explainer_url: str = Field(
        "",
        description="Where `python -m services.matcher.explainer` listens, such as "
        "http://explainer:9200: it draws the matches of two sightings. Empty: nobody does.",
    )

    services: dict[str, str] = Field(
        {},
        description="Where services say whether they are ready, as JSON such as "
        '{"embedder": "http://embedder:9100"}, for the home page. One that is not named is shown '
        "by what waits for it alone.",
    )

    protected: Path | None = Field(
        None,
        description="JSON file of species and how coarsely their places are told to all but "
        'admins, such as {"black-rhinoceros": 50, "plains-zebra": 0}: to the middle of cells of so '
        "many kilometres, 0 for exactly. A species that neither it nor an admin (on the page "
        "Places) names is told by RESIGHT_API_UNLISTED_KILOMETRES.",
    )
    unlisted_kilometres: float = Field(
        50.0,
        gt=0,
        le=1000,
        description="The cells by which species are told of which nobody has said anything.",
    )

    @field_validator("webhook_networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        networks(text)
        return text

    @property
    def local(self) -> bool:
        """Whether it listens on this machine alone."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
