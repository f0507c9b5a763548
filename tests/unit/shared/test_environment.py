"""Constants, shared variables, and what the previous version called them."""

from pathlib import Path

import pytest

from services.embedder.settings import EmbedderSettings, EncoderSettings
from services.lookup.settings import GallerySettings
from services.matcher.settings import CacheSettings, MatcherSettings
from services.registry.api.settings import ApiSettings
from services.registry.settings import LedgerSettings, RegistrySettings
from shared.environment import load, variables
from shared.errors import SettingsError
from shared.labels import LabelSettings
from shared.settings import KafkaSettings, StageSettings

Environment = pytest.MonkeyPatch


def test_a_constant_is_no_variable_but_its_old_one_is_read_with_a_warning(
    monkeypatch: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    assert "RESIGHT_REGISTRY_MAX_PASSES" not in variables(RegistrySettings)
    monkeypatch.setenv("RESIGHT_REGISTRY_MAX_PASSES", "5")
    assert load(RegistrySettings).max_passes == 5
    assert "RESIGHT_REGISTRY_MAX_PASSES is no longer a setting" in caplog.text
    assert RegistrySettings().max_passes == 3  # only `load` reads old variables


def test_renamed_fields_are_read_under_their_old_names(
    monkeypatch: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RESIGHT_STAGE_LIVES", "2")
    monkeypatch.setenv("RESIGHT_STAGE_LETTER_COUNT", "7")
    monkeypatch.setenv("RESIGHT_GALLERY_SEARCH_WIDTH", "300")
    stage = load(StageSettings)
    assert (stage.max_crashes, stage.dead_letter_count) == (2, 7)
    assert load(GallerySettings).hnsw_ef == 300
    assert caplog.text.count("is no longer a setting") == 3


def test_a_value_that_an_old_variable_may_not_have_is_refused(monkeypatch: Environment) -> None:
    monkeypatch.setenv("RESIGHT_STAGE_LIVES", "99")
    with pytest.raises(SettingsError, match="MAX_CRASHES='99'"):
        load(StageSettings)


@pytest.mark.parametrize(
    "concern", [EncoderSettings, GallerySettings, CacheSettings, LedgerSettings]
)
def test_all_servers_but_kafka_share_their_certificates(
    monkeypatch: Environment, concern: type[LedgerSettings]
) -> None:
    monkeypatch.setenv("RESIGHT_TLS_CA_FILE", __file__)
    assert load(concern).ca_file == Path(__file__)
    assert load(KafkaSettings).ca_file is None


def test_certificate_and_key_go_together(monkeypatch: Environment) -> None:
    monkeypatch.setenv("RESIGHT_TLS_CERTIFICATE_FILE", __file__)
    with pytest.raises(
        SettingsError, match="RESIGHT_TLS_CERTIFICATE_FILE and RESIGHT_TLS_KEY_FILE"
    ):
        load(LedgerSettings)
    monkeypatch.setenv("RESIGHT_KAFKA_CERTIFICATE_FILE", __file__)
    with pytest.raises(SettingsError, match="RESIGHT_KAFKA_KEY_FILE go together"):
        load(KafkaSettings)


def test_a_server_s_own_certificates_of_the_previous_version_are_read_with_a_warning(
    monkeypatch: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RESIGHT_LEDGER_CA_FILE", __file__)
    assert load(LedgerSettings).ca_file == Path(__file__)
    assert "(RESIGHT_TLS_CA_FILE)" in caplog.text


def test_embedder_and_matcher_segment_alike(monkeypatch: Environment) -> None:
    monkeypatch.setenv("RESIGHT_SEGMENTER_KIND", "onnx")
    monkeypatch.setenv("RESIGHT_SEGMENTER_PATH", "animals.onnx")
    monkeypatch.setenv("RESIGHT_SEGMENTER_THRESHOLD", "0")
    for settings in (load(EmbedderSettings), load(MatcherSettings)):
        assert settings.segmenter == "onnx"
        assert (settings.segmenter_path, settings.segmenter_threshold) == ("animals.onnx", 0)


def test_decode_workers_get_the_memory_that_the_largest_picture_needs(
    monkeypatch: Environment,
) -> None:
    assert load(EmbedderSettings).worker_megabytes == 1040
    monkeypatch.setenv("RESIGHT_EMBEDDER_MAX_PIXELS", "200000000")
    assert load(EmbedderSettings).worker_megabytes == 340 + 1400


@pytest.mark.parametrize(
    ("concern", "variable", "value"),
    [
        (KafkaSettings, "RESIGHT_KAFKA_SASL_MECHANISM", "GSSAPI"),
        (EmbedderSettings, "RESIGHT_EMBEDDER_TRUNCATED", "guess"),
        (MatcherSettings, "RESIGHT_MATCHER_COMPILED", "perhaps"),
        (ApiSettings, "RESIGHT_API_WEBHOOK_NETWORKS", "10.20.0.0/99"),
    ],
)
def test_a_value_that_is_none_of_the_choices_is_named(
    monkeypatch: Environment, concern: type[KafkaSettings], variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"{variable}='{value}'"):
        load(concern)


def test_all_labels_are_accepted_where_a_star_says_so(monkeypatch: Environment) -> None:
    assert not load(LabelSettings).count("gate", b"", {})
    monkeypatch.setenv("RESIGHT_LABELS_DEPLOYMENTS", '["*"]')
    assert load(LabelSettings).count("gate", b"", {})
