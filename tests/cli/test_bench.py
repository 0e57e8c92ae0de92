"""`imconnect bench`: one object of figures on standard output and nothing else, whoever does the work."""

import json
import subprocess
import sys

from tests.worlds.needs import needs_postgres

CONTRACTED = {
    "messages_per_second",
    "p50_ms",
    "p99_ms",
    "order_errors",
    "lost",
    "doubled",
    "rss_mb",
    "ceiling_messages_per_second",
    "floor_commits_per_second",
}


@needs_postgres
def test_with_workers_of_its_own_it_prints_its_figures_and_nothing_else(postgres_url: str) -> None:
    command = [sys.executable, "-m", "imconnect", "bench", "--database", postgres_url, "--json"]
    size = ["--messages", "200", "--conversations", "20", "--workers", "1"]
    ran = subprocess.run([*command, *size], capture_output=True, text=True, timeout=120, check=False)
    figures = json.loads(ran.stdout)

    assert ran.returncode == 0
    assert figures.keys() >= CONTRACTED
    assert (figures["order_errors"], figures["lost"], figures["doubled"]) == (0, 0, 0)
