"""Growing text: versions share history, characters cut in half come together."""

from hypothesis import example, given
from hypothesis import strategies as st

from stateschema.session.text import Text

# Characters as JSON chunks may deliver them, halves of a pair included.
halves = st.sampled_from(["a", "é", " ", "\n", "\ufeff", "\x85", "\ud83d", "\ude00", "\U0001f600"])
pieces = st.lists(halves, max_size=3).map("".join).map(lambda text: joined(text))


def joined(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@given(st.lists(pieces), st.data())
def test_every_version_stays_what_it_was_while_others_grow(
    parts: list[str], data: st.DataObject
) -> None:
    versions, values = [Text()], [""]
    for part in parts:
        grown = data.draw(st.integers(0, len(versions) - 1))
        versions.append(versions[grown].append(part))
        values.append(values[grown] + part)
        if data.draw(st.booleans()):
            assert str(versions[grown]) == joined(values[grown])
    for version, value in zip(versions, values, strict=True):
        version._check()
        assert (str(version), len(version)) == (joined(value), len(joined(value)))
    for one, value in zip(versions, values, strict=True):
        for other, other_value in zip(versions, values, strict=True):
            assert (one == other) == (joined(value) == joined(other_value))


@given(st.lists(pieces), st.lists(pieces))
def test_what_was_appended_concatenates_to_the_text(first: list[str], then: list[str]) -> None:
    text, printed = Text(), ""
    for piece in [*first, *then]:
        grown = text.append(piece)
        appended = grown.appended_since(text)
        assert appended is not None
        text, printed = grown, joined(printed + appended)
    whole = str(text)
    assert printed == (whole[:-1] if whole[-1:] == "\ud83d" else whole)


@example(["a", "\ud83d"], 1, "")  # the newer text differs by half a character only
@given(st.lists(pieces), st.integers(0, 9), pieces)
def test_appended_since_does_not_depend_on_sharing(parts: list[str], cut: int, other: str) -> None:
    older, text = Text(), Text()
    for n, part in enumerate(parts):
        text = text.append(part)
        older = text if n < cut else older
    apart_older, apart = Text(str(older)), Text(str(text))
    assert text.appended_since(older) == apart.appended_since(apart_older)
    # A fork grew another way: what follows is told by content.
    fork = older.append(other)
    assert fork.appended_since(older) == Text(str(fork)).appended_since(apart_older)
    assert fork.appended_since(text) == Text(str(fork)).appended_since(apart)


def test_appended_since_says_none_if_the_older_text_is_no_beginning() -> None:
    text = Text("ab")
    longer = text.append("c")
    assert text.appended_since(longer) is None
    assert longer.appended_since(Text("b")) is None
    assert longer.appended_since(longer) == ""
    assert longer.appended_since(Text()) == "abc"


def test_a_half_character_is_held_back_until_the_other_half_is_there() -> None:
    start = Text("a")
    half = start.append("\ud83d")
    whole = half.append("\ude00b")
    assert (str(half), str(whole), len(half), len(whole)) == ("a\ud83d", "a😀b", 2, 3)
    assert (half.appended_since(start), whole.appended_since(half)) == ("", "😀b")


def test_text_equals_and_hashes_like_its_str() -> None:
    text = Text("a").append("b")
    assert text == "ab"
    assert text != "abc"
    assert text != 7
    assert {text: 1}["ab"] == 1  # type: ignore[index]  # a str that equals the key finds it
    assert repr(text) == "Text('ab')"


def test_appending_nothing_is_the_same_version() -> None:
    text = Text("a")
    assert text.append("") is text


def test_only_a_version_that_is_not_the_newest_copies_pieces() -> None:
    text = Text("a").append("b")
    newest = text.append("c")
    fork = text.append("d")
    assert (newest.copied_pieces, fork.copied_pieces) == (0, 2)
    assert (str(newest), str(fork), fork.pieces) == ("abc", "abd", ("a", "b", "d"))
    assert fork.append("e").copied_pieces == 2


def test_blank_is_what_javascript_trims() -> None:
    assert Text(" \n\t").append("\ufeff\u2003").is_blank
    assert Text().is_blank
    assert not Text(" ").append("\x85").is_blank
    assert not Text(" ").append("x").append(" ").is_blank
