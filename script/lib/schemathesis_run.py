"""schemathesis, in a virtual environment of its own: requests made up from an OpenAPI document, good ones and bad ones."""

import json
import os
import subprocess
import sys

from lib import virtual_environment

SCHEMATHESIS = "schemathesis==4.32.5"
# negative_data_rejection is left out: what an address says beyond its filters is ignored by design, as old links are. And
# positive_data_acceptance: which arguments an order needs depends on its verb and on what it is about.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"


def run(folder, name, document, address, token, *more, examples=50, seed=1):
    """Asks everything that `document` names; returns the exit status and the summary, and prints what was found."""
    schema = folder / f"{name}.json"
    schema.write_text(json.dumps(document))
    done = subprocess.run(
        [str(virtual_environment.folder("api-check", SCHEMATHESIS) / "bin/schemathesis"), "run", str(schema), "--url", address, "--header", f"Authorization: Bearer {token}", "--checks", CHECKS,
         "--max-examples", str(examples), "--seed", str(seed), "--phases", "examples,coverage,fuzzing", "--continue-on-failure",
         "--suppress-health-check", "all", "--request-timeout", "60", "--no-color", "--warnings", "off", *more],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "COLUMNS": "140"})
    print(done.stdout[-12000:])
    if done.stderr:
        print(done.stderr[-2000:], file=sys.stderr)
    return {"status": done.returncode, "summary": done.stdout[done.stdout.rfind("SUMMARY"):].strip()}
