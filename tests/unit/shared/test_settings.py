from pathlib import Path

import pytest

from shared.environment import load, variables
from shared.errors import SettingsError
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESIGHT_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("RESIGHT_STAGE_MAX_MESSAGES", "8")
    assert load(KafkaSettings).bootstrap_servers == "kafka:9092"
    assert load(StageSettings).max_messages == 8


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("RESIGHT_KAFKA_BOOTSTRAP_SERVER", "did you mean RESIGHT_KAFKA_BOOTSTRAP_SERVERS?"),
        ("RESIGHT_KAFAK_BOOTSTRAP_SERVERS", "unknown setting RESIGHT_KAFAK_BOOTSTRAP_SERVERS"),
    ],
)
def test_a_misspelt_setting_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    monkeypatch.setenv(name, "kafka:9092")
    with pytest.raises(SettingsError) as error:
        load(KafkaSettings)
    assert hint in str(error.value)


def test_another_concern_s_setting_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESIGHT_GALLERY_WHATEVER", "1")
    load(KafkaSettings)


def test_a_value_out_of_range_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESIGHT_TELEMETRY_PORT", "70000")
    with pytest.raises(SettingsError, match="RESIGHT_TELEMETRY_PORT='70000'"):
        load(TelemetrySettings)


def test_every_variable_says_what_it_is_for() -> None:
    for concern in (KafkaSettings, StageSettings, TelemetrySettings):
        for name, description in variables(concern).items():
            assert description, name


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from a file\n")
    monkeypatch.setenv("RESIGHT_KAFKA_PASSWORD_FILE", str(tmp_path / "password"))
    settings = load(KafkaSettings)
    assert settings.password.get_secret_value() == "from a file"
    assert "from a file" not in repr(settings)
    monkeypatch.setenv("RESIGHT_KAFKA_PASSWORD", "from the environment")
    with pytest.raises(SettingsError, match="are both set; keep one"):
        load(KafkaSettings)


def test_a_secret_s_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESIGHT_KAFKA_PASSWORD_FILE", "/nowhere")
    with pytest.raises(SettingsError, match="RESIGHT_KAFKA_PASSWORD_FILE='/nowhere' can't be read"):
        load(KafkaSettings)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"SECURITY": "SASL_SSL", "PASSWORD": "s3cret"}, "needs RESIGHT_KAFKA_USERNAME"),
        ({"CA_FILE": __file__, "PASSWORD": "s3cret"}, "to SSL or SASL_SSL"),
        ({"SECURITY": "SSL", "KEY_FILE": __file__}, "RESIGHT_KAFKA_KEY_FILE go together"),
        ({"SECURITY": "SSL", "CA_FILE": "/nowhere"}, "RESIGHT_KAFKA_CA_FILE='/nowhere'"),
    ],
)
def test_half_of_what_security_takes_is_an_error_that_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"RESIGHT_KAFKA_{name}", value)
    with pytest.raises(SettingsError) as error:
        load(KafkaSettings)
    assert told in str(error.value)
    assert "s3cret" not in str(error.value)
