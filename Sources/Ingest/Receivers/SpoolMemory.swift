import Events

/// What a spool says of what was taken before a restart, so that it is not taken again.
package struct SpoolMemory: Sendable, Equatable {
    /// By what a protocol tells that something has been taken.
    package enum Kind: Sendable {
        case nothing
        /// Requests that are the same.
        case batches
        /// Keys of alerts and cursors of journals, which events have.
        case keys
    }

    package var batches = ReceivedBatches()
    package var alerts = AlertStates()
    package var cursors = JournalCursors()

    package init() {}

    /// Whole lines of a spool, from the oldest on.
    ///
    /// - Returns: how many bytes of them were whole lines.
    package mutating func learn(_ bytes: Span<UInt8>, _ kind: Kind) -> Int {
        var start = 0
        while let end = bytes.firstIndex(of: 0x0A, from: start, to: bytes.count) {
            if end > start {
                switch kind {
                case .nothing: break
                case .batches: batches.learn(bytes, start..<end)
                case .keys: learnKeys(bytes.extracting(start..<end))
                }
            }
            start = end + 1
        }
        return start
    }

    /// The file has been read.
    package mutating func endFile() { batches.close() }

    private mutating func learnKeys(_ line: Span<UInt8>) {
        guard
            line.firstIndex(of: "\"vigie.alert.key\"", from: 0, to: line.count) != nil
                || line.firstIndex(of: "\"journald.cursor\"", from: 0, to: line.count) != nil
        else { return }
        guard let document = try? JSONCursor.check(line, 0..<line.count), line.isObject(document) else { return }
        var members = JSONCursor(document)
        var key: String?
        var state = ""
        while let member = try? members.member(line) {
            guard let text = line.jsonText(member.value) else { continue }
            switch line.string(member.key) {
            case AlertStates.keyField: key = plain(line, text)
            case AlertStates.stateField: state = plain(line, text)
            case JournalCursors.field: if let cursor = JournalCursor(line.string(text)) { _ = cursors.isNew(cursor) }
            default: continue
            }
        }
        // An older version took keys of any size.
        if let key, key.utf8.count <= AlertStates.maximumKeyBytes { _ = alerts.isNew(key, state: state) }
    }

    private func plain(_ line: Span<UInt8>, _ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        JSONStringDecoder.append(line, range, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
