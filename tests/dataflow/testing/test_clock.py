from dataflow.testing import ManualClock


def test_calls_are_made_in_order_of_time_then_of_making() -> None:
    clock = ManualClock()
    calls: list[tuple[str, float]] = []
    for name, delay in [("c", 2.0), ("a", 1.0), ("d", 2.0), ("late", 5.5)]:
        clock.call_later(delay, lambda name=name: calls.append((name, clock.time())))
    clock.advance(1.5)
    assert (calls, clock.time(), clock.pending) == ([("a", 1.0)], 1.5, 3)
    clock.advance(1.5)
    assert (calls[1:], clock.time()) == ([("c", 2.0), ("d", 2.0)], 3.0)


def test_calls_that_calls_ask_for_are_made_if_they_fall_due() -> None:
    clock = ManualClock()
    times: list[float] = []

    def again() -> None:
        times.append(clock.time())
        clock.call_later(1.0, again)

    clock.call_later(1.0, again)
    clock.advance(3.5)
    assert (times, clock.pending) == ([1.0, 2.0, 3.0], 1)


def test_a_call_that_was_taken_back_is_not_made() -> None:
    clock = ManualClock()
    timer = clock.call_later(1.0, lambda: 1 // 0)
    timer.cancel()
    assert clock.pending == 0
    clock.advance(2.0)
