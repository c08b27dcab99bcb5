"""Signals: who waits for which stream. A signal exists only while somebody holds it."""

from weakref import WeakValueDictionary

from stateschema.stream.follow import Signal


class Signals:
    """One `Signal` per stream that is being waited for."""

    def __init__(self) -> None:
        self._signals: WeakValueDictionary[int, Signal] = WeakValueDictionary()

    def of(self, stream: int) -> Signal:
        """Return the signal of a stream; the caller keeps it alive."""
        signal = self._signals.get(stream)
        if signal is None:
            signal = self._signals[stream] = Signal()
        return signal

    def wake(self, stream: int) -> None:
        """Wake all who wait for a stream."""
        signal = self._signals.get(stream)
        if signal is not None:
            signal.wake()
