"""The published TypeScript clients against our server, unmodified."""

import json
from pathlib import Path

import pytest

from tests.conformance.node import node_folder, run_node
from tests.conformance.server import serving


@pytest.mark.parametrize(
    ("store", "live"), [("memory:", "sse"), ("sqlite:///{folder}/s.db", "long-poll")]
)
def test_they_write_follow_and_materialise_streams(store: str, live: str, tmp_path: Path) -> None:
    folder = node_folder()
    with serving(store.format(folder=tmp_path), "--long-poll-timeout", "2") as server:
        run = run_node(folder, "node", "clients.mjs", STREAMS_URL=server.url, LIVE=live)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "appendAndRead": [{"n": 1}, {"n": 2}],
        "longPoll": [{"n": 1}, {"n": 2}, {"n": 3}],
        "sse": [{"n": 1}, {"n": 2}, {"n": 3}],
        "producer": {"items": list(range(250)), "closed": True, "errors": []},
        "database": {"preloaded": ["Ada"], "updated": ["Grace"]},
    }
