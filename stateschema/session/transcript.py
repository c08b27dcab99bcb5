"""The parts of one message while it is built, in sections, with what finds them again.

One row group may carry several messages of the dialect (a new id after each model step). Each is a
`Section`; the message shows the parts of all sections, in order.

State      one vector of parts; per section its range in it and what the dialect remembers about it;
           `places`, where a part with a name (a call, a result, a step) stands
Cost       replace a part, add one to the last section, look one up: O(log32 n). Adding to an earlier
           section or dropping parts rebuilds the vector, O(n): rare, a step seldom adds parts to
           one that is over
Edges      a part whose name is taken does not take the name over: the first one is found
"""

from collections.abc import Hashable
from typing import NamedTuple

from stateschema.session.mapping import Map
from stateschema.session.parts import (
    Part,
    StructuredOutputPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from stateschema.session.text import Text
from stateschema.session.vector import Vector

EMPTY_TEXT = Text()


class Tally(NamedTuple):
    """How many parts of the kinds that views ask for."""

    tool_calls: int = 0
    tool_results: int = 0
    pending_approvals: int = 0


NO_PARTS = Tally()


class Section(NamedTuple):
    """One message of the dialect: parts `start` to `end`, and what its stream remembers.

    `is_live` is false for a section that came in a snapshot and whose stream has not been heard of
    since; `dropped` sections take no more parts. `turn` is the turn in which it was last active.
    `segment` is the text that text deltas grow, `step` the current thinking step.
    """

    id: str | None
    role: str
    start: int
    end: int
    is_live: bool = True
    dropped: bool = False
    turn: int = -1
    segment: Text = EMPTY_TEXT
    called_tool: bool = False
    step: str | None = None


class Transcript(NamedTuple):
    """Parts in sections; every method returns a new transcript and leaves this one alone."""

    parts: Vector[Part] = Vector()
    sections: Vector[Section] = Vector()
    places: Map[Hashable, int] = Map()
    tally: Tally = NO_PARTS

    def open(self, section_id: str | None, role: str, *, is_live: bool = True) -> "Transcript":
        """Add an empty section at the end."""
        end = len(self.parts)
        section = Section(id=section_id, role=role, start=end, end=end, is_live=is_live)
        return self._replace(sections=self.sections.append(section))

    def change(self, number: int, section: Section) -> "Transcript":
        """Replace a section by one that stands in the same place."""
        return self._replace(sections=self.sections.set(number, section))

    def last_part(self, number: int) -> Part | None:
        """Return the last part of a section, if it has one."""
        section = self.sections[number]
        return self.parts[section.end - 1] if section.end > section.start else None

    def add(self, number: int, part: Part) -> "Transcript":
        """Add a part at the end of a section; nothing if the section is dropped."""
        section = self.sections[number]
        if section.dropped:
            return self
        if section.end < len(self.parts):
            return self._rebuild(number, [*self.parts[section.start : section.end], part])
        place = len(self.parts)
        places = self.places
        for name in names_of(part, number):
            if name not in places:
                places = places.set(name, place)
        return Transcript(
            parts=self.parts.append(part),
            sections=self.sections.set(number, section._replace(end=place + 1)),
            places=places,
            tally=_changed(self.tally, None, part),
        )

    def put(self, place: int, part: Part) -> "Transcript":
        """Replace the part at `place`; a new approval of it can be found from now on."""
        places = self.places
        if isinstance(part, ToolCallPart) and part.approval:
            places = places.set(("approval", part.approval.id), place)
        tally = _changed(self.tally, self.parts[place], part)
        return self._replace(parts=self.parts.set(place, part), places=places, tally=tally)

    def drop(self, number: int) -> "Transcript":
        """Remove all parts of a section and let it take no more."""
        transcript = self._rebuild(number, [])
        return transcript.change(number, transcript.sections[number]._replace(dropped=True))

    def tool_call(self, call_id: str) -> tuple[int, ToolCallPart] | None:
        """Return the place and the part of a tool call."""
        place = self.places.get(("tool-call", call_id))
        part = None if place is None else self.parts[place]
        return (place, part) if place is not None and isinstance(part, ToolCallPart) else None

    def _rebuild(self, number: int, parts: list[Part]) -> "Transcript":
        """Give a section other parts, counting and naming everything anew."""
        new = Transcript()
        for other, section in enumerate(self.sections):
            new = new._replace(
                sections=new.sections.append(
                    section._replace(start=len(new.parts), end=len(new.parts), dropped=False)
                ),
            )
            kept = parts if other == number else self.parts[section.start : section.end]
            for part in kept:
                new = new.add(other, part)
            if section.dropped:
                new = new.change(other, new.sections[other]._replace(dropped=True))
        return new


def names_of(part: Part, number: int) -> tuple[Hashable, ...]:
    """Return the names under which a part of section `number` can be found.

    A call, its approval and its result are known by their ids alone, wherever they stand; a
    thinking step and a structured output within their section.
    """
    match part:
        case ToolCallPart(id=call_id, approval=None):
            return (("tool-call", call_id),)
        case ToolCallPart(id=call_id, approval=approval) if approval:
            return (("tool-call", call_id), ("approval", approval.id))
        case ToolResultPart(tool_call_id=call_id):
            return (("tool-result", call_id),)
        case ThinkingPart(step_id=step):
            return (("thinking", number, step),)
        case StructuredOutputPart():
            return (("structured-output", number),)
        case _:
            return ()


def _changed(tally: Tally, old: Part | None, new: Part) -> Tally:
    if isinstance(new, TextPart):  # the common case: a text part only ever replaces a text part
        return tally
    before, after = _count(old), _count(new)
    if before == after:
        return tally
    return Tally(*(n - b + a for n, b, a in zip(tally, before, after, strict=True)))


def _count(part: Part | None) -> Tally:
    match part:
        case ToolCallPart(approval=approval):
            return Tally(
                tool_calls=1, pending_approvals=int(bool(approval and approval.is_pending))
            )
        case ToolResultPart():
            return Tally(tool_results=1)
        case _:
            return NO_PARTS
