"""What the AG-UI dialect remembers between two events of one message.

State      the transcript, and around it: which section an event without an id belongs to, the phase
           of every tool call, the thinking steps so far, runs that are open
Cost       every field is a scalar, a persistent structure or a set that is small by nature (runs and
           structured outputs open at once): a new state copies O(log n)
Edges      "the section in use" is the assistant section that became active last in this turn, else
           the newest one. A turn ends when the stream is finalized; instead of clearing the set of
           active sections, the turn number grows
"""

from typing import Literal, NamedTuple, Optional

from stateschema.session.mapping import Map
from stateschema.session.parts import TextPart
from stateschema.session.text import Text
from stateschema.session.transcript import EMPTY_TEXT, Section, Transcript

ASSISTANT = "assistant"


Phase = Literal["awaiting-input", "input-streaming", "input-complete"]


class Call(NamedTuple):
    """A tool call: the section that owns it, and how far the stream is with its arguments.

    A call that came in a snapshot, and was not streamed, has no phase.
    """

    section: int
    phase: Phase | None


class Step(NamedTuple):
    """A thinking step: what was thought so far, and the provider's seal on it."""

    content: Text = EMPTY_TEXT
    signature: str | None = None


class OpenCalls(NamedTuple):
    """A linked list of calls whose arguments are not complete, newest first.

    Calls that were completed since may still be in it, behind newer open ones.
    """

    call_id: str
    older: Optional["OpenCalls"]


class AguiState(NamedTuple):
    """A transcript being written, and the dialect's memory.

    `unnamed` is the section opened before the stream gave it an id: the next TEXT_MESSAGE_START
    names it. `active` is the assistant section activated last in this turn, `newest` the one
    created last. `structured` are sections whose text goes to a structured output. `failed` is set
    by RUN_ERROR and keeps blank text from being removed.
    """

    transcript: Transcript
    ids: Map[str | None, int] = Map()
    calls: Map[str, Call] = Map()
    steps: Map[tuple[int, str | None], Step] = Map()
    open_calls: OpenCalls | None = None
    structured: tuple[int, ...] = ()
    runs: frozenset[str] = frozenset()
    active: int | None = None
    newest: int | None = None
    unnamed: int | None = None
    waiting_step: str | None = None
    failed: bool = False
    turn: int = 0

    @property
    def in_use(self) -> int | None:
        """The section an event without an id belongs to."""
        return self.newest if self.active is None else self.active

    def known(self, section_id: str | None) -> int | None:
        """Return the section that goes by an id; one that was given another name does not."""
        number = None if section_id is None else self.ids.get(section_id)
        return number if number is not None and self.section(number).id == section_id else None

    def section(self, number: int) -> Section:
        """Return a section of the transcript."""
        return self.transcript.sections[number]

    def change(self, number: int, section: Section) -> "AguiState":
        """Replace a section."""
        return self._replace(transcript=self.transcript.change(number, section))


def begin() -> AguiState:
    """Return the state before the first event: one assistant section that has no id yet."""
    state, number = open_section(AguiState(transcript=Transcript()), None, ASSISTANT)
    return state._replace(unnamed=number)


def open_section(state: AguiState, section_id: str | None, role: str) -> tuple[AguiState, int]:
    """Add an active section at the end of the message."""
    number = len(state.transcript.sections)
    ids = state.ids if section_id is None else state.ids.set(section_id, number)
    state = state._replace(transcript=state.transcript.open(section_id, role), ids=ids)
    return activate(created(state, number), number), number


def created(state: AguiState, number: int) -> AguiState:
    """Note that the stream of a section begins; it is the newest from now on."""
    if state.section(number).role != ASSISTANT:
        return state
    return state._replace(newest=number)


def activate(state: AguiState, number: int) -> AguiState:
    """Make a section active in this turn; nothing if it is already."""
    section = state.section(number)
    if section.turn == state.turn:
        return state
    state = state.change(number, section._replace(turn=state.turn))
    return state._replace(active=number) if section.role == ASSISTANT else state


def ensure_section(state: AguiState, section_id: str | None) -> tuple[AguiState, int]:
    """Find the section an event is about, or open one.

    The section with that id, if its stream has begun; else the one in use; else the one with that
    id that came in a snapshot; else a new one.
    """
    known = state.known(section_id)
    if known is not None and state.section(known).is_live:
        return activate(state, known), known
    if state.in_use is not None:
        return activate(state, state.in_use), state.in_use
    if known is not None:
        return activate(created(_revive(state, known), known), known), known
    state, number = open_section(state, section_id, ASSISTANT)
    return state._replace(unnamed=number), number


def _revive(state: AguiState, number: int) -> AguiState:
    """Go on with the text of a section that came in a snapshot."""
    last = state.transcript.last_part(number)
    segment = last.content if isinstance(last, TextPart) else EMPTY_TEXT
    return state.change(number, state.section(number)._replace(is_live=True, segment=segment))
