import Guard
import Hummingbird

/// The identifier of a document, wherever clients put it: in the path, as `?id=` or `?documentid=`, or in the body.
enum DocumentIdentifier {
    static func text(_ request: Request, _ context: TatouContext) -> String? {
        context.parameters.get("id") ?? request.uri.queryParameters["id"].map(String.init)
            ?? request.uri.queryParameters["documentid"].map(String.init)
    }

    /// - Throws: `Refusal` with 400.
    static func find(_ request: Request, _ context: TatouContext) throws -> Int64 {
        try checked(text(request, context))
    }

    /// - Throws: `Refusal` with 400.
    static func checked(_ text: String?) throws -> Int64 {
        guard let text, !text.isEmpty else { throw Refusal.invalid("document id required") }
        // Digits only: what else `Int64` reads is no identifier.
        guard text.utf8.count <= 19, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let id = Int64(text), id > 0 else {
            throw Refusal.invalid("document id must be a positive integer")
        }
        return id
    }
}

extension JSONObject {
    /// `id` or `documentid` of a body, as a number or as digits.
    var identifier: String? {
        switch members["id"] ?? members["documentid"] {
        case .integer(let value)?: String(value)
        case .string(let text)?: text
        case nil, .null?: nil
        default: "?"
        }
    }
}
