import Crypto
import Events
import Foundation
import Identity

/// A provider that lets in whoever comes, as the person that a test says. No network.
final class SampleProvider: Sendable {
    static let issuer = "https://login.example.org"
    private let key = Curve25519.Signing.PrivateKey()
    /// Of the next ID token, as members of a JSON object.
    let claims = Shared(#""sub":"1","groups":["soc"],"preferred_username":"bea""#)
    let nonce = Shared("")
    let problem = Shared<OpenIDProblem?>(nil)
    let asked = Shared<[String]>([])

    func make(name: String = "Example") throws -> OpenIDProvider {
        guard let issuer = OpenIDAddress(Self.issuer) else { throw Unexpected("no address") }
        let roles: [String: Role] = ["soc": .responder, "admins": .admin]
        return OpenIDProvider(
            OpenIDOptions(issuer: issuer, clientID: "vigie", name: name, roles: roles),
            secret: { () throws(OpenIDProblem) in nil }
        ) { request throws(OpenIDProblem) in
            if let problem = self.problem.withLock({ $0 }) { throw problem }
            self.asked.withLock { $0.append(request.url) }
            return OpenIDResponse(status: 200, body: Array(self.answer(String(request.url.dropFirst(Self.issuer.count))).utf8))
        }
    }

    private func answer(_ path: String) -> String {
        let issuer = Self.issuer
        switch path {
        case "/keys":
            return #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"\#(Self.coded(key.publicKey.rawRepresentation))"}]}"#
        case "/token":
            let time = noon.nanoseconds / 1_000_000_000
            let (nonce, more) = (nonce.withLock { $0 }, claims.withLock { $0 })
            let body =
                #"{"iss":"\#(issuer)","aud":"vigie","iat":\#(time),"exp":\#(time + 300),"nonce":"\#(nonce)",\#(more)}"#
            let signed = Self.coded(Data(#"{"alg":"EdDSA"}"#.utf8)) + "." + Self.coded(Data(body.utf8))
            let signature = (try? key.signature(for: Data(signed.utf8))) ?? Data()
            return #"{"id_token":"\#(signed).\#(Self.coded(signature))","access_token":"a"}"#
        default:
            return #"""
                {"issuer":"\#(issuer)","authorization_endpoint":"\#(issuer)/authorize","token_endpoint":"\#(issuer)/token",
                "jwks_uri":"\#(issuer)/keys","end_session_endpoint":"\#(issuer)/logout"}
                """#
        }
    }

    private static func coded(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
