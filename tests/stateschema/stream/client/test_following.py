"""Following, decision by decision: what is asked, what is handed out, when it ends."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stateschema.errors import (
    LocalProtocolError,
    OffsetGoneError,
    RefusedError,
    RemoteProtocolError,
    ServerError,
    StreamNotFoundError,
)
from stateschema.stream.client.effects import Request
from stateschema.stream.client.following import TOLD_AT, Follower, Live
from stateschema.stream.client.operations import Operations
from stateschema.stream.client.retry import Backoff, Retry
from tests.stateschema.stream.client.world import (
    JSON,
    LOST,
    UNREACHED,
    Answer,
    EventStream,
    Scripted,
    World,
    answer,
)

AT_END = answer(200, b"[]", next_offset="0", up_to_date="true")


def control(offset: str, more: str = '"upToDate":true') -> bytes:
    return f'event: control\ndata: {{"streamNextOffset":"{offset}",{more}}}\n\n'.encode()


def data(text: str) -> bytes:
    return f"event: data\ndata: {text}\n\n".encode()


def follow(
    *answers: Scripted,
    live: Live | None = "long-poll",
    offset: str = "-1",
    retries: int | None = None,
) -> World:
    """Follow until the script is over; the world tells what happened."""
    world = World(*answers)
    backoff = Backoff(Retry(max_retries=retries), random=lambda: 1.0)
    operations = Operations("s", retry=Retry())
    world.run(Follower(operations, offset, live=live, backoff=backoff, clock=world.clock).run())
    return world


def handed_out(world: World) -> list[tuple[list[object], str, bool, bool]]:
    return [
        (list(batch.messages), batch.next_offset, batch.up_to_date, batch.is_closed)
        for batch in world.emitted
    ]


def test_catching_up_goes_on_to_the_end_and_asks_without_live() -> None:
    world = follow(
        answer(200, b"[1]", next_offset="1"),
        answer(200, b"[2]", next_offset="2", up_to_date="true"),
        live=None,
    )
    assert world.queries == [{"offset": "-1"}, {"offset": "1"}]
    assert handed_out(world) == [([1], "1", False, False), ([2], "2", True, False)]


def test_long_polls_tell_news_only_and_echo_the_cursor() -> None:
    world = follow(
        AT_END,
        answer(204, next_offset="0", up_to_date="true", cursor="a"),
        answer(200, b"[1]", next_offset="1", up_to_date="true", cursor="b"),
        answer(204, next_offset="1", up_to_date="true", closed="true"),
    )
    assert world.queries == [
        {"offset": "-1"},
        {"offset": "0", "live": "long-poll"},
        {"offset": "0", "live": "long-poll", "cursor": "a"},
        {"offset": "1", "live": "long-poll", "cursor": "b"},
    ]
    assert handed_out(world) == [
        ([], "0", True, False),
        ([1], "1", True, False),
        ([], "1", True, True),
    ]


def test_a_closed_stream_ends_following() -> None:
    world = follow(answer(200, b"[1]", next_offset="1", closed="true"), answer(500), live="auto")
    assert handed_out(world) == [([1], "1", True, True)]
    assert len(world.requests) == 1


def test_events_are_handed_out_with_their_control_event() -> None:
    pieces = [data("[1]") + data("[2]"), control("2", '"streamCursor":"c"'), control("2")]
    world = follow(AT_END, EventStream(pieces), EventStream([]), live="sse")
    assert handed_out(world)[1:] == [([1, 2], "2", False, False), ([], "2", True, False)]
    assert world.queries[1:] == [
        {"offset": "0", "live": "sse"},
        {"offset": "2", "live": "sse", "cursor": "c"},
    ]


def test_data_without_a_control_event_come_again() -> None:
    broken = EventStream([data("[1]"), LOST])
    again = EventStream([data("[1]") + control("1", '"streamClosed":true')])
    world = follow(AT_END, broken, again, live="sse")
    assert handed_out(world)[1:] == [([1], "1", True, True)]
    assert [query["offset"] for query in world.queries] == ["-1", "0", "0"]


@given(st.lists(st.integers(0, 300), max_size=8))
def test_nothing_is_lost_or_repeated_wherever_connections_break(cuts: list[int]) -> None:
    def connection(cut: int) -> Callable[[Request], Answer]:
        """A connection that gives what comes after the offset asked for, and breaks."""

        def open_at(request: Request) -> Answer:
            start = int(request.params["offset"])
            rest = b"".join(data(f"[{n}]") + control(str(n)) for n in range(start + 1, 5))
            rest += data("[5]") + control("5", '"streamClosed":true')
            return EventStream([rest[:cut], LOST])

        return open_at

    world = follow(AT_END, *map(connection, [*cuts, 10_000]), live="sse")
    assert [message for batch in world.emitted for message in batch.messages] == [1, 2, 3, 4, 5]


def test_base64_is_decoded() -> None:
    headers = {"content-type": "text/event-stream", "stream-sse-data-encoding": "base64"}
    first = answer(200, b"", next_offset="0", up_to_date="true")
    first.headers["content-type"] = "application/octet-stream"  # type: ignore[index] # a dict
    world = follow(
        first,
        EventStream([data("AAH/") + control("3", '"streamClosed":true')], headers=headers),
        live="sse",
    )
    assert world.emitted[-1].data == b"\x00\x01\xff"


def test_text_is_not_followed_with_events_that_alter_it() -> None:
    first = answer(200, b"a", next_offset="1", up_to_date="true")
    first.headers["content-type"] = "Text/Plain; charset=utf-8"  # type: ignore[index] # a dict
    world = follow(first, answer(500), live="auto")
    assert [query.get("live") for query in world.queries] == [None, "long-poll"]


def test_short_connections_lead_to_long_polls() -> None:
    short = EventStream([control("0")], seconds=0.5)
    world = follow(AT_END, short, short, short, answer(500), live="auto")
    assert [query.get("live") for query in world.queries] == [
        None,
        "sse",
        "sse",
        "sse",
        "long-poll",
    ]


def test_a_long_connection_between_short_ones_is_a_good_sign() -> None:
    short, long = EventStream([control("0")], seconds=0.5), EventStream([], seconds=60)
    world = follow(AT_END, short, short, long, short, short, short, answer(500), live="auto")
    assert [query.get("live") for query in world.queries][-2:] == ["sse", "long-poll"]
    assert len(world.requests) == 8


def test_who_asks_for_events_only_keeps_them() -> None:
    short = EventStream([control("0")], seconds=0.5)
    world = follow(AT_END, short, short, short, short, short, live="sse")
    assert [query.get("live") for query in world.queries] == [None, *["sse"] * 5]
    assert world.sleeps == [0.1] * 5


def test_event_streams_that_break_before_they_say_anything_are_waited_out() -> None:
    world = follow(AT_END, *[EventStream([LOST], seconds=0.0)] * 4, live="sse")
    assert world.sleeps == [pytest.approx(0.1 * 1.3**n) for n in range(4)]


@pytest.mark.parametrize("refusal", [answer(400), answer(405), answer(501), AT_END])
def test_a_server_without_events_gets_long_polls(refusal: Answer) -> None:
    world = follow(AT_END, refusal, answer(500), live="auto")
    assert [query.get("live") for query in world.queries] == [None, "sse", "long-poll"]


def test_a_server_without_events_is_an_error_for_who_wants_nothing_else() -> None:
    with pytest.raises(RemoteProtocolError, match="answer to live=sse is 'application/json'"):
        follow(AT_END, AT_END, live="sse")


@pytest.mark.parametrize("live", ["long-poll", "sse", "auto"])
def test_passing_failures_are_waited_out_without_end(live: Live) -> None:
    failures: list[Scripted] = [UNREACHED, LOST, answer(502)] * 8
    world = follow(UNREACHED, answer(503), AT_END, *failures, live=live)
    assert len(world.requests) == 27
    assert world.sleeps[:3] == [0.1, pytest.approx(0.13), 0.1]  # a success begins anew
    assert world.sleeps[3:] == sorted(world.sleeps[3:])


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (answer(404), StreamNotFoundError),
        (answer(410), OffsetGoneError),
        (answer(401), RefusedError),
        (answer(403), RefusedError),
    ],
)
@pytest.mark.parametrize("live", ["long-poll", "sse", "auto"])
def test_what_does_not_pass_is_raised(refusal: Answer, kind: type[Exception], live: Live) -> None:
    with pytest.raises(kind):
        follow(AT_END, refusal, live=live)


def test_catching_up_has_the_patience_of_single_operations() -> None:
    with pytest.raises(ServerError):
        follow(*[answer(503)] * 5, live=None, retries=3)


def test_a_server_that_answers_without_getting_on_is_not_asked_in_a_tight_loop() -> None:
    idle = answer(204, next_offset="0", up_to_date="true")
    assert follow(AT_END, *[idle] * 5).sleeps == [1.0] * 5
    stuck = answer(200, b"[]", next_offset="0")
    with pytest.raises(RemoteProtocolError, match="server answers without getting on"):
        follow(*[stuck] * 9, live=None, retries=3)


@pytest.mark.parametrize(
    "text",
    [
        b"event: control\ndata: {bad\n\n",
        b"event: control\ndata:\n\n",
        b"event: control\ndata: {}\n\n",
        b"event: control\ndata: []\n\n",
        b"event: data\ndata: [1\n\n",
    ],
)
def test_malformed_events_are_the_fault_of_the_server(text: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        follow(AT_END, EventStream([text]), live="auto")


def test_unknown_events_mean_nothing() -> None:
    world = follow(AT_END, EventStream([b"event: x\ndata: {\n\n" + control("1")]), live="sse")
    assert handed_out(world)[1:] == [([], "1", True, False)]


@pytest.mark.parametrize("offset", ["", "a b\n", "a,b", "a&b", "a=b", "a?b", "a/b"])
def test_an_offset_no_server_can_have_minted_is_refused(offset: str) -> None:
    with pytest.raises(LocalProtocolError, match="is malformed"):
        follow(AT_END, offset=offset)


def test_an_answer_without_offset_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="lacks header"):
        follow(answer(200, b"[]"))


def test_the_content_type_is_learnt_while_reading() -> None:
    operations = Operations("s", retry=Retry())
    world = World(AT_END)
    follower = Follower(operations, "-1", live=None, backoff=Backoff(Retry()), clock=world.clock)
    world.run(follower.run())
    assert operations.content_type == JSON["content-type"]


def test_an_outage_that_lasts_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    follow(*[UNREACHED] * TOLD_AT, AT_END, live=None)
    follow(*[answer(503)] * 20, AT_END, live=None)
    follow(*[UNREACHED] * (TOLD_AT - 1), AT_END, live=None)
    start = "still following, and trying again until it works: "
    assert [record.getMessage() for record in caplog.records] == [
        f"{start}unreached",
        f"{start}'s' answers 503",
    ]
