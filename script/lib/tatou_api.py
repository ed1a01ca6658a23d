"""Holds a running Tatou against its own OpenAPI document, with requests that schemathesis makes up: good ones and bad ones."""

import copy
import json
import pathlib
import secrets
import tempfile

from lib import rmap_client, schemathesis_run
from lib.tatou_client import Client, Server, pdf

# Each ends the session that asks, or removes what others ask for.
ENDINGS = ["logout", "logoutAll", "refreshToken", "deleteDocument", "deleteDocumentByQuery", "deleteDocumentByBody"]


def with_real_ids(document, ids, links, methods):
    """The same document, in which identifiers, links and methods can only be such as are there."""
    document = copy.deepcopy(document)
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in ("id", "documentid"):
                    parameter["schema"] = {"type": "integer", "enum": ids}
                if parameter["name"] == "link":
                    parameter["schema"] = {"type": "string", "enum": links}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            for name, schema in body.get("properties", {}).items():
                if name in ("id", "documentid"):
                    body["properties"][name] = {"type": "integer", "enum": ids}
                if name == "method":
                    body["properties"][name] = {"type": "string", "enum": methods}
    return document


def run(tatou, root, examples):
    """Raises where an answer is a server error or not what the document says; returns the summaries."""
    summaries = {}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tatou-api-"))
    keys = rmap_client.Keys(folder, "Group_07")
    rmap = ["--rmap-keys", str(keys.folder), "--rmap-document", "1"]
    with keys, Server(tatou, "--unlimited", *rmap, folder=folder) as server:
        client = Client(server.address)
        password = secrets.token_urlsafe(18)
        client.sign_up("checker", password)
        methods = [method["name"] for method in client.json("GET", "/api/get-watermarking-methods")["methods"]]
        ids = [client.upload(f"document-{number}.pdf", pdf(f"number {number}"))["id"] for number in range(3)]
        links = [client.mark(ids[0], "robust-xmp", f"recipient {number}")["link"] for number in range(2)]
        document = client.json("GET", "/api/openapi.json")
        ending = [part for name in ENDINGS for part in ("--exclude-operation-id", name)]
        only = [part for name in ENDINGS for part in ("--include-operation-id", name)]
        for name, content, more in (("served", document, ending), ("real-ids", with_real_ids(document, ids, links, methods), ending),
                                    ("endings", with_real_ids(document, ids, links, methods), only)):
            client.sign_in("checker", password)
            summaries[name] = schemathesis_run.run(server.folder, name, content, server.address, client.token, *more, examples=examples)
        assert server.process.poll() is None, f"tatou ended with status {server.process.returncode}"
        errors = [line for line in server.log().splitlines() if json.loads(line)["event.action"] == "panic_recovered"]
        assert not errors, f"{len(errors)} server errors in the log, the first: {errors[0]}"
        failed = [name for name, found in summaries.items() if found["status"]]
        assert not failed, f"not as documented: {', '.join(failed)}"
    return summaries
