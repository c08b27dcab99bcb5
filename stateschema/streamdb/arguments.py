"""Arguments: what is refused where a StreamDB is made, before it fails somewhere else.

A misspelt name, a policy that does not exist or a callback that is no function would otherwise be
noticed when the first bad event or conflict comes, perhaps days later.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar, cast

from dataflow.callables import is_async, is_generator
from stateschema.stream.client.blocking import BlockingStreamClient

InitT = TypeVar("InitT", bound=Callable[..., None])


def naming_its_class(*usages: str) -> Callable[[InitT], InitT]:
    """Let what Python says about the arguments of an inherited `__init__` name the class that was called.

    Args:
        usages: How to call it, behind the name of the class.
    """

    def decorate(init: InitT) -> InitT:
        signature = inspect.signature(init)

        @wraps(init)
        def checked(self: object, *given: Any, **named: Any) -> None:
            try:
                signature.bind(self, *given, **named)
            except TypeError as wrong:
                kind = type(self).__name__
                error = TypeError(f"{kind}: {wrong}")
                hint = " or ".join(f"{kind}{usage}" for usage in usages)
                error.add_note(_near(named, signature) or f"write {hint}")
                raise error from None
            init(self, *given, **named)

        return cast("InitT", checked)

    return decorate


def _near(named: Iterable[str], signature: inspect.Signature) -> str | None:
    for name in named:
        if name not in signature.parameters:
            for near in get_close_matches(name, signature.parameters, n=1, cutoff=0.7):
                return f"did you mean {near}= instead of {name}=?"
    return None


def check_choice(value: object, choices: Sequence[object], name: str) -> None:
    """Refuse a value that is none of the choices of an argument.

    Raises:
        ValueError: It is none of them.
    """
    if value in choices:
        return
    near = get_close_matches(str(value), [each for each in choices if isinstance(each, str)], n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise ValueError(f"{name}= is {value!r}, but one of {', '.join(map(repr, choices))}{hint}")


def check_function(value: object, name: str) -> None:
    """Refuse what is neither None nor can be called, or would not run when it is.

    Raises:
        TypeError: It is neither, or an async or a generator function.
    """
    if value is None:
        return
    if not callable(value):
        raise TypeError(f"{name}= takes a function, not {value!r}")
    if is_async(value) or is_generator(value):
        error = TypeError(f"{name}= takes a function that runs when it is called, not {value!r}")
        error.add_note("make it a plain function, that may start a task")
        raise error


def check_txid(value: object) -> None:
    """Refuse what no event can carry as its txid, which would be waited for in vain.

    Raises:
        TypeError: It is none.
    """
    if isinstance(value, str) and value:
        return
    error = TypeError(f"wait_txid takes the txid of an event, not {value!r}")
    error.add_note("give events one: txid = new_txid(), then Chat.messages.insert(..., txid=txid)")
    raise error


def check_stream(value: object, what: str) -> None:
    """Refuse what has not the interface of streams.

    Raises:
        TypeError: It has not.
    """
    is_stream = all(hasattr(value, name) for name in ("append", "follow", "head"))
    if is_stream and not isinstance(value, BlockingStreamClient | type):
        return
    error = TypeError(f"{what} takes a stream, not {value!r}")
    error.add_note("of a URL make a StreamClient(url), of a file a LogFile(path)")
    raise error
