import Foundation
import Guard
import Hummingbird

/// A JSON object as a client sent it; types are what they are: no number is a text, no true a number.
struct JSONObject: Sendable {
    enum Value: Sendable, Equatable, Decodable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case number(Double)
        case string(String)
        case array([Value])
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .boolean(value)
            } else if let value = try? container.decode(Int64.self) {
                self = .integer(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else if let value = try? container.decode(String.self) {
                self = .string(value)
            } else if let value = try? container.decode([Value].self) {
                self = .array(value)
            } else {
                self = .object(try container.decode([String: Value].self))
            }
        }
    }

    /// No body of this API is longer.
    static let longest = 64 << 10

    let members: [String: Value]

    init(members: [String: Value] = [:]) { self.members = members }

    /// Reads the body of a request.
    ///
    /// - Parameter isOptional: whether no body is as good as an empty object.
    /// - Throws: `Refusal` with 400 or 413.
    init(_ request: Request, isOptional: Bool = false) async throws {
        var data = Data()
        for try await buffer in request.body {
            guard data.count + buffer.readableBytes <= Self.longest else {
                throw Refusal.invalid("the request is too large", status: .contentTooLarge, closesConnection: true)
            }
            data.append(contentsOf: buffer.readableBytesView)
        }
        if data.isEmpty, isOptional {
            members = [:]
            return
        }
        guard let value = try? JSONDecoder().decode(Value.self, from: data), case .object(let members) = value else {
            throw Refusal.invalid("the request body must be a JSON object")
        }
        self.members = members
    }

    /// A text that is there and not empty; `nil` where it is missing, null or empty.
    ///
    /// - Throws: `Refusal` with 400 where it is of another type or too long.
    func text(_ name: String, longest: Int = 4096) throws -> String? {
        switch members[name] {
        case nil, .null: return nil
        case .string(let text):
            guard text.unicodeScalars.count <= longest else {
                throw Refusal.invalid("\(name) must have at most \(longest) characters")
            }
            return text.isEmpty ? nil : text
        default: throw Refusal.invalid("\(name) must be a string")
        }
    }

    func boolean(_ name: String) throws -> Bool {
        switch members[name] {
        case nil, .null: return false
        case .boolean(let value): return value
        default: throw Refusal.invalid("\(name) must be true or false")
        }
    }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws -> Int64? {
        switch members[name] {
        case nil, .null: return nil
        case .integer(let value) where range.contains(value): return value
        default: throw Refusal.invalid("\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
