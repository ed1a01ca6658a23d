"""An OpenID Connect provider for trials: oidc-provider-mock on Authlib, made to insist on PKCE and able to change its key.

    python openid_provider.py PORT USERS.json

Run in an environment that has oidc-provider-mock. USERS.json maps subjects to claims. POST /rotate gives it another signing key.
"""

import json
import os
import pathlib
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import oidc_provider_mock._app as mock  # noqa: E402
import uvicorn  # noqa: E402
from authlib import jose  # noqa: E402
from authlib.oauth2.rfc7636 import CodeChallenge  # noqa: E402
from oidc_provider_mock._storage import User  # noqa: E402


class Grant(mock.AuthorizationCodeGrant):
    """The mock's, which keeps the challenge with the code and takes no request without one."""

    def validate_authorization_request(self):
        data = self.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise mock.authlib.oauth2.rfc6749.InvalidRequestError("PKCE with S256 is required")
        return super().validate_authorization_request()

    def save_authorization_code(self, code, request):
        super().save_authorization_code(code, request)
        kept, data = mock.storage.get_authorization_code(code), request.payload.data
        object.__setattr__(kept, "code_challenge", data["code_challenge"])
        object.__setattr__(kept, "code_challenge_method", data["code_challenge_method"])


def main(port, users):
    server = mock.flask_oauth2.AuthorizationServer
    register = server.register_grant

    def register_grant(self, grant, extensions=None):
        if grant is mock.AuthorizationCodeGrant:
            grant, extensions = Grant, [*extensions, CodeChallenge(required=True)]
        return register(self, grant, extensions)

    server.register_grant = register_grant
    app = mock.app(require_client_registration=True, require_nonce=True, issue_refresh_token=False,
                   user_claims=[User(sub=subject, claims=claims) for subject, claims in users.items()])

    @app.post("/rotate")
    def rotate():
        mock.storage.jwk = jose.RSAKey.generate_key(is_private=True)
        return "", 204

    uvicorn.run(app, interface="wsgi", port=port, host="127.0.0.1", log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text()))
