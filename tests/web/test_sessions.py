"""Cookies that only we can make, and a brake that slows."""

from datetime import UTC, datetime, timedelta

from imconnect.web.sessions import AgentSession, Brake, Seals

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_cookie_of_ours_names_its_peer() -> None:
    seals = Seals("a secret")

    assert seals.chat(seals.seal_chat("peer")) == "peer"


def test_a_cookie_signed_elsewhere_or_changed_names_nobody() -> None:
    seals, cookie = Seals("a secret"), Seals("another").seal_chat("peer")
    ours = seals.seal_chat("peer")

    assert [seals.chat(c) for c in (cookie, ours[:-1], "x" + ours, "", None)] == [None] * 5


def test_a_customers_cookie_is_no_agents_and_the_other_way_round() -> None:
    seals = Seals("a secret")
    session = AgentSession(1, "nonce", NOW + timedelta(hours=1))

    assert seals.inbox(seals.seal_chat("peer"), NOW) is None
    assert seals.chat(seals.seal_inbox(session)) is None


def test_an_agents_session_ends() -> None:
    seals, session = Seals("a secret"), AgentSession(1, "nonce", NOW + timedelta(hours=1))
    cookie = seals.seal_inbox(session)

    assert seals.inbox(cookie, NOW + timedelta(minutes=59)) == session
    assert seals.inbox(cookie, NOW + timedelta(minutes=60)) is None


def test_a_form_token_belongs_to_one_session() -> None:
    seals = Seals("a secret")
    mine, other = AgentSession(1, "one", NOW), AgentSession(1, "two", NOW)

    assert seals.genuine(seals.form_token(mine), mine)
    assert not seals.genuine(seals.form_token(other), mine)
    assert not seals.genuine("é", mine)


def test_whoever_writes_fast_is_slowed_not_stopped() -> None:
    brake = Brake(burst=3, gap=1.0)

    assert [brake.delay("peer", NOW) for _ in range(6)] == [0, 0, 0, 1, 2, 3]


def test_a_pause_earns_a_new_burst_and_others_are_not_slowed() -> None:
    brake = Brake(burst=2, gap=1.0)
    for _ in range(5):
        brake.delay("peer", NOW)

    assert brake.delay("another", NOW) == 0
    assert brake.delay("peer", NOW + timedelta(seconds=10)) == 0


def test_the_brake_forgets_who_has_been_quiet() -> None:
    brake = Brake(most_sessions=2)
    brake.delay("one", NOW)
    brake.delay("two", NOW)
    brake.delay("three", NOW + timedelta(seconds=5))

    assert set(brake.due) == {"three"}
