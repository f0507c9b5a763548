import pytest

from shared.errors import SettingsError
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings, load, variables


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
