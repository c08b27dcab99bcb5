"""A reader of server-sent events, written from the standard's text for tests: all at once, no state."""


def read_events(stream: bytes) -> list[tuple[str, str]]:
    """Return name and data of each event of a stream that is all there."""
    text = stream.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found = []
    for block in text.split("\n\n"):
        fields = [line.partition(":") for line in block.split("\n") if line]
        name = next((value.removeprefix(" ") for key, _, value in fields if key == "event"), "")
        data = "\n".join(value.removeprefix(" ") for key, _, value in fields if key == "data")
        if fields:
            found.append((name, data))
    return found
