"""Whatever is asked of the API, it answers as its OpenAPI says, and never with a crash."""

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import given, settings
from hypothesis.strategies import just

from services.registry.api.application import application
from services.registry.api.settings import ApiSettings
from tests.support.catalogue_bench import bench_at, packed
from tests.support.samples.pictures import photograph

EXAMPLES = 25


def test_every_answer_is_as_documented(ledger_url: str, tmp_path: Path) -> None:
    """Of all paths but the stream, which never ends."""
    schemathesis.openapi.media_type("application/zip", just(packed(Nala__1=photograph())))
    bench = bench_at(ledger_url, tmp_path, ApiSettings(requests_per_minute=10**6))
    for name in "abc":
        bench.decide(name, alike="a" if name == "b" else "")
    bench.key("admin")
    key = {"Authorization": f"Bearer {bench.key('admin')}"}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", application(bench.context))
    found: Any = schema.exclude(path="/api/v1/live").get_all_operations()
    operations = [each.ok() for each in found]
    assert len(operations) > 12
    for operation in operations:

        @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
        @given(case=operation.as_strategy())
        def answers(case: Any) -> None:
            case.call_and_validate(headers=key)

        answers()
    bench.context.closing.set()
