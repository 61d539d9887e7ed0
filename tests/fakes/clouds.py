"""The Messages API as clouds serve it: at their paths, for their credentials, in their frames."""

import base64
import binascii
import json
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.messages_api import Json, MessagesApi
from tests.fakes.replies import Failure

REGION = "eu-west-1"
AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_REGION": REGION}
TOKEN = "ya29.token"
NAMES = {
    "us.anthropic.claude-sonnet-5-5-v1:0": "claude-sonnet-5-5",
    "claude-sonnet-5-5@20260901": "claude-sonnet-5-5",
}
"""A cloud's name of a model → the API's."""


def is_signed(http: web.Request, body: bytes, service: str) -> bool:
    """Whether an AWS signature is that of the account: it is made anew and compared."""
    scheme, _, rest = http.headers.get("Authorization", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        return False
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    headers = {name: http.headers[name] for name in parts["SignedHeaders"].split(";")}
    url = f"http://{http.headers['Host']}{http.raw_path}"
    request = AWSRequest(method=http.method, url=url, headers=headers, data=body)
    request.context["timestamp"] = http.headers["X-Amz-Date"]
    known = Credentials(AWS["AWS_ACCESS_KEY_ID"], AWS["AWS_SECRET_ACCESS_KEY"])
    signer = SigV4Auth(known, service, REGION)
    made = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(made, request) == parts["Signature"]


class Bedrock(MessagesApi):
    """Signed requests or a bearer token; the model in the path; frames of AWS."""

    path = "/model/{model}/invoke-with-response-stream"
    content_type = "application/vnd.amazon.eventstream"

    def body_of(self, body: Json, http: web.Request) -> Json:
        assert body.pop("anthropic_version")
        return {**body, "model": NAMES[unquote(http.match_info["model"])], "stream": True}

    async def is_known(self, http: web.Request) -> bool:
        return await super().is_known(http) or is_signed(http, await http.read(), "bedrock")

    async def at_the_door(self, http: web.Request) -> Failure | None:
        if not await self.is_known(http):
            return Failure(403, "", "The security token included in the request is invalid.")
        return (
            await super().at_the_door(http) if self._key in http.headers["Authorization"] else None
        )

    def told(self, failure: Failure) -> Json:
        return {"message": failure.message}

    def framed(self, event: Json) -> bytes:
        if event["type"] == "error":
            error = event["error"]
            return _frame(_exception(error["type"]), json.dumps({"message": error["message"]}))
        payload = {"bytes": base64.b64encode(json.dumps(event).encode()).decode()}
        kinds = {":event-type": "chunk", ":content-type": "application/json"}
        return _frame({**kinds, ":message-type": "event"}, json.dumps(payload))


def _exception(kind: str) -> dict[str, str]:
    return {
        ":exception-type": kind,
        ":content-type": "application/json",
        ":message-type": "exception",
    }


def _frame(headers: dict[str, str], payload: str) -> bytes:
    """A message of the event stream encoding: lengths, headers, payload, each with its CRC."""
    names = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value.encode()))
        + value.encode()
        for name, value in headers.items()
    )  # fmt: skip
    prelude = struct.pack("!II", 16 + len(names) + len(payload.encode()), len(names))
    message = prelude + struct.pack("!I", binascii.crc32(prelude)) + names + payload.encode()
    return message + struct.pack("!I", binascii.crc32(message))


class AwsGateway(MessagesApi):
    """The API itself behind signatures of AWS."""

    async def is_known(self, http: web.Request) -> bool:
        return is_signed(http, await http.read(), "aws-external-anthropic")


class Vertex(MessagesApi):
    """A token of Google's, which it gives out itself for an assertion that was signed; the model in
    the path."""

    path = "/projects/{project}/locations/{region}/publishers/anthropic/models/{call}"

    def __init__(self, *given, **more) -> None:
        super().__init__(*given, key=TOKEN, **more)
        self.token = TOKEN
        """What it gives out; another one than the key is refused."""
        self.places: list[tuple[str, str]] = []

    def routes(self, app: web.Application) -> None:
        super().routes(app)
        app.router.add_post("/token", self._token)

    def body_of(self, body: Json, http: web.Request) -> Json:
        model, _, verb = unquote(http.match_info["call"]).rpartition(":")
        assert verb == "streamRawPredict"
        assert body.pop("anthropic_version")
        self.places.append((http.match_info["project"], http.match_info["region"]))
        return {**body, "model": NAMES[model]}

    def told(self, failure: Failure) -> Json:
        return {"error": {"code": failure.status, "message": failure.message, "status": "NO"}}

    async def _token(self, http: web.Request) -> web.Response:
        asked = await http.post()
        assert asked["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return web.json_response({"access_token": self.token, "expires_in": 3600})


class GoogleGateway(Vertex):
    """The API itself behind tokens of Google's."""

    path = MessagesApi.path

    def body_of(self, body: Json, http: web.Request) -> Json:
        return body


@contextmanager
def service_account(url: str) -> Iterator[Path]:
    """A file of credentials that are good for the tokens of a local Vertex."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    account = {
        "type": "service_account",
        "project_id": "a-project",
        "client_email": "w@a-project.example",
        "private_key": pem.decode(),
        "token_uri": f"{url}/token",
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(account))
        file.flush()
        yield Path(file.name)
