"""Settings shared by the Redis servers: ledger and cache."""

from typing import Any

from pydantic import Field, SecretStr

from shared.settings import TlsSettings

REDIS, REDIS_TLS = "redis://", "rediss://"


class RedisSettings(TlsSettings):
    """Mixed into the settings of a Redis server."""

    password: SecretStr = Field(
        SecretStr(""), description="Password; a user name belongs into the URL."
    )


def redis_options(settings: RedisSettings, url: str) -> dict[str, Any]:
    """Return the options of a Redis client, besides its URL.

    Raises:
        SettingsError: certificates are set for an unencrypted connection.
    """
    options: dict[str, Any] = {}
    if password := settings.password.get_secret_value():
        options["password"] = password
    files = {
        "ssl_ca_certs": settings.ca_file,
        "ssl_certfile": settings.certificate_file,
        "ssl_keyfile": settings.key_file,
    }
    if not url.startswith(REDIS_TLS):
        prefix = settings.model_config.get("env_prefix", "")
        settings.refuse_plain(f"begin {prefix}URL with {REDIS_TLS} instead of {REDIS}")
    return options | {name: str(path) for name, path in files.items() if path}
