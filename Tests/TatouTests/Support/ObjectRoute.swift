import Foundation
import HTTPTypes
import OpenAPICheck
import Testing

@testable import Tatou

/// A route that takes an object, by one of the places where it takes it: made from the OpenAPI document that is served, so that a new
/// route is asked about as soon as it is described.
struct ObjectRoute: CustomStringConvertible {
    enum Object {
        /// A document of an account.
        case document
        /// A copy, by the link that is all that is asked for.
        case link
    }

    let method: HTTPRequest.Method
    let object: Object
    /// The status of success that is described.
    let success: Int
    private let path: String
    private let place: Place
    private let required: [String]

    private enum Place: Equatable {
        case path
        case query(String)
        case body(String)
    }

    var description: String { "\(method) \(path) by \(place)" }

    /// What properties that a route needs beside its object are given.
    private static let values: [String: String] = [
        "method": "robust-xmp", "intended_for": "somebody", "secret": "a new secret", "key": "the key",
    ]
    private static let parameters: [String: Object] = ["id": .document, "documentid": .document, "link": .link]
    /// What else ends like the name of an object, and is none of somebody's.
    private static let others: Set<String> = ["intended_for", "expires_in"]

    /// Without `/metrics` and `/guard`: those are opened by the operator's tokens, and know no owners.
    ///
    /// - Throws: where a route takes something that nobody has told this table of.
    static func all(_ schemas: SchemaCheck) throws -> [ObjectRoute] {
        try schemas.operations.filter { $0.path.hasPrefix("/api/") }.sorted { ($0.path, $0.method) < ($1.path, $1.method) }
            .flatMap { path, method, operation in
                var places: [(place: Place, name: String)] = []
                for parameter in operation["parameters"] as? [[String: Any]] ?? [] {
                    guard let name = parameter["name"] as? String else { continue }
                    switch parameter["in"] as? String {
                    case "path": places.append((.path, name))
                    case "query": places.append((.query(name), name))
                    default: break
                    }
                }
                let body = (operation["requestBody"] as? [String: Any])?["content"] as? [String: [String: Any]]
                let schema = body?["application/json"]?["schema"] as? [String: Any]
                let properties = (schema?["properties"] as? [String: Any] ?? [:]).keys.sorted()
                let named = properties.filter { Self.parameters[$0] != nil || looksLikeAnObject($0) }
                places += named.map { (.body($0), $0) }
                let required = (schema?["required"] as? [String] ?? []).filter { Self.parameters[$0] == nil }
                return try places.map { place, name in
                    let object = try #require(Self.parameters[name], "\(method) \(path): what is '\(name)'? Tell ObjectRoute")
                    for property in required {
                        _ = try #require(Self.values[property], "\(method) \(path) needs '\(property)'. Tell ObjectRoute")
                    }
                    let statuses = (operation["responses"] as? [String: Any] ?? [:]).keys.compactMap { Int($0) }
                    return ObjectRoute(
                        method: try #require(HTTPRequest.Method(method)), object: object,
                        success: try #require(statuses.filter { (200..<300).contains($0) }.min()), path: path, place: place,
                        required: required)
                }
            }
    }

    private static func looksLikeAnObject(_ name: String) -> Bool {
        !others.contains(name)
            && ["id", "link", "token", "document", "version"].contains { name.hasSuffix($0) || name.hasPrefix($0) }
    }

    func ask(
        _ world: World, _ value: String, as token: String?, method: HTTPRequest.Method? = nil
    ) async throws -> Answer {
        var path = path
        var members = Dictionary(
            uniqueKeysWithValues: required.compactMap { name in Self.values[name].map { (name, $0 as Any) } })
        switch place {
        case .path: path = path.replacing(#/{[a-z]+}/#) { _ in value }
        case .query(let name): path += "?\(name)=\(value)"
        case .body(let name): members[name] = Int(value) ?? value as Any
        }
        let hasBody = !members.isEmpty
        return try await world.ask(
            method ?? self.method, path, token: token, headers: hasBody ? [.contentType: "application/json"] : [:],
            body: hasBody ? [UInt8](try JSONSerialization.data(withJSONObject: members)) : nil)
    }

    /// The methods that it is reached by: what can be fetched can be asked for its head.
    var methods: [HTTPRequest.Method] { method == .get ? [.get, .head] : [method] }
}
