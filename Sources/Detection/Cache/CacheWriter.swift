import Events

/// Writes parsed documents: numbers in LEB128, every text once, referred to by its number.
struct CacheWriter {
    private var bytes: [UInt8] = []
    private var texts: [String] = []
    private var indices: [String: UInt64] = [:]

    /// Everything written, behind the texts it refers to.
    func finish(magic: UInt64, version: UInt64) -> [UInt8] {
        var whole = CacheWriter()
        whole.number(magic)
        whole.number(version)
        whole.number(UInt64(texts.count))
        for text in texts {
            whole.number(UInt64(text.utf8.count))
            whole.bytes.append(contentsOf: text.utf8)
        }
        return whole.bytes + bytes
    }

    mutating func number(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func string(_ text: String) {
        if let known = indices[text] { return number(known) }
        let index = UInt64(texts.count)
        texts.append(text)
        indices[text] = index
        number(index)
    }

    private mutating func flag(_ value: Bool) { number(value ? 1 : 0) }

    private mutating func strings(_ list: [String]) {
        number(UInt64(list.count))
        for text in list { string(text) }
    }

    private mutating func optional(_ text: String?) {
        flag(text != nil)
        if let text { string(text) }
    }

    // MARK: Documents

    mutating func documents(_ documents: [SigmaDocument]) {
        number(UInt64(documents.count))
        for document in documents {
            header(document.header)
            switch document.body {
            case .detection(let detection):
                number(0)
                logSource(detection.logSource)
                searches(detection.searches)
                conditions(detection.conditions)
            case .filter(let filter):
                number(1)
                flag(filter.rules != nil)
                strings(filter.rules ?? [])
                logSource(filter.logSource)
                searches(filter.searches)
                conditions(filter.conditions)
                number(UInt64(max(filter.line, 0)))
            case .correlation(let correlation):
                number(2)
                self.correlation(correlation)
            }
        }
    }

    private mutating func correlation(_ correlation: SigmaCorrelation) {
        kind(correlation.kind)
        strings(correlation.rules)
        number(UInt64(correlation.ruleLines.count))
        for line in correlation.ruleLines { number(UInt64(max(line, 0))) }
        strings(correlation.groupBy)
        number(UInt64(correlation.aliases.count))
        for (alias, fields) in correlation.aliases.sorted(by: { $0.key < $1.key }) {
            string(alias)
            number(UInt64(fields.count))
            for (rule, field) in fields.sorted(by: { $0.key < $1.key }) {
                string(rule)
                string(field)
            }
        }
        signed(correlation.timespan)
        bounds(correlation.bounds)
        conditions(correlation.expression.map { [$0] } ?? [])
        flag(correlation.generate)
        bounds(correlation.clear)
        signed(correlation.suppression)
        signed(correlation.lateness)
        string(correlation.missing.rawValue)
        number(UInt64(max(correlation.line, 0)))
    }

    private mutating func kind(_ kind: SigmaCorrelation.Kind) {
        switch kind {
        case .eventCount: number(0)
        case .valueCount(let fields):
            number(1)
            strings(fields)
        case .temporal(let isOrdered): number(isOrdered ? 3 : 2)
        case .sum(let field):
            number(4)
            string(field)
        case .average(let field):
            number(5)
            string(field)
        case .percentile(let field, let rank):
            number(6)
            string(field)
            number(rank.bitPattern)
        case .median(let field):
            number(7)
            string(field)
        case .absence: number(8)
        }
    }

    private mutating func bounds(_ bounds: [SigmaCorrelation.Bound]) {
        number(UInt64(bounds.count))
        for bound in bounds {
            string(bound.comparison.rawValue)
            number(bound.value.bitPattern)
        }
    }

    private mutating func signed(_ value: Int64) { number(UInt64(bitPattern: value)) }

    private mutating func signed(_ value: Int64?) {
        flag(value != nil)
        if let value { signed(value) }
    }

    mutating func literals(_ literals: [RegexLiteralMemory.Key: [[UInt8]]]) {
        number(UInt64(literals.count))
        for (key, list) in literals.sorted(by: { ($0.key.pattern, $0.key.options) < ($1.key.pattern, $1.key.options) }) {
            string(key.pattern)
            number(UInt64(key.options))
            number(UInt64(list.count))
            for literal in list {
                number(UInt64(literal.count))
                bytes.append(contentsOf: literal)
            }
        }
    }

    private mutating func header(_ header: RuleHeader) {
        string(header.id)
        optional(header.name)
        string(header.title)
        string(header.description)
        string(header.level.rawValue)
        strings(header.tags)
        string(header.category.rawValue)
        string(header.author)
        strings(header.falsePositives)
        strings(header.references)
        flag(header.isHostile)
        string(header.file)
        number(UInt64(max(header.line, 0)))
        string(header.hash)
        optional(header.status)
        optional(header.license)
        string(header.taxonomy)
        strings(header.requirements)
        number(UInt64(header.attributes.count))
        for (key, value) in header.attributes.sorted(by: { $0.key < $1.key }) {
            string(key)
            string(value)
        }
    }

    private mutating func logSource(_ source: LogSource) {
        strings(source.categories.sorted())
        optional(source.product)
        optional(source.service)
    }

    private mutating func searches(_ searches: [(name: String, search: SigmaSearch)]) {
        number(UInt64(searches.count))
        for (name, search) in searches {
            string(name)
            self.search(search)
        }
    }

    private mutating func search(_ search: SigmaSearch) {
        switch search {
        case .map(let items):
            number(0)
            number(UInt64(items.count))
            for item in items {
                string(item.field)
                strings(item.modifiers)
                values(item.values)
                number(UInt64(max(item.line, 0)))
            }
        case .anyOf(let parts):
            number(1)
            number(UInt64(parts.count))
            for part in parts { self.search(part) }
        case .keywords(let words, let all, let modifiers, let line):
            number(2)
            values(words)
            flag(all)
            strings(modifiers)
            number(UInt64(max(line, 0)))
        }
    }

    private mutating func values(_ values: [SigmaValue]) {
        number(UInt64(values.count))
        for value in values {
            switch value {
            case .null: number(0)
            case .boolean(let flag): number(flag ? 2 : 1)
            case .number(let text):
                number(3)
                string(text)
            case .text(let text):
                number(4)
                string(text)
            }
        }
    }

    private mutating func conditions(_ conditions: [SigmaCondition]) {
        number(UInt64(conditions.count))
        for condition in conditions { self.condition(condition) }
    }

    private mutating func condition(_ condition: SigmaCondition) {
        switch condition {
        case .search(let name):
            number(0)
            string(name)
        case .not(let inner):
            number(1)
            self.condition(inner)
        case .and(let parts):
            number(2)
            conditions(parts)
        case .or(let parts):
            number(3)
            conditions(parts)
        case .quantified(let all, let pattern):
            number(4)
            flag(all)
            string(pattern)
        }
    }
}
