"""The figures an operator watches."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from imconnect.metrics import PrometheusMeter
from imconnect.ports import Backlog

ROOT = Path(__file__).parents[1]
BACKLOG = Backlog(1, 2.5, 3, 4.5, 5, 6, 7, 8, 9)


def samples(meter: PrometheusMeter) -> dict[str, float]:
    """Every sample by name and labels, as a Prometheus server would read it."""
    return {
        sample.name + "".join(f" {label}={value}" for label, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(meter.render().decode())
        for sample in family.samples
    }


def asked_of_a_meter() -> set[tuple[str, str, frozenset[str]]]:
    """Every call of a meter in the sources: the method, the name, the labels."""
    calls: set[tuple[str, str, frozenset[str]]] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("count", "observe")
                and ast.unparse(node.func.value).endswith("meter")
                and isinstance(node.args[0], ast.Constant)
            ):
                labels = frozenset(keyword.arg for keyword in node.keywords if keyword.arg and keyword.arg != "value")
                calls.add((node.func.attr, str(node.args[0].value), labels))
    return calls


def test_a_count_is_shown() -> None:
    meter = PrometheusMeter()
    meter.count("messages_received", 3)

    assert samples(meter)["imconnect_messages_received_total"] == 3


def test_a_count_of_nothing_is_shown_as_nought() -> None:
    assert samples(PrometheusMeter())["imconnect_messages_received_total"] == 0


def test_a_count_with_labels_is_shown_by_label() -> None:
    meter = PrometheusMeter()
    meter.count("sends", channel="web", state="sent")

    assert samples(meter)["imconnect_sends_total channel=web state=sent"] == 1


def test_a_time_falls_into_its_bucket() -> None:
    meter = PrometheusMeter()
    meter.observe("turn_seconds", 0.2)

    found = samples(meter)
    assert (found["imconnect_turn_seconds_bucket le=0.1"], found["imconnect_turn_seconds_bucket le=0.25"]) == (0, 1)


def test_every_figure_of_the_backlog_is_shown() -> None:
    meter = PrometheusMeter()
    meter.show(BACKLOG)

    shown = set(samples(meter).values())
    assert {getattr(BACKLOG, field.name) for field in fields(BACKLOG)} <= shown


def test_two_meters_share_nothing() -> None:
    one, other = PrometheusMeter(), PrometheusMeter()
    one.count("messages_received")

    assert samples(other)["imconnect_messages_received_total"] == 0


def test_the_desk_asks_a_meter_for_something() -> None:
    assert len(asked_of_a_meter()) >= 8


@pytest.mark.parametrize(("method", "name", "labels"), sorted(asked_of_a_meter(), key=str))
def test_the_meter_knows_what_the_desk_asks_of_it(method: str, name: str, labels: frozenset[str]) -> None:
    meter = PrometheusMeter()
    said = dict.fromkeys(labels, "x")
    if method == "count":
        meter.count(name, 1, **said)
    else:
        meter.observe(name, 0.1, **said)

    assert any(key.startswith(f"imconnect_{name}") and value > 0 for key, value in samples(meter).items())


def test_every_metric_is_in_the_operators_list() -> None:
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(imconnect_\w+)`", text, re.MULTILINE))
    families = text_string_to_metric_families(PrometheusMeter().render().decode())

    assert listed == {family.name for family in families if not family.name.endswith("_created")}
