import random
from typing import Any

from dataflow.collection.netting import Net


def test_a_key_that_is_as_it_was_takes_no_room() -> None:
    net, row = Net(), {"v": 1}
    net.add([("a", None, row), ("b", row, {"v": 2}), ("c", row, None)])
    net.add([("a", row, None), ("b", {"v": 2}, row), ("c", None, row)])
    assert (len(net), net.take()) == (0, [])


def test_equal_rows_are_no_change_although_they_take_room() -> None:
    net = Net()
    net.add([("a", {"v": 1}, {"v": 2})])
    net.add([("a", {"v": 2}, {"v": 1})])
    assert (len(net), net.take(), len(net)) == (1, [], 0)


def test_any_history_nets_to_the_difference_of_its_ends() -> None:
    for seed in range(50):
        random_ = random.Random(seed)
        state: dict[int, Any] = {key: (key,) for key in range(5)}
        before, net = dict(state), Net()
        for _ in range(30):
            key = random_.randrange(10)
            old, new = state.get(key), random_.choice((None, (random_.randrange(3),)))
            if old is new:
                continue
            net.add([(key, old, new)])
            if new is None:
                del state[key]
            else:
                state[key] = new
            assert len(net) <= len(before.keys() | state.keys())
        changed = {key for key in before.keys() | state.keys() if before.get(key) != state.get(key)}
        expected = {key: (before.get(key), state.get(key)) for key in changed}
        assert {key: (old, new) for key, old, new in net.take()} == expected
