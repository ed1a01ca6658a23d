import Events
import Yams

/// Reads the YAML of one policy file strictly: what is not known is an error that names the closest known word.
struct PolicyReader {
    let file: String

    func compose(_ text: String) throws(PolicyError) -> Node? {
        do {
            let node = try Yams.compose(yaml: text)
            return node?.null == nil ? node : nil
        } catch {
            let line: Int
            switch error as? YamlError {
            case .scanner(let context, _, let mark, _), .parser(let context, _, let mark, _),
                .composer(let context, _, let mark, _):
                line = context?.mark.line ?? mark.line
            case .duplicatedKeysInMapping(_, let context): line = context.mark.line
            default: line = 0
            }
            throw PolicyError(
                file: file, line: line, reason: "it is not YAML: a key is there twice, or the text is cut or misshapen")
        }
    }

    func error(_ node: Node, _ reason: String) -> PolicyError {
        PolicyError(file: file, line: node.mark?.line ?? 0, reason: reason)
    }

    func unknown(_ node: Node, _ what: String, _ name: String, known: [String]) -> PolicyError {
        let nearest = NearestName.find(name, among: known).map { "; did you mean '\($0)'?" } ?? ""
        return error(node, "\(what) '\(name)' is not known\(nearest) (known: \(known.joined(separator: ", ")))")
    }

    /// - Parameter known: `nil` where any name will do.
    func mapping(_ node: Node, known: [String]? = nil) throws(PolicyError) -> [(name: String, key: Node, value: Node)] {
        guard let mapping = node.mapping else { throw error(node, "a mapping of keys to values is expected here") }
        var pairs: [(name: String, key: Node, value: Node)] = []
        for (key, value) in mapping {
            guard let name = key.string, !name.isEmpty else { throw error(key, "a name is expected here") }
            if let known, !known.contains(name) { throw unknown(key, "key", name, known: known) }
            pairs.append((name, key, value))
        }
        return pairs
    }

    /// The members of a mapping by name.
    func members(_ node: Node, known: [String], needed: [String] = []) throws(PolicyError) -> [String: Node] {
        var members: [String: Node] = [:]
        for pair in try mapping(node, known: known) { members[pair.name] = pair.value }
        for name in needed where members[name] == nil { throw error(node, "'\(name)' is missing") }
        return members
    }

    func list(_ node: Node) throws(PolicyError) -> [Node] {
        guard let sequence = node.sequence else { throw error(node, "a list is expected here") }
        return Array(sequence)
    }

    func text(_ node: Node) throws(PolicyError) -> String {
        guard let text = node.scalar?.string, !text.isEmpty, node.null == nil else {
            throw error(node, "a text is expected here")
        }
        return text
    }

    func texts(_ node: Node) throws(PolicyError) -> [String] {
        var texts: [String] = []
        for element in try list(node) { texts.append(try text(element)) }
        return texts
    }

    func flag(_ node: Node) throws(PolicyError) -> Bool {
        guard let flag = node.bool else { throw error(node, "true or false is expected here") }
        return flag
    }

    func number(_ node: Node) throws(PolicyError) -> Int {
        guard let number = node.int, number > 0 else { throw error(node, "a number above 0 is expected here") }
        return number
    }

    func amount(_ node: Node, in range: ClosedRange<Double>) throws(PolicyError) -> Double {
        guard let amount = node.float, range.contains(amount) else {
            throw error(node, "a number from \(range.lowerBound) to \(range.upperBound) is expected here")
        }
        return amount
    }

    /// Seconds of `15m`, `1h30m`, `48h`, `7d`; a day has 24 hours.
    func duration(_ node: Node) throws(PolicyError) -> Int64 {
        guard let seconds = PolicyReader.seconds(try text(node)) else {
            throw error(
                node, "a duration like 15m, 1h30m, 48h or 7d, of \(PolicyReader.maximumDays) days at most, is expected here")
        }
        return seconds
    }

    /// Ten years: far from where counting in nanoseconds ends.
    static let maximumDays: Int64 = 3_660

    static func seconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        var total: Int64 = 0
        var digits = ""
        for character in text {
            if character.isASCII, character.isWholeNumber, digits.count < 9 {
                digits.append(character)
            } else {
                guard let unit = units[character], let number = Int64(digits) else { return nil }
                total += number * unit
                guard total <= maximumDays * 86_400 else { return nil }
                digits = ""
            }
        }
        return digits.isEmpty && !text.isEmpty ? total : nil
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ node: Node, _ what: String, _: Choice.Type
    ) throws(PolicyError) -> Choice where Choice.RawValue == String {
        let name = try text(node)
        guard let choice = Choice(rawValue: name) else {
            throw unknown(node, what, name, known: Choice.allCases.map(\.rawValue))
        }
        return choice
    }

    func severity(_ node: Node) throws(PolicyError) -> Severity {
        guard let severity = Severity(try text(node)) else { throw error(node, "a severity is P0 to P3, or critical to low") }
        return severity
    }

    func zone(_ node: Node) throws(PolicyError) -> LocalZone {
        let name = try text(node)
        guard let zone = LocalZone(name) else { throw error(node, "'\(name)' is no time zone like Europe/Stockholm") }
        return zone
    }

    func date(_ node: Node) throws(PolicyError) -> CivilDate {
        guard let midnight = Timestamp(rfc3339: "\(try text(node))T00:00:00Z") else {
            throw error(node, "a date like 2026-12-25 is expected here")
        }
        return midnight.date
    }

    /// Seconds into the day of `09:00`; `24:00` is its end.
    func timeOfDay(_ text: some StringProtocol, _ node: Node) throws(PolicyError) -> Int64 {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 }), let hour = Int64(parts[0]), let minute = Int64(parts[1]),
            (0...59).contains(minute), (0...23).contains(hour) || (hour == 24 && minute == 0)
        else { throw error(node, "a time like 09:00 is expected here") }
        return hour * 3600 + minute * 60
    }
}
