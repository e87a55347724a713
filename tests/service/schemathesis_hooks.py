"""What Schemathesis does not know by itself: how NDJSON is written, and how a CRM signs what it delivers."""

import json
import time
from typing import Any

import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase

from services.assignment.crm.webhooks.signature import sign

WEBHOOK_SECRET = "the-secret-of-every-source"


class SignedByTheSource(AuthBase):
    """Signs the body as it is sent."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Return the request with its signature."""
        body = request.body or b""
        content = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
        timestamp = str(int(time.time()))
        request.headers["x-bailiwick-timestamp"] = timestamp
        request.headers["x-bailiwick-signature"] = sign(WEBHOOK_SECRET.encode(), timestamp, content)
        return request


schemathesis.auth.set_from_requests(SignedByTheSource()).apply_to(path_regex="^/v1/webhooks/")


@schemathesis.serializer("application/x-ndjson")
def write_lines(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """Write a list as one JSON document per line, and text as it is."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    rows = value if isinstance(value, list) else [value]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
