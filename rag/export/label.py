"""The implicit label of an exported file: one metadata string that names the content as AI made.

The fields are those of GB 45438-2025, annex E; all values are strings.
"""

import json
from dataclasses import dataclass
from typing import Final

PROPERTY: Final = "AIGC"  # the name of the string where a file format has named properties


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who made a content and who passed it on.

    ``producer`` is the service's name or code, ``produce_id`` the content's own number there;
    ``propagator`` and ``propagate_id`` stay empty while the hospital only serves itself. The
    reserved codes are for the two parties' own proof of integrity.
    """

    producer: str = "医问"
    produce_id: str = ""
    producer_code: str = ""
    propagator: str = ""
    propagate_id: str = ""
    propagator_code: str = ""


def metadata(provenance: Provenance) -> str:
    """The string, in ASCII: some readers of file properties know no other characters."""
    fields = {
        "Label": "1",  # certainly AI made
        "ContentProducer": provenance.producer,
        "ProduceID": provenance.produce_id,
        "ReservedCode1": provenance.producer_code,
        "ContentPropagator": provenance.propagator,
        "PropagateID": provenance.propagate_id,
        "ReservedCode2": provenance.propagator_code,
    }
    return json.dumps({PROPERTY: fields}, separators=(",", ":"))
