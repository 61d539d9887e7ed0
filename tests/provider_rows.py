"""What the provider may do to a request, and the kind that each is: the error table."""

from dataclasses import dataclass

from tests.fakes.replies import Failure, Reply, broke, cut_after, overloaded, rate_limited, said

INVALID = "invalid_request_error"
LONG = said("a long answer " * 20)


@dataclass(frozen=True)
class Row:
    """What comes first, and the kind that it is; a sound reply comes next."""

    first: Failure | Reply
    kind: str
    charged: bool = False


ROWS = {
    "400": Row(Failure(400, INVALID), "RequestRefused"),
    "401": Row(Failure(401, "authentication_error"), "KeyRefused"),
    "402": Row(Failure(402, "billing_error"), "SpendLimitReached"),
    "402 told to retry": Row(
        Failure(402, "billing_error", headers=(("x-should-retry", "true"),)), "SpendLimitReached"
    ),
    "401 told not to": Row(
        Failure(401, "authentication_error", headers=(("x-should-retry", "false"),)), "KeyRefused"
    ),
    "402 of a linked organization": Row(
        Failure(402, "billing_error", code="linked_organization_unpaid"), "SpendLimitReached"
    ),
    "403": Row(Failure(403, "permission_error"), "KeyRefused"),
    "404": Row(Failure(404, "not_found_error"), "ModelUnknown"),
    "408": Row(Failure(408, "timeout_error"), "ModelUnavailable"),
    "409": Row(Failure(409, "conflict_error"), "ModelUnavailable"),
    "412": Row(Failure(412, INVALID), "RequestRefused"),
    "422": Row(Failure(422, INVALID), "RequestRefused"),
    "429": Row(rate_limited(2), "RateLimited"),
    "429 without a time": Row(rate_limited(None), "RateLimited"),
    "429 of a ramp": Row(rate_limited(1, code="ramp_limit_exceeded"), "RateLimited"),
    "429 of a spend limit": Row(
        rate_limited(1, code="enforced_spend_limit_reached"), "SpendLimitReached"
    ),
    "429 of a contract": Row(
        rate_limited(1, code="contract_spend_limit_reached"), "SpendLimitReached"
    ),
    "431": Row(Failure(431, INVALID), "RequestRefused"),
    "500": Row(broke(), "ModelUnavailable"),
    "501": Row(broke(501), "ModelUnavailable"),
    "502 of a proxy": Row(Failure(502, "", page="<html>Bad Gateway</html>"), "ModelUnavailable"),
    "503": Row(broke(503), "ModelUnavailable"),
    "504": Row(broke(504), "ModelUnavailable"),
    "529": Row(overloaded(), "ModelOverloaded"),
    "told to retry": Row(
        Failure(400, INVALID, headers=(("x-should-retry", "true"),)), "ModelUnavailable"
    ),
    "told not to": Row(
        Failure(500, "api_error", headers=(("x-should-retry", "false"),)), "RequestRefused"
    ),
    "overloaded in the stream": Row(
        said("well", error="overloaded_error"), "ModelOverloaded", charged=True
    ),
    "limited in the stream": Row(
        said("well", error="rate_limit_error"), "RateLimited", charged=True
    ),
    "broken in the stream": Row(said("well", error="api_error"), "ModelUnavailable", charged=True),
    "unknown in the stream": Row(said("well", error="new_error"), "ModelUnavailable", charged=True),
    "refused in the stream": Row(said("well", error=INVALID), "RequestRefused", charged=True),
    "an end before the end": Row(cut_after(LONG, 5), "ReplyCut", charged=True),
    "an end before the beginning": Row(cut_after(LONG, 0), "ReplyCut", charged=True),
    "a connection cut in the middle": Row(cut_after(LONG, 5, reset=True), "ReplyCut", charged=True),
    "a connection closed": Row(Failure(500, "", hangs_up=True), "ModelUnreachable", charged=True),
    "silence": Row(said("well", silent=6), "ModelSilent", charged=True),
    "silence in the middle": Row(said("well", slow=6, pings=0), "ModelSilent", charged=True),
}
