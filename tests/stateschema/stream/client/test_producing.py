"""The idempotent producer against a model of a server, over a network that does what it likes."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stateschema.errors import LocalProtocolError, RefusedError, StreamClosedError
from stateschema.stream.client.effects import Response
from stateschema.stream.client.producing import ProducerBatch, ProducerState
from stateschema.stream.client.settling import settle
from tests.stateschema.stream.client.world import answer


class ModelServer:
    """One stream and one producer, by the letter of the protocol (section 5.2.1)."""

    def __init__(self) -> None:
        self.content: list[bytes] = []
        self.epoch = -1
        self.last_seq = -1
        self.is_closed = False
        self.closed_by: object = None

    def take(self, batch: ProducerBatch) -> Response:
        mark = batch.mark
        if self.is_closed:
            same = mark == self.closed_by
            return self._ok(204) if same else answer(409, closed="true", next_offset="9")
        if mark.epoch < self.epoch:
            return Response(status=403, headers={"producer-epoch": str(self.epoch)})
        if mark.epoch > self.epoch and mark.seq != 0:
            return answer(400)
        if mark.epoch == self.epoch and mark.seq <= self.last_seq:
            return self._ok(204)
        if mark.epoch == self.epoch and mark.seq > self.last_seq + 1:
            return Response(status=409, headers={"producer-expected-seq": str(self.last_seq + 1)})
        self.epoch, self.last_seq = mark.epoch, mark.seq
        self.content += batch.texts
        if batch.closes:
            self.is_closed, self.closed_by = True, mark
        return self._ok(200)

    def _ok(self, status: int) -> Response:
        return answer(status, next_offset=f"{len(self.content):08d}")


def text(number: int) -> bytes:
    return f"{number:04d}".encode()


def deliver(
    state: ProducerState, server: ModelServer, batches: list[ProducerBatch], data: st.DataObject
) -> None:
    """Let one of the batches in flight meet its fate."""
    batch = batches.pop(data.draw(st.integers(0, len(batches) - 1)))
    fate = data.draw(st.sampled_from(["answered", "answered", "lost", "doubled", "answer lost"]))
    if fate in {"doubled", "answer lost"}:
        server.take(batch)
    if fate in {"answered", "doubled"}:
        settle(state, batch, server.take(batch), "s")
    else:
        batch.is_lost = True
        batches.append(batch)  # a driver repeats it


def send_all(state: ProducerState, batches: list[ProducerBatch], now: float) -> None:
    while (batch := state.next(now)) is not None:
        batches.append(batch)


@settings(max_examples=settings().max_examples // 3)
@given(st.data(), st.integers(1, 4), st.integers(1, 12), st.booleans())
def test_everything_arrives_once_and_in_order(
    data: st.DataObject, max_in_flight: int, max_bytes: int, auto_claim: bool
) -> None:
    state = ProducerState(
        "p", max_in_flight=max_in_flight, max_batch_bytes=max_bytes, auto_claim=auto_claim
    )
    server, batches, count = ModelServer(), list[ProducerBatch](), 0
    for _ in range(data.draw(st.integers(0, 60))):
        if data.draw(st.booleans()):
            state.add(text(count), now=0.0)
            count += 1
        send_all(state, batches, now=1.0)
        assert len(batches) <= max_in_flight
        if batches:
            deliver(state, server, batches, data)
    state.flush()
    send_all(state, batches, now=1.0)
    while batches:
        settle(state, batches[0], server.take(batches.pop(0)), "s")
        send_all(state, batches, now=1.0)
    assert state.error is None
    assert state.is_idle
    assert server.content == [text(number) for number in range(count)]
    assert state.has_acknowledged(count)


@settings(max_examples=settings().max_examples // 3)
@given(st.data(), st.integers(1, 4))
def test_an_epoch_is_claimed_without_losing_or_doubling(
    data: st.DataObject, max_in_flight: int
) -> None:
    state = ProducerState("p", max_in_flight=max_in_flight, max_batch_bytes=4, auto_claim=True)
    server, batches, count = ModelServer(), list[ProducerBatch](), 0
    for _ in range(data.draw(st.integers(0, 40))):
        match data.draw(st.sampled_from(["add", "answer", "answer", "fence"])):
            case "add":
                state.add(text(count), now=0.0)
                count += 1
            case "fence":  # another producer of the same id
                server.epoch, server.last_seq = server.epoch + 2, 0
            case _:
                if batches:
                    batch = batches.pop(data.draw(st.integers(0, len(batches) - 1)))
                    settle(state, batch, server.take(batch), "s")
        send_all(state, batches, now=1.0)
    while batches:
        settle(state, batches[0], server.take(batches.pop(0)), "s")
        send_all(state, batches, now=1.0)
    assert state.error is None
    assert server.content == [text(number) for number in range(count)]


def started(
    *, auto_claim: bool = False, max_in_flight: int = 5
) -> tuple[ProducerState, ModelServer]:
    state = ProducerState(
        "p", max_batch_bytes=4, linger=0, auto_claim=auto_claim, max_in_flight=max_in_flight
    )
    return state, ModelServer()


def test_a_fenced_producer_that_does_not_claim_stops() -> None:
    state, server = started()
    server.epoch = 3
    state.add(b"0000", 0.0)
    batch = state.next(0.0)
    assert batch is not None
    settle(state, batch, server.take(batch), "s")
    assert isinstance(state.error, RefusedError)
    assert state.error.epoch == 3
    assert state.next(0.0) is None
    with pytest.raises(RefusedError):
        state.add(b"0001", 0.0)


def test_a_claim_does_not_repeat_what_may_be_in_the_stream() -> None:
    state, server = started(auto_claim=True)
    state.add(b"0000", 0.0)
    batch = state.next(0.0)
    assert batch is not None
    server.take(batch)
    batch.is_lost = True
    server.epoch = 5  # taken by another one, before the repetition comes
    settle(state, batch, server.take(batch), "s")
    assert isinstance(state.error, RefusedError)
    assert state.error.__notes__ == [
        "batch 0 went unanswered before: it may be in the stream or not"
    ]
    assert server.content == [b"0000"]


def test_one_batch_goes_alone_until_the_epoch_is_known_to_the_server() -> None:
    state, server = started(max_in_flight=3)
    for number in range(5):
        state.add(text(number), 0.0)
    first = state.next(0.0)
    assert first is not None
    assert state.next(0.0) is None
    settle(state, first, server.take(first), "s")
    assert [state.next(0.0) is not None for _ in range(4)] == [True, True, True, False]


def test_a_server_that_forgot_what_it_acknowledged_is_an_error() -> None:
    state, server = started()
    for number in range(2):
        state.add(text(number), 0.0)
        batch = state.next(0.0)
        assert batch is not None
        response = server.take(batch)
        settle(state, batch, response, "s")
        server.last_seq = -1  # as if the stream had been made anew
    assert isinstance(state.error, RefusedError)
    assert str(state.error) == "server has lost what producer 'p' sent before number 1"


def test_messages_linger_for_company() -> None:
    state = ProducerState("p", linger=0.5, max_batch_bytes=10)
    state.add(b"aaaa", 1.0)
    assert state.next(1.4) is None
    assert state.due_in(1.4) == pytest.approx(0.1)
    state.add(b"bbbb", 1.4)
    batch = state.next(1.5)
    assert batch is not None
    assert batch.texts == [b"aaaa", b"bbbb"]
    assert state.due_in(1.5) is None


def test_a_full_batch_and_a_flush_do_not_linger() -> None:
    state, server = ProducerState("p", linger=10, max_batch_bytes=6), ModelServer()
    state.add(b"aaaa", 0.0)
    state.add(b"bbbb", 0.0)
    batch = state.next(0.0)
    assert batch is not None
    assert batch.texts == [b"aaaa"]
    settle(state, batch, server.take(batch), "s")
    assert state.next(0.0) is None
    state.flush()
    batch = state.next(0.0)
    assert batch is not None
    assert batch.texts == [b"bbbb"]


def test_closing_comes_after_all_else_and_is_repeatable() -> None:
    state, server = started(max_in_flight=5)
    state.add(b"0000", 0.0)
    state.close_stream([b"last"])
    first = state.next(0.0)
    assert first is not None
    assert state.next(0.0) is None
    settle(state, first, server.take(first), "s")
    last = state.next(0.0)
    assert last is not None
    server.take(last)
    settle(state, last, server.take(last), "s")
    assert (server.content, server.is_closed, state.is_idle) == ([b"0000", b"last"], True, True)
    with pytest.raises(LocalProtocolError, match="producer 'p' has closed the stream"):
        state.add(b"more", 0.0)


def test_a_stream_that_another_one_closed_stops_the_producer() -> None:
    state, server = started()
    server.is_closed = True
    state.add(b"0000", 0.0)
    batch = state.next(0.0)
    assert batch is not None
    with pytest.raises(StreamClosedError):
        settle(state, batch, server.take(batch), "s")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ProducerState(""), "producer_id is empty"),
        (lambda: ProducerState("p", epoch=-1), "epoch -1 is not between 0 and 9007199254740991"),
        (lambda: ProducerState("p", max_in_flight=0), "max_in_flight 0 is not positive"),
        (lambda: ProducerState("p", max_batch_bytes=0), "max_batch_bytes 0 is not positive"),
        (lambda: ProducerState("p", linger=-1), "linger -1 is negative"),
    ],
)
def test_arguments_are_checked(make: Callable[[], ProducerState], message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        make()
