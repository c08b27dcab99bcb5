"""Exported types, held to what TypeScript's compiler thinks of them."""

import json
from pathlib import Path
from typing import Any

from stateschema.schema.entity import StateSchema, entities
from stateschema.schema.typescript import typescript
from stateschema.session.schema import Session
from tests.conformance.node import node_folder, run_node
from tests.conformance.rows_of_every_kind import ROWS, Every
from tests.stateschema.schema.kinds import NEW, OLD, Kinds, KindsNext
from tests.stateschema.streamdb.chat import Chat

OPTIONS = ("--strict", "--noEmit", "--target", "es2022", "--module", "es2022")


def complaints(folder: Path, **modules: str) -> list[str]:
    """What the compiler says about modules, by line."""
    tsc = node_folder() / "node_modules" / ".bin" / "tsc"
    for name, text in modules.items():
        (folder / f"{name}.ts").write_text(text, "utf-8")
    files = [f"{name}.ts" for name in modules]
    run = run_node(folder, str(tsc), *OPTIONS, "--moduleResolution", "bundler", *files)
    assert (run.returncode == 0) == (run.stdout == ""), run.stderr
    return run.stdout.splitlines()


def test_the_compiler_takes_the_types(tmp_path: Path) -> None:
    schemas = (Every, Kinds, KindsNext, Chat, Session)
    assert complaints(tmp_path, **{each.__name__: typescript(each) for each in schemas}) == []


def test_what_is_written_has_the_types(tmp_path: Path) -> None:
    """Written as literals, of which the compiler refuses fields that a type does not have."""
    modules: dict[str, str] = {}
    cases: list[tuple[type[StateSchema], dict[str, Any]]] = [
        (Every, ROWS),
        (Kinds, {name: [row] for name, row in OLD.items()}),
        (KindsNext, {name: [row] for name, row in NEW.items()}),
    ]
    for schema, rows in cases:
        modules[schema.__name__] = typescript(schema)
        modules[f"{schema.__name__}Written"] = literals(schema, rows)
    assert complaints(tmp_path, **modules) == []


def literals(schema: type[StateSchema], rows: dict[str, Any]) -> str:
    """A module of events and values as the library writes them."""
    title, events, values = schema.__name__, list[str](), list[str]()
    for name, some in rows.items():
        entity = entities(schema)[name]
        for row in some:
            made = [
                entity.insert(row),
                entity.update(row, old_value=row, txid="t"),
                entity.delete("1", timestamp="2026-01-01T00:00:00Z"),
            ]
            events += [event.to_json() for event in made]
            value = json.dumps(made[0].value)
            values.append(f"export const v{len(values)}: {title}Rows[{name!r}] = {value};\n")
    return (
        f'import type {{ {title}Event, {title}Rows }} from "./{title}";\n'
        f"export const events: {title}Event[] = [\n{', '.join(events)}\n];\n{''.join(values)}"
    )


WRONG = """\
import { everyTypes, type EveryEvent, type EveryRows, type Names, type Nested, type Scalars, type Tree } from "./types";

// @ts-expect-error a required field is missing
export const a: Tree = { children: [] };
// @ts-expect-error a field there is not
export const b: Tree = { id: "1", child: [] };
// @ts-expect-error wrong in the depth
export const c: Tree = { id: "1", children: [{ id: "2", parent: { id: 3 } }] };
// @ts-expect-error null where it is not allowed
export const d: Tree = { id: "1", children: null };
// @ts-expect-error none of the choices
export const e: Scalars["color"] = "blue";
// @ts-expect-error none of the choices
export const f: Scalars["level"] = 3;
// @ts-expect-error none of the literals
export const g: Scalars["literal"] = false;
// @ts-expect-error too short
export const h: Scalars["pair"] = [1];
// @ts-expect-error of another kind
export const i: Scalars["lists"] = [["1"]];
// @ts-expect-error neither a cat nor a dog
export const j: Nested["pet"] = { kind: "fish" };
// @ts-expect-error no array of arrays of booleans
export const k: Nested["either"] = [[true]];
// @ts-expect-error a number
export const l: Names["with \\"quote\\""] = 1;
// @ts-expect-error not a type of the schema
export const m: EveryEvent = { type: "other", key: "1", headers: { operation: "insert" } };
// @ts-expect-error not an operation
export const n: EveryEvent = { type: "tree", key: "1", headers: { operation: "replace" } };
// @ts-expect-error a row of another type
export const o: EveryEvent = { type: "delete", key: "1", value: { lives: 7 }, headers: { operation: "insert" } };
// @ts-expect-error the row of an entity that replaces is whole
export const p: EveryEvent = { type: "delete", key: "1", value: {}, headers: { operation: "update" } };
// @ts-expect-error not that type
export const q: "trees" = everyTypes.trees;

export const merged: EveryEvent = { type: "tree", key: "1", value: { children: [] }, headers: { operation: "update" } };
export const unknownFields: Names = { id: "1", more: { than: "that" } };
export const control: EveryEvent = { headers: { control: "reset", offset: "-1" } };
export const row: EveryRows["default"] = { id: "1" };
export const types: ["tree", 'a "type"', "größe"] = [everyTypes.trees, everyTypes.names, everyTypes.größen];

export function apply(event: EveryEvent): string | undefined {
  if (!("type" in event)) return event.headers.control;
  switch (event.type) {
    case "nested":
      return event.value?.pet.kind;
    case "tree":
      return event.value?.parent?.id ?? event.old_value?.id;
    default:
      return event.headers.txid;
  }
}
"""


def test_what_does_not_fit_the_types_is_noticed(tmp_path: Path) -> None:
    """Each line that has to be wrong is: the compiler complains of expected errors that do not come."""
    assert complaints(tmp_path, types=typescript(Every), wrong=WRONG) == []
    unmarked = "\n".join(line for line in WRONG.splitlines() if "@ts-expect-error" not in line)
    errors = complaints(tmp_path, types=typescript(Every), unmarked=unmarked)
    assert sum(line.startswith("unmarked.ts") for line in errors) == WRONG.count("@ts-expect")
