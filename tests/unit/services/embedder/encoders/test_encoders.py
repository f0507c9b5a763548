"""Encoders that can't be trusted are refused before they make a vector."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from services.embedder.build import build_encoder
from services.embedder.encoders import reference
from services.embedder.encoders.encoder import VIEWPOINTS, read_outputs
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.encoders.preparation import Preparation
from services.embedder.encoders.triton_encoder import TritonEncoder
from services.embedder.settings import EncoderSettings
from shared.environment import load
from shared.errors import SettingsError
from shared.foreground.animal import finder
from shared.foreground.grabcut import GrabCutSegmenter
from shared.messages import VIEWPOINT_BACK
from tests.support.samples.model_files import SIDE, referring, tiny_model


def _crops(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def test_a_model_may_tell_viewpoints(tmp_path: Path) -> None:
    encoder = OnnxEncoder(tiny_model(tmp_path / "model.onnx", viewpoint=VIEWPOINT_BACK))
    assert encoder.encode(_crops(2)).viewpoints == (VIEWPOINT_BACK, VIEWPOINT_BACK)


def test_a_provider_that_is_not_there_is_an_error_and_no_silent_cpu(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "model.onnx")
    with pytest.raises(SettingsError, match=r"Tensorrt.*which has .*CPU"):
        OnnxEncoder(model, provider="TensorrtExecutionProvider")


def test_a_missing_model_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="resight export"):
        OnnxEncoder(tmp_path / "none.onnx")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(SettingsError, match="not a loadable ONNX model"):
        OnnxEncoder(tmp_path / "model.onnx")


def test_a_model_that_does_not_say_which_it_is_is_refused(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "model.onnx")
    model = onnx.load(path)
    del model.metadata_props[1]
    onnx.save(model, path)
    with pytest.raises(SettingsError, match=r"lacks the metadata resight\.version"):
        OnnxEncoder(path)


@pytest.mark.parametrize(
    "embeddings",
    [
        np.zeros((2, 256), np.float32),
        np.zeros((1, 512), np.float32),
        np.zeros((2, 512), np.float32),
        np.full((2, 512), np.nan, np.float32),
    ],
)
def test_outputs_that_break_the_contract_stop_the_process(
    embeddings: NDArray[np.float32],
) -> None:
    with pytest.raises(RuntimeError, match="embeddings of"):
        read_outputs(2, embeddings, None)


def test_viewpoint_scores_of_another_shape_stop_the_process() -> None:
    unit = np.eye(2, 512, dtype=np.float32)
    with pytest.raises(RuntimeError, match="viewpoints of shape"):
        read_outputs(2, unit, np.zeros((2, len(VIEWPOINTS) - 1), np.float32))


def test_settings_choose_the_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESIGHT_ENCODER_MODEL_PATH", str(tiny_model(tmp_path / "model.onnx")))
    assert isinstance(build_encoder(load(EncoderSettings)), OnnxEncoder)
    monkeypatch.setenv("RESIGHT_ENCODER_KIND", "triton")
    with pytest.raises(SettingsError, match="RESIGHT_ENCODER_MODEL is empty"):
        build_encoder(load(EncoderSettings))
    monkeypatch.setenv("RESIGHT_ENCODER_MODEL", "tiny@abc:224:crop")
    assert isinstance(build_encoder(load(EncoderSettings)), TritonEncoder)


def test_triton_s_model_is_shown_what_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"KIND": "triton", "MODEL": f"tiny@abc:{SIDE}:crop"}
    for name, value in settings.items():
        monkeypatch.setenv(f"RESIGHT_ENCODER_{name}", value)
    grabcut = GrabCutSegmenter()
    whole = build_encoder(load(EncoderSettings), grabcut).model
    assert whole.preprocessing == Preparation(SIDE).fingerprint
    monkeypatch.setenv("RESIGHT_ENCODER_MODEL", f"tiny@abc:{SIDE}:animal")
    alone = build_encoder(load(EncoderSettings), grabcut).model
    assert alone.preprocessing == Preparation(SIDE, finder=finder(grabcut)).fingerprint
    with pytest.raises(SettingsError, match="RESIGHT_SEGMENTER_KIND=u2netp"):
        build_encoder(load(EncoderSettings))


def test_the_four_variables_of_the_previous_version_are_read_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    former = {"MODEL_NAME": "tiny", "MODEL_VERSION": "abc", "INPUT_SIZE": "64"}
    for name, value in former.items():
        monkeypatch.setenv(f"RESIGHT_ENCODER_{name}", value)
    model = load(EncoderSettings).triton_model
    assert (model.name, model.version, model.input_size, model.alone) == ("tiny", "abc", 64, False)
    for name in former:
        assert f"RESIGHT_ENCODER_{name} is no longer a setting" in caplog.text


def test_a_malformed_model_id_is_refused_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESIGHT_ENCODER_MODEL", "efficientnet_lite0")
    with pytest.raises(SettingsError, match=r"'efficientnet_lite0': .*@6b3ea8ff6679:224:crop"):
        load(EncoderSettings)


def test_a_model_that_computes_something_else_here_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an 8-bit file does on a processor whose kernels saturate."""
    model = tiny_model(tmp_path / "model.onnx")
    monkeypatch.setenv("RESIGHT_ENCODER_MODEL_PATH", str(model))
    made = OnnxEncoder(model).encode(reference.pictures(SIDE)).embeddings
    turned = made + 0.05 * np.roll(made, 1, axis=1)
    referring(model, turned / np.linalg.norm(turned, axis=1, keepdims=True))
    with pytest.raises(SettingsError, match=r"tiny v1 computes other embeddings .*cosine 0\.99"):
        build_encoder(load(EncoderSettings))


def test_a_damaged_reference_does_not_pass(tmp_path: Path) -> None:
    encoder = OnnxEncoder(tiny_model(tmp_path / "model.onnx"))
    with pytest.raises(SettingsError, match="is damaged"):
        reference.check(encoder, encoder.reference[:-8], "model.onnx")


def test_a_file_of_an_older_export_starts_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = onnx.load(tiny_model(tmp_path / "model.onnx"))
    kept = [entry for entry in model.metadata_props if entry.key != reference.REFERENCE]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    onnx.save(model, tmp_path / "model.onnx")
    monkeypatch.setenv("RESIGHT_ENCODER_MODEL_PATH", str(tmp_path / "model.onnx"))
    build_encoder(load(EncoderSettings))
    assert "no reference embeddings" in caplog.text
