"""Every peer answers every question it is asked as the engine does, after single changes and batches."""

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from benchmarks.answers import same_answer
from benchmarks.peers.peer import AT_LEAST, SECOND, Peer, Unavailable
from benchmarks.peers.roster import OURS, ROSTER
from benchmarks.peers.views import VIEWS, local
from benchmarks.questions import QUESTIONS, Question
from benchmarks.traffic import history

SIZE = 150
OTHERS = [name for name in ROSTER if name != OURS]
UNLISTED = {"pathway"}
"""Peers that no extra installs, so that they may be missing anywhere."""


def made(name: str, question: Question) -> Peer:
    """Return a peer, here if it can be, or skip: without Node everywhere but on the build server, where Node has to be."""
    try:
        return local(name, question) if name in VIEWS else ROSTER[name].make(question)
    except Unavailable as reason:
        is_due = name not in UNLISTED and "not written" not in str(reason)
        if is_due and os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{name}: {reason}")


@pytest.fixture(params=QUESTIONS, ids=[question.name for question in QUESTIONS])
def question(request: pytest.FixtureRequest) -> Question:
    found: Question = request.param
    return found


@pytest.fixture
def ours(question: Question) -> Iterator[Peer]:
    with closing(made(OURS, question)) as peer:
        yield peer


@pytest.mark.parametrize("name", OTHERS)
def test_a_peer_has_our_answer(name: str, question: Question, ours: Peer) -> None:
    traffic = question.traffic(SIZE, 1)
    with closing(made(name, question)) as peer:
        for each in (ours, peer):
            assert each.load(traffic.tables()) > 0
            assert each.hydrate() > 0
        assert same_answer(question, {OURS: ours, name: peer})
        for size, count in ((1, 15), (30, 3)):
            drawn = history(traffic, batches=count, size=size)
            for each in (ours, peer):
                assert len(each.commits(drawn, 60 * SECOND)) == count
        assert same_answer(question, {OURS: ours, name: peer})
        assert peer.hydrate() > 0
        drawn = history(traffic, batches=AT_LEAST + 5)
        timed = [len(each.commits(drawn, 0)) for each in (ours, peer)]
        assert timed == [AT_LEAST, AT_LEAST]
        assert same_answer(question, {OURS: ours, name: peer})


def test_a_program_that_fails_says_why() -> None:
    with closing(made("db-ivm", QUESTIONS[0])) as peer:
        peer.load({})
        with pytest.raises(RuntimeError, match=r"db_ivm\.mjs.* failed: TypeError"):
            peer.hydrate()


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_in_a_process_of_its_own_is_the_view_in_this_one(name: str) -> None:
    filter_question = QUESTIONS[0]
    traffic = filter_question.traffic(SIZE, 2)
    tables = traffic.tables()
    drawn = history(traffic, batches=20)
    with (
        closing(made(name, filter_question)) as near,
        closing(ROSTER[name].make(filter_question)) as far,
    ):
        for each in (far, near):
            each.load(tables)
            each.hydrate()
            assert len(each.commits(drawn, 60 * SECOND)) == 20
        assert far.rows() == near.rows()
        assert far.heard() == near.heard()
        assert far.checksum(ordered=False) == near.checksum(ordered=False)


def test_what_cannot_be_made_in_a_process_of_its_own_says_why() -> None:
    (fold,) = (question for question in QUESTIONS if question.name == "fold")
    with pytest.raises(Unavailable, match="fold is not written as triggers"):
        ROSTER["sqlite"].make(fold)
