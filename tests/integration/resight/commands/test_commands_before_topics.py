"""On a broker that knows no topics yet, commands say so."""

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from embedded.servers import HOST, broker, free_port
from resight.main import app


@pytest.fixture(scope="module")
def bare_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = broker(tmp_path_factory.mktemp("bare-broker"), free_port())
    process = server.start()
    yield f"{HOST}:{server.port}"
    process.kill()
    process.wait()


def test_watching_a_topic_that_is_not_there_says_so(bare_broker: str) -> None:
    result = CliRunner().invoke(app, ["watch", "--bootstrap-servers", bare_broker])
    assert result.exit_code == 1
    assert "resight.decisions.v1 does not exist on this broker" in result.stderr


def test_status_of_an_empty_broker_is_all_zeros(bare_broker: str) -> None:
    result = CliRunner().invoke(app, ["status", "--bootstrap-servers", bare_broker])
    assert result.exit_code == 0
    assert "0 captures" in result.stdout
