import Events

extension FieldSink {
    /// Where the first value of a field of this line stands.
    func index(of field: FieldID) -> Int? {
        guard mayHold(FieldSink.bit(field)) else { return nil }
        for index in first..<values.count where values[index].field == field { return index }
        return nil
    }

    /// Takes one value of this line out again.
    mutating func remove(at index: Int) {
        values.remove(at: index)
        escaped.removeAll { $0 == index }
        for place in escaped.indices where escaped[place] > index { escaped[place] -= 1 }
    }

    /// Gives a field this one value, in place of what it has.
    mutating func set(_ field: FieldID, _ range: ByteRange, isEscaped: Bool = false) {
        guard let index = index(of: field) else {
            if isEscaped { escaped.append(values.count) }
            add(field, range)
            return
        }
        values[index].range = range
        escaped.removeAll { $0 == index }
        if isEscaped { escaped.append(index) }
    }

    /// Lets values from `start` on replace earlier ones of the same field: values of one field are neighbours.
    mutating func mergeRepeated(from start: Int) {
        var index = start
        while index < values.count {
            if let earlier = values[first..<index].firstIndex(where: { $0.field == values[index].field }) {
                values[earlier].range = values[index].range
                values.remove(at: index)
            } else {
                index += 1
            }
        }
    }

    /// Whom a message is about that no pattern knows, where the header has not said so.
    mutating func addMissingEntities(_ bytes: Span<UInt8>, _ message: Range<Int>) {
        let start = values.count
        FreeText.addEntities(bytes, message, into: &self)
        var index = start
        while index < values.count {
            let isKnown = values[first..<start].contains { $0.field == values[index].field }
            if isKnown { values.remove(at: index) } else { index += 1 }
        }
    }

    /// Takes the line's values of all fields from number `number` on out again.
    mutating func removeFields(from number: Int) {
        // Only the fields that share all bits can be among them.
        guard number < 64 || present == .max else { return }
        var kept = first
        while kept < values.count, Int(values[kept].field.rawValue) < number { kept += 1 }
        guard kept < values.count else { return }
        for index in kept..<values.count {
            let isKept = Int(values[index].field.rawValue) < number
            if let place = escaped.firstIndex(of: index) {
                if isKept { escaped[place] = kept } else { escaped.remove(at: place) }
            }
            if isKept {
                values[kept] = values[index]
                kept += 1
            }
        }
        values.removeLast(values.count - kept)
    }

    /// The target of a request whose path and query are logged apart, as ECS and OpenTelemetry name them, and nothing else of it.
    ///
    /// Names the path alone; `BatchParser` joins the query to it once escapes are undone.
    mutating func addTargetOfParts(_ bytes: Span<UInt8>) -> ByteRange? {
        guard let path = range(of: .urlPath), path.count > 0, range(of: .requestMethod) != nil || range(of: .statusCode) != nil
        else {
            return nil
        }
        // `\/` is how some write a slash in JSON.
        let first = bytes[Int(path.start)]
        guard first == UInt8(ascii: "/") || first == UInt8(ascii: "\\") else { return nil }
        let hasMark = bytes.firstIndex(of: UInt8(ascii: "?"), from: Int(path.start), to: path.end) != nil
        isTargetSplit = !hasMark && range(of: .urlQuery) != nil
        add(.urlOriginal, path)
        return path
    }

    /// What every request has beside its target, for formats that only name the target.
    mutating func addRequestFields(_ bytes: Span<UInt8>) {
        guard range(of: .decodedPath) == nil else { return }
        guard let target = range(of: .urlOriginal) else {
            if let path = range(of: .urlPath) { add(.decodedPath, path) }
            return
        }
        let (start, end) = (Int(target.start), target.end)
        let mark = bytes.firstIndex(of: UInt8(ascii: "?"), from: start, to: end) ?? end
        if range(of: .urlPath) == nil { add(.urlPath, start, mark) }
        if mark < end, range(of: .urlQuery) == nil { add(.urlQuery, mark + 1, end) }
        add(.decodedURL, start, end)
        add(.decodedPath, start, mark)
        addDecodedRequest()
    }
}
