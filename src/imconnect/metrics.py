"""What the desk counts and times, for Prometheus. Labels are names of ours, never anything a customer typed."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from imconnect.ports import Backlog

QUICK = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
SLOW = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class PrometheusMeter:
    """The desk's meter, with a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters = {
            name: Counter(f"imconnect_{name}", text, labels, registry=self._registry)
            for name, text, labels in (
                ("messages_received", "messages of customers stored", ()),
                ("messages_repeated", "messages that came again and had no second effect", ()),
                ("secrets_withheld", "messages withheld because of a secret", ("kind", "channel")),
                ("events_settled", "events that had their turn", ()),
                ("events_failed", "events that could not be decided", ()),
                ("turns_failed", "turns that could not be applied", ()),
                ("sends", "attempts to send, by what came of them", ("channel", "state")),
                ("errands_done", "errands that achieved their end", ("kind",)),
                ("opinions", "second opinions, by what came of asking", ("outcome",)),
                ("answers", "topics answered, by whose word", ("by",)),
                ("room_delays", "copies to a staff room put off", ("channel",)),
                ("rooms_failed", "copies to a staff room given up until their conversation changes", ("channel",)),
            )
        }
        self._times = {
            name: Histogram(f"imconnect_{name}", text, labels, registry=self._registry, buckets=buckets)
            for name, text, labels, buckets in (
                ("guard_seconds", "inspecting one message", (), QUICK),
                ("event_seconds", "from an event's arrival to its outcome", (), SLOW),
                ("turn_seconds", "one turn", (), SLOW),
                ("send_seconds", "one attempt to send", ("channel",), SLOW),
                ("opinion_seconds", "asking for one second opinion", (), SLOW),
                ("room_seconds", "bringing one copy in a staff room up to date", ("channel",), SLOW),
            )
        }
        self._gauges = {
            name: Gauge(f"imconnect_{name}", text, registry=self._registry)
            for name, text in (
                ("events_pending", "events waiting for their turn"),
                ("oldest_event_seconds", "age of the oldest event waiting for its turn"),
                ("sends_pending", "messages waiting to be sent"),
                ("oldest_send_seconds", "age of the oldest message waiting to be sent"),
                ("sends_unknown_day", "sends of the last day that may or may not have arrived"),
                ("sends_failed_day", "sends of the last day that failed"),
                ("waiting", "people in the waiting line"),
                ("errands_pending", "errands not done yet"),
                ("quarantined", "items no adapter could read"),
                ("room_copies_failed", "conversations whose copy in a staff room is behind for good"),
            )
        }

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(value)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        times = self._times[name]
        (times.labels(**labels) if labels else times).observe(seconds)

    def show(self, backlog: Backlog) -> None:
        """Take over how far behind the desk is."""
        for name, value in (
            ("events_pending", backlog.events),
            ("oldest_event_seconds", backlog.oldest_event),
            ("sends_pending", backlog.sends),
            ("oldest_send_seconds", backlog.oldest_send),
            ("sends_unknown_day", backlog.unknown_sends),
            ("sends_failed_day", backlog.failed_sends),
            ("waiting", backlog.waiting),
            ("errands_pending", backlog.errands),
            ("quarantined", backlog.quarantined),
            ("room_copies_failed", backlog.rooms_failed),
        ):
            self._gauges[name].set(value)

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)
