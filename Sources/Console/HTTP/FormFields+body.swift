import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

extension FormFields {
    /// What a form sent, or a program as one flat JSON object; arrays of texts become a field each.
    ///
    /// - Throws: 413, 415 or 422.
    init(bodyOf request: Request) async throws {
        var request = request
        let body = try await request.collectBody(upTo: ConsoleContext.maximumBody)
        // A parameter may follow: charset.
        let type = request.headers[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased() ?? ""
        switch type {
        case "application/x-www-form-urlencoded": self.init(text: String(buffer: body))
        case "application/json": try self.init(json: Data(body.readableBytesView))
        default:
            guard body.readableBytes == 0 else { throw ConsoleFailure.notAForm }
            self.init(text: "")
        }
    }

    private enum Value: Decodable {
        case texts([String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .texts([])
            } else if let flag = try? container.decode(Bool.self) {
                self = .texts([flag ? "1" : "0"])
            } else if let number = try? container.decode(Int.self) {
                self = .texts([String(number)])
            } else if let text = try? container.decode(String.self) {
                self = .texts([text])
            } else {
                self = .texts(try container.decode([String].self))
            }
        }
    }

    private init(json: Data) throws {
        guard let object = try? JSONDecoder().decode([String: Value].self, from: json) else {
            throw ConsoleFailure(
                status: .unprocessableContent, code: "not_json", title: "The body is not one flat JSON object",
                advice: "Send texts, whole numbers, true or false, or lists of texts, under their names.")
        }
        var fields: [(name: String, value: String)] = []
        for (name, value) in object.sorted(by: { $0.key < $1.key }) {
            guard case .texts(let texts) = value else { continue }
            for text in texts { fields.append((name, text)) }
        }
        self.init(fields)
    }
}
