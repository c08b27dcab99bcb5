"""The public names: what users import, complete, sorted and documented.

Only the modules listed in `PUBLIC` are public. A module that is not written yet is left out; once it
exists it is held to every rule here.
"""

import inspect
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import pytest

PUBLIC = (
    "dataflow",
    "dataflow.io",
    "dataflow.operators",
    "dataflow.testing",
    "stateschema",
    "stateschema.stream",
    "stateschema.stream.client",
    "stateschema.stream.server",
    "stateschema.stream.store",
    "stateschema.streamdb",
    "stateschema.session",
)


def is_written(name: str) -> bool:
    # A folder without `__init__.py` is found too, but has no origin.
    spec = find_spec(name.partition(".")[0])
    if spec is None or spec.origin is None:
        return False
    spec = find_spec(name)
    return spec is not None and spec.origin is not None


def sort_key(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions: the order Ruff's RUF022 asks for."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.fixture(params=[name for name in PUBLIC if is_written(name)])
def module(request: pytest.FixtureRequest) -> ModuleType:
    return import_module(request.param)


def test_all_is_sorted_and_free_of_duplicates(module: ModuleType) -> None:
    assert list(module.__all__) == sorted(set(module.__all__), key=sort_key)


def test_every_name_in_all_can_be_imported(module: ModuleType) -> None:
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_every_public_class_and_function_is_documented(module: ModuleType) -> None:
    def is_undocumented(name: str) -> bool:
        value = getattr(module, name)
        if not inspect.isclass(value) and not inspect.isroutine(value):
            return False  # constants and type aliases cannot carry a docstring
        # A dataclass or named tuple without one gets its own signature as docstring.
        doc = value.__doc__ or ""
        return doc.strip() == "" or doc.startswith(f"{value.__name__}(")

    assert (module.__doc__ or "").strip() != ""
    assert [name for name in module.__all__ if is_undocumented(name)] == []


def test_nothing_else_is_public(module: ModuleType) -> None:
    is_package = hasattr(module, "__path__")

    def leaks(name: str, value: object) -> bool:
        if name.startswith("_") or name in module.__all__ or inspect.ismodule(value):
            return False
        # A plain module needs imports of its own; a package file exists only to name things.
        return is_package or getattr(value, "__module__", module.__name__) == module.__name__

    assert [name for name, value in vars(module).items() if leaks(name, value)] == []
