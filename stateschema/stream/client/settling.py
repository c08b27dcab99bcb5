"""What the server's answer to a batch of a producer does to the producer (protocol 5.2.1)."""

from stateschema.errors import RefusedError
from stateschema.stream.client.answers import header, is_closed, next_offset, refuse
from stateschema.stream.client.effects import Response
from stateschema.stream.client.producing import ProducerBatch, ProducerState
from stateschema.stream.protocol.headers import PRODUCER_EXPECTED_SEQ


def settle(state: ProducerState, batch: ProducerBatch, response: Response, stream: str) -> None:
    """Bring an answer to the producer.

    Raises:
        Exception: What the answer means, where the producer cannot go on.
    """
    batch.is_lost = batch.is_lost or response.after_lost
    if response.status in {200, 204}:
        state.accepted(batch, next_offset(response))
    elif response.status == 409 and not is_closed(response) and _is_gap(response):
        state.gapped(batch)
    else:
        try:
            refuse(response, stream)
        except RefusedError as error:
            if error.epoch is None:
                raise
            state.fenced(batch, error)


def _is_gap(response: Response) -> bool:
    return header(response, PRODUCER_EXPECTED_SEQ) is not None
