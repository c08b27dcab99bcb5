from typing import Any

from dataflow import Collection, live, query

Row = dict[str, Any]


def items(*rows: Row) -> Collection[Row]:
    made: Collection[Row] = Collection("items", key="id")
    with made.sync() as write:
        for row in rows:
            write.insert(row)
    return made


def html(source: Any) -> str:
    return str(source._repr_html_())


def test_rows_are_lines_and_fields_columns() -> None:
    assert html(items({"id": 1, "a": "x"}, {"id": 2, "b": None})) == (
        "<table><caption>collection &#x27;items&#x27;, ready · 2 rows</caption>"
        "<thead><tr><th>id</th><th>a</th><th>b</th></tr></thead>"
        "<tbody><tr><td>1</td><td>x</td><td></td></tr><tr><td>2</td><td></td><td></td></tr></tbody></table>"
    )


def test_nothing_in_a_row_is_markup() -> None:
    shown = html(items({"id": 1, "<i>": "<script>alert('x')</script>"}))
    assert "<script>" not in shown
    assert "<i>" not in shown
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in shown


def test_long_results_and_long_cells_are_cut() -> None:
    shown = html(
        items(*({"id": i, "text": "x" * 10_000, "many": [i] * 10_000} for i in range(500)))
    )
    assert "· 500 rows, first 20 shown" in shown
    assert shown.count("<tr>") == 21
    assert len(shown) < 20 * 400


def test_a_result_is_shown_in_its_order_and_plain_values_as_one_column() -> None:
    source = items({"id": 1, "v": 2}, {"id": 2, "v": 1})
    item = source.alias()
    result = live(query(item).order_by(item.v).map(lambda row: row["v"] * 10), name="tens")
    assert html(result) == (
        "<table><caption>live query &#x27;tens&#x27;, ready · 2 rows</caption>"
        "<thead><tr><th>value</th></tr></thead>"
        "<tbody><tr><td>10</td></tr><tr><td>20</td></tr></tbody></table>"
    )


def test_what_is_loading_or_closed_says_so() -> None:
    loading: Collection[Row] = Collection("items", key="id", ready=False)
    result = live(query(loading), name="mine")
    assert "live query &#x27;mine&#x27;, loading · 0 rows" in html(result)
    result.close()
    assert "live query &#x27;mine&#x27;, closed · 0 rows" in html(result)


def test_a_terminal_shows_the_same_table_without_reading_markup() -> None:
    from rich.console import Console

    console = Console(width=60, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(items({"id": 1, "text": "[bold]x[/bold]"}))
    lines = [line.strip() for line in captured.get().splitlines()]
    assert "[bold]x[/bold]" in captured.get()
    assert any("collection 'items'" in line for line in lines)


def test_a_field_may_have_a_name_that_is_no_text() -> None:
    assert "<th>id</th><th>1</th>" in html(items({"id": 1, 1: "a"}))  # type: ignore[dict-item]  # what types forbid
