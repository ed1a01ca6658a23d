import Events

/// Reads what `CacheWriter` wrote. Every read is bounded and may fail: the bytes come from a disk.
struct CacheReader {
    private let bytes: [UInt8]
    private var index = 0
    private var texts: [String] = []

    /// Searches and conditions nest no deeper than the parsers let them.
    private static let maximumDepth = 128

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { index == bytes.count }

    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < bytes.count, shift < 64 {
            let byte = bytes[index]
            index += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// A number of things, each of which takes a byte or more.
    mutating func count() -> Int? {
        guard let value = number(), value <= UInt64(bytes.count - index) else { return nil }
        return Int(value)
    }

    mutating func readStrings() -> Bool {
        guard let count = count() else { return false }
        texts.reserveCapacity(count)
        for _ in 0..<count {
            guard let length = self.count() else { return false }
            texts.append(String(decoding: bytes[index..<index + length], as: UTF8.self))
            index += length
        }
        return true
    }

    mutating func string() -> String? {
        guard let place = number(), place < UInt64(texts.count) else { return nil }
        return texts[Int(place)]
    }

    private mutating func flag() -> Bool? { number().map { $0 != 0 } }

    private mutating func list<Element>(_ element: (inout CacheReader) -> Element?) -> [Element]? {
        guard let count = count() else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            guard let read = element(&self) else { return nil }
            elements.append(read)
        }
        return elements
    }

    private mutating func strings() -> [String]? { list { $0.string() } }

    private mutating func optional() -> String?? {
        guard let isThere = flag() else { return nil }
        guard isThere else { return .some(nil) }
        return string().map { .some($0) }
    }

    private mutating func line() -> Int? { number().map { Int(truncatingIfNeeded: $0 & 0xFFFF_FFFF) } }

    // MARK: Documents

    mutating func documents() -> [SigmaDocument]? { list { $0.document() } }

    private mutating func document() -> SigmaDocument? {
        guard let header = header(), let kind = number() else { return nil }
        if kind == 0 {
            guard let source = logSource(), let searches = searches(), let conditions = conditions(0) else { return nil }
            return SigmaDocument(
                header: header,
                body: .detection(SigmaDetection(logSource: source, searches: searches, conditions: conditions)))
        }
        if kind == 2 { return correlation().map { SigmaDocument(header: header, body: .correlation($0)) } }
        guard kind == 1, let isNamed = flag(), let rules = strings(), let source = logSource(), let searches = searches(),
            let conditions = conditions(0), let line = line()
        else { return nil }
        let filter = SigmaFilter(
            rules: isNamed ? rules : nil, logSource: source, searches: searches, conditions: conditions, line: line,
            title: header.title, hash: header.hash)
        return SigmaDocument(header: header, body: .filter(filter))
    }

    private mutating func correlation() -> SigmaCorrelation? {
        guard let kind = self.kind(), let rules = strings(), let lines = list({ $0.line() }), lines.count == rules.count,
            let groupBy = strings(), let aliases = list({ $0.alias() }), let timespan = signed(), let bounds = self.bounds(),
            let expression = conditions(0), expression.count < 2, let generate = flag(), let clear = self.bounds(),
            let suppression = optionalSigned(), let lateness = optionalSigned(),
            let missing = string().flatMap(SigmaCorrelation.MissingField.init), let line = self.line()
        else { return nil }
        return SigmaCorrelation(
            kind: kind, rules: rules, ruleLines: lines, groupBy: groupBy,
            aliases: aliases.reduce(into: [:]) { $0[$1.0] = $1.1 }, timespan: timespan, bounds: bounds,
            expression: expression.first, generate: generate, clear: clear, suppression: suppression, lateness: lateness,
            missing: missing, line: line)
    }

    private mutating func kind() -> SigmaCorrelation.Kind? {
        switch number() {
        case 0: return .eventCount
        case 1: return strings().map { .valueCount(fields: $0) }
        case 2: return .temporal(isOrdered: false)
        case 3: return .temporal(isOrdered: true)
        case 4: return string().map { .sum(field: $0) }
        case 5: return string().map { .average(field: $0) }
        case 6: return string().flatMap { field in number().map { .percentile(field: field, Double(bitPattern: $0)) } }
        case 7: return string().map { .median(field: $0) }
        case 8: return .absence
        default: return nil
        }
    }

    /// What rules call a field for which a correlation has a name of its own.
    private mutating func alias() -> (String, [String: String])? {
        guard let name = string(),
            let fields = list({ reader in reader.string().flatMap { rule in reader.string().map { (rule, $0) } } })
        else { return nil }
        return (name, fields.reduce(into: [:]) { $0[$1.0] = $1.1 })
    }

    private mutating func bounds() -> [SigmaCorrelation.Bound]? {
        list { reader in
            guard let comparison = reader.string().flatMap(Comparison.init), let bits = reader.number() else { return nil }
            return SigmaCorrelation.Bound(comparison: comparison, value: Double(bitPattern: bits))
        }
    }

    private mutating func signed() -> Int64? { number().map { Int64(bitPattern: $0) } }

    private mutating func optionalSigned() -> Int64?? {
        guard let isThere = flag() else { return nil }
        guard isThere else { return .some(nil) }
        return signed().map { .some($0) }
    }

    /// The literals that regular expressions need, by the expression.
    mutating func literals() -> [RegexLiteralMemory.Key: [[UInt8]]]? {
        guard let count = count() else { return nil }
        var literals: [RegexLiteralMemory.Key: [[UInt8]]] = [:]
        literals.reserveCapacity(count)
        for _ in 0..<count {
            guard let pattern = string(), let options = number().flatMap({ UInt8(exactly: $0) }),
                let list = list({ $0.text() })
            else { return nil }
            literals[RegexLiteralMemory.Key(pattern: pattern, options: options)] = list
        }
        return literals
    }

    /// Bytes; not none, which would be found everywhere.
    private mutating func text() -> [UInt8]? {
        guard let count = count(), count > 0 else { return nil }
        defer { index += count }
        return Array(bytes[index..<index + count])
    }

    private mutating func header() -> RuleHeader? {
        guard let id = string(), let name = optional(), let title = string(), let description = string(),
            let level = string().flatMap(Level.init), let tags = strings(), let category = string().flatMap(FindingCategory.init),
            let author = string(), let falsePositives = strings(), let references = strings(), let isHostile = flag(),
            let file = string(), let line = line(), let hash = string(), let status = optional(), let license = optional(),
            let taxonomy = string(), let requirements = strings(),
            let attributes = list({ reader in reader.string().flatMap { key in reader.string().map { (key, $0) } } })
        else { return nil }
        return RuleHeader(
            id: id, name: name, title: title, description: description, level: level, tags: tags, category: category,
            author: author, falsePositives: falsePositives, references: references, isHostile: isHostile,
            requirements: requirements, file: file, line: line,
            hash: hash, status: status, license: license, taxonomy: taxonomy,
            attributes: attributes.reduce(into: [:]) { $0[$1.0] = $1.1 })
    }

    private mutating func logSource() -> LogSource? {
        guard let categories = strings(), let product = optional(), let service = optional() else { return nil }
        return LogSource(categories: Set(categories), product: product, service: service)
    }

    private mutating func searches() -> [(name: String, search: SigmaSearch)]? {
        list { reader in reader.string().flatMap { name in reader.search(0).map { (name, $0) } } }
    }

    private mutating func search(_ depth: Int) -> SigmaSearch? {
        guard depth < CacheReader.maximumDepth else { return nil }
        switch number() {
        case 0: return list { $0.item() }.map { .map($0) }
        case 1: return list { $0.search(depth + 1) }.map { .anyOf($0) }
        case 2:
            guard let words = values(), let all = flag(), let modifiers = strings(), let line = line() else { return nil }
            return .keywords(words, all: all, modifiers: modifiers, line: line)
        default: return nil
        }
    }

    private mutating func item() -> SigmaItem? {
        guard let field = string(), let modifiers = strings(), let values = values(), let line = line() else { return nil }
        return SigmaItem(field: field, modifiers: modifiers, values: values, line: line)
    }

    private mutating func values() -> [SigmaValue]? {
        list { reader in
            switch reader.number() {
            case 0: .null
            case 1: .boolean(false)
            case 2: .boolean(true)
            case 3: reader.string().map { .number($0) }
            case 4: reader.string().map { .text($0) }
            default: nil
            }
        }
    }

    private mutating func conditions(_ depth: Int) -> [SigmaCondition]? { list { $0.condition(depth) } }

    private mutating func condition(_ depth: Int) -> SigmaCondition? {
        guard depth < CacheReader.maximumDepth else { return nil }
        switch number() {
        case 0: return string().map { .search($0) }
        case 1: return condition(depth + 1).map { .not($0) }
        case 2: return conditions(depth + 1).map { .and($0) }
        case 3: return conditions(depth + 1).map { .or($0) }
        case 4: return flag().flatMap { all in string().map { .quantified(all: all, pattern: $0) } }
        default: return nil
        }
    }
}
