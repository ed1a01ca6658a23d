import Foundation

/// As much of JSON Schema as the document uses. Stricter than it in one point: a property that is not described is a mistake.
package struct SchemaCheck {
    private let document: [String: Any]

    package init(document: [String: Any]) { self.document = document }

    /// Every operation with its path and method.
    package var operations: [(path: String, method: String, operation: [String: Any])] {
        (document["paths"] as? [String: [String: [String: Any]]] ?? [:]).flatMap { path, item in
            item.map { (path, $0.key.uppercased(), $0.value) }
        }
    }

    package var references: [String] {
        func find(_ value: Any) -> [String] {
            if let object = value as? [String: Any] {
                return object.flatMap { key, value in key == "$ref" ? [value as? String ?? ""] : find(value) }
            }
            return (value as? [Any])?.flatMap(find) ?? []
        }
        return find(document)
    }

    package func resolve(_ reference: String) -> [String: Any]? {
        guard reference.hasPrefix("#/") else { return nil }
        var current: Any = document
        for part in reference.dropFirst(2).split(separator: "/") {
            guard let next = (current as? [String: Any])?[String(part)] else { return nil }
            current = next
        }
        return current as? [String: Any]
    }

    private func resolved(_ schema: [String: Any]) -> [String: Any] {
        (schema["$ref"] as? String).flatMap(resolve) ?? schema
    }

    /// What is wrong with an answer; `nil` where it is as described.
    package func problem(status: Int, type: String?, text: String, of operation: [String: Any]) -> String? {
        guard let described = (operation["responses"] as? [String: [String: Any]])?["\(status)"].map(resolved) else {
            return "the status is not described"
        }
        guard let content = described["content"] as? [String: [String: Any]] else {
            return text.isEmpty ? nil : "there should be no body"
        }
        // Parameters of a media type are not part of a description.
        guard let type = type?.split(separator: ";").first, let schema = content[String(type)]?["schema"] as? [String: Any] else {
            return "the media type is not described"
        }
        guard type.hasSuffix("json") else { return nil }
        guard let value = try? JSONSerialization.jsonObject(with: Data(text.utf8)) else { return "it is no JSON" }
        return problem(value, schema, at: "$")
    }

    private func problem(_ value: Any, _ schema: [String: Any], at place: String) -> String? {
        let schema = resolved(schema)
        if let choices = schema["oneOf"] as? [[String: Any]] {
            let fitting = choices.filter { problem(value, $0, at: place) == nil }
            return fitting.count == 1 ? nil : "\(place) is \(fitting.count) of the choices"
        }
        let types = schema["type"] as? [String] ?? [schema["type"] as? String ?? ""]
        guard types.contains(where: { Self.isOf(value, $0) }) else { return "\(place) is not \(types)" }
        if let allowed = schema["enum"] as? [String], !allowed.contains(value as? String ?? "") {
            return "\(place) is not of \(allowed)"
        }
        if let items = schema["items"] as? [String: Any], let array = value as? [Any] {
            for (index, element) in array.enumerated() {
                if let problem = problem(element, items, at: "\(place)[\(index)]") { return problem }
            }
        }
        guard let properties = schema["properties"] as? [String: [String: Any]], let object = value as? [String: Any] else {
            return nil
        }
        for name in schema["required"] as? [String] ?? [] where object[name] == nil { return "\(place).\(name) is missing" }
        for (name, element) in object {
            guard let described = properties[name] else { return "\(place).\(name) is not described" }
            if let problem = problem(element, described, at: "\(place).\(name)") { return problem }
        }
        return nil
    }

    private static func isOf(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "null": value is NSNull
        case "string": value is String
        case "boolean": (value as? NSNumber).map { CFNumberIsBoolean($0) } ?? false
        case "integer": value is Int && !((value as? NSNumber).map { CFNumberIsBoolean($0) } ?? false)
        case "number": value is NSNumber
        case "array": value is [Any]
        case "object": value is [String: Any]
        default: false
        }
    }

    private static func CFNumberIsBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
}
