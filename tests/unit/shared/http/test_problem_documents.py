"""Problem documents quote what callers sent."""

import json

from shared.http.problems import problem_response


def test_a_lone_surrogate_can_be_quoted():
    """No UTF-8 can hold it; the answer must not become a 500 for that."""
    answer = problem_response(422, "invalid-request", "field \ud800: unknown")
    assert json.loads(bytes(answer.body))["detail"] == "field \ud800: unknown"
    assert answer.headers["content-type"] == "application/problem+json"
