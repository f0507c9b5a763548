"""A real Triton server on the CPU, from the nvidia-pytriton wheel.

The wheel has no onnxruntime backend, so its python backend runs the same ONNX
file; to a client both look the same.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from embedded.servers import HOST, Server
from recognition.models.triton import write_repository
from tests.support.servers.tls_front import Authority

# Triton 2.51 loses arrays of NumPy 2, but not what travels as DLPack.
MODEL = """
from pathlib import Path

import numpy
import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args):
        path = Path(args["model_repository"], args["model_version"], "model.onnx")
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        image = numpy.from_dlpack(triton.get_input_tensor_by_name(request, "image"))
        feed = {"image": onnxruntime.OrtValue.ortvalue_from_numpy(image)}
        (embedding,) = self.session.run_with_ort_values(["embedding"], feed)
        return triton.InferenceResponse([triton.Tensor.from_dlpack("embedding", embedding)])
"""


def lay_out(folder: Path, model: Path, max_batch: int = 64) -> None:
    """Write the model repository and the backend's folder under `folder`."""
    served = write_repository(model, folder / "models", max_batch)
    configuration = served / "config.pbtxt"
    text = configuration.read_text().replace('backend: "onnxruntime"', 'backend: "python"')
    configuration.write_text(text)
    (served / "1" / "model.py").write_text(MODEL)
    backend = folder / "backends" / "python"
    shutil.copytree(_wheel() / "backends" / "python", backend, dirs_exist_ok=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = _wheel() / "python_backend_stubs" / version / "triton_python_backend_stub"
    shutil.copy(stub, backend)
    (backend / stub.name).chmod(0o755)


@contextmanager
def running(
    folder: Path, port: int, metrics_port: int = 0, authority: Authority | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the server on what `lay_out` wrote, until the block ends; the value is its process.

    It tells Prometheus on `metrics_port`, unless that is 0, and speaks TLS by an `authority`.
    """
    flags = {
        "--model-repository": folder / "models",
        "--backend-directory": folder / "backends",
        "--grpc-address": HOST,
        "--grpc-port": port,
        "--allow-http": "false",
        "--allow-metrics": "true" if metrics_port else "false",
        "--allow-gpu-metrics": "false",
        "--metrics-address": HOST,
        "--metrics-port": metrics_port or 8002,
        "--backend-config": "python,shm-default-byte-size=67108864",
    }
    if authority:
        flags |= {
            "--grpc-use-ssl": "true",
            "--grpc-server-cert": authority.certificate,
            "--grpc-server-key": authority.key,
        }
    binary = str(_wheel() / "bin" / "tritonserver")
    options = [f"{flag}={value}" for flag, value in flags.items()]
    command = [binary, "--disable-auto-complete-config", *options]
    server = Server(
        "triton", [*_environment(), *command], folder, port, lambda: _serves(port, authority)
    )
    process = server.start()
    try:
        yield process
    finally:
        # The models run in processes of their own, in the server's group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wheel() -> Path:
    package = importlib.util.find_spec("pytriton")
    if package is None or package.origin is None:
        raise RuntimeError("install the test server: pip install --no-deps nvidia-pytriton==0.7.0")
    return Path(package.origin).parent / "tritonserver"


def _environment() -> list[str]:
    # The models' interpreter is the first python on the path, with its packages.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    libraries = (
        f"{_wheel().parents[1] / 'nvidia_pytriton.libs'}:{sysconfig.get_config_var('LIBDIR')}"
    )
    return ["/usr/bin/env", f"PATH={path}", f"LD_LIBRARY_PATH={libraries}"]


def _serves(port: int, authority: Authority | None) -> bool:
    tls = {"ssl": True, "root_certificates": str(authority.ca)} if authority else {}
    client = InferenceServerClient(f"{HOST}:{port}", **tls)
    try:
        return bool(client.is_server_ready(client_timeout=1))
    except InferenceServerException:
        return False
    finally:
        client.close()
