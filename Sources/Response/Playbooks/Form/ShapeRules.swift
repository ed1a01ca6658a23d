import Events
import Journal

/// Conditions between the properties of one object.
enum ShapeRules {
    typealias Object = [String: JSONValue]

    static func atLeastOne(_ names: [String], _ object: Object, _ path: String) -> [PlaybookProblem] {
        names.contains { object[$0] != nil }
            ? []
            : [PlaybookProblem(.error, .alternatives, at: path, "one of these is needed: \(names.joined(separator: ", "))")]
    }

    static func exactlyOne(_ names: [String], _ object: Object, _ path: String) -> [PlaybookProblem] {
        names.count { object[$0] != nil } == 1
            ? []
            : [
                PlaybookProblem(
                    .error, .alternatives, at: path, "exactly one of these is needed: \(names.joined(separator: ", "))")
            ]
    }

    static func without(_ names: [String], _ object: Object, _ path: String) -> [PlaybookProblem] {
        names.filter { object[$0] != nil }.map {
            PlaybookProblem(
                .error, .transitions, at: "\(path)/\($0)", "\(object["type"]?.stringValue ?? "this") steps have no \($0)")
        }
    }

    static func inOrder(_ object: Object, _ first: String, _ second: String, strictly: Bool, _ path: String) -> [PlaybookProblem]
    {
        guard let early = object[first]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let late = object[second]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }), strictly ? late <= early : late < early
        else { return [] }
        return [PlaybookProblem(.error, .timestampOrder, at: "\(path)/\(second)", "\(second) is before \(first)")]
    }

    /// `valid_until` after `valid_from`; both are ignored where `revoked` is true (§3.1).
    static func validityInOrder(_ object: Object, _ path: String) -> [PlaybookProblem] {
        object["revoked"]?.boolValue == true ? [] : inOrder(object, "valid_from", "valid_until", strictly: true, path)
    }

    /// `METHOD target HTTP/version` (RFC 9112 §3).
    static func startLine(_ object: Object, method: String?, _ path: String) -> [PlaybookProblem] {
        guard let line = object["command"]?.stringValue else { return [] }
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        let problem = { (reason: String) in [PlaybookProblem(.error, .httpStartLine, at: path + "/command", reason)] }
        guard parts.count == 3, parts[2].hasPrefix("HTTP/"), !parts[1].isEmpty, !parts[0].isEmpty,
            parts[0].utf8.allSatisfy({ (0x41...0x5A).contains($0) })
        else { return problem("an HTTP start line is needed: method, target and version, such as \"POST /api HTTP/1.1\"") }
        if let method, parts[0] != method { return problem("the method has to be \(method)") }
        return []
    }

    /// §6: a secret is in the key store or in the playbook, never in both.
    static func keyStore(_ object: Object, secrets: [String], _ path: String) -> [PlaybookProblem] {
        let isStored = object["kms"]?.boolValue == true
        let hasKey = object["kms_key_identifier"] != nil
        var problems: [PlaybookProblem] = []
        if isStored, !hasKey {
            problems.append(PlaybookProblem(.error, .keyManagement, at: path, "kms is true, kms_key_identifier is missing"))
        }
        if hasKey, !isStored {
            problems.append(PlaybookProblem(.error, .keyManagement, at: path, "kms_key_identifier needs kms to be true"))
        }
        if isStored, hasKey {
            for secret in secrets where object[secret] != nil {
                problems.append(
                    PlaybookProblem(.error, .keyManagement, at: "\(path)/\(secret)", "\(secret) cannot stand beside a stored key")
                )
            }
        } else {
            for secret in ["password", "token"] where secrets.contains(secret) {
                guard let text = object[secret]?.stringValue, VariableUse.all(in: text).isEmpty else { continue }
                problems.append(
                    PlaybookProblem(
                        .warning, .plainSecret, at: "\(path)/\(secret)", "a secret stands in the playbook; pass it in a variable")
                )
            }
        }
        return problems
    }

    static func coordinates(_ object: Object, _ path: String) -> [PlaybookProblem] {
        var problems: [PlaybookProblem] = []
        let problem = { (place: String, reason: String) in
            problems.append(PlaybookProblem(.error, .coordinates, at: place, reason))
        }
        if (object["latitude"] == nil) != (object["longitude"] == nil) { problem(path, "latitude and longitude stand together") }
        if object["precision"] != nil, object["latitude"] == nil { problem(path, "precision needs latitude and longitude") }
        for (name, limit) in [("latitude", 90.0), ("longitude", 180.0)] {
            guard let text = object[name]?.stringValue else { continue }
            guard let degrees = Double(text), degrees <= limit, degrees > -limit else {
                problem("\(path)/\(name)", "\(name) is a number above -\(Int(limit)) and at most \(Int(limit))")
                continue
            }
        }
        if let country = object["country"]?.stringValue,
            country.utf8.count != 2 || !country.utf8.allSatisfy({ (0x41...0x5A).contains($0) })
        {
            problem("\(path)/country", "a country is two capital letters (ISO 3166-1 alpha-2)")
        }
        return problems
    }

    /// Properties of extensions have a form (§8), and ours has a meaning.
    static func responseExtension(_ object: Object, _ path: String) -> [PlaybookProblem] {
        var problems: [PlaybookProblem] = []
        for (id, value) in (object["step_extensions"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            let place = "\(path)/step_extensions/\(pointerToken(id))"
            for name in (value.objectValue ?? [:]).keys.sorted() where !isExtensionProperty(name) {
                problems.append(
                    PlaybookProblem(
                        .error, .extensionForm, at: "\(place)/\(pointerToken(name))",
                        "properties of extensions are 3 to 250 lower-case letters, digits and underscores"))
            }
            guard id == ResponseExtension.id else { continue }
            var checker = ShapeChecker()
            checker.check(value, .object(ResponseExtension.shape), at: place)
            problems += checker.problems
        }
        return problems
    }

    private static func isExtensionProperty(_ name: String) -> Bool {
        (3...250).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }
}
