/// multipart/form-data (RFC 7578), taken in as it comes: no part is ever held as a whole.
///
/// Bounded in everything that a client decides: the boundary's length, the number of parts, the length of their headers. A value; it is
/// fed and gives back what it understood.
struct MultipartParser {
    enum Event: Equatable {
        case part(PartHead)
        case data([UInt8])
        case endOfPart
        case end
    }

    enum Malformation: Error, Equatable {
        case noBoundary
        case badBoundary
        case tooManyParts
        case headTooLong
        case badHead
        /// The body ended before its last boundary.
        case cutOff
    }

    static let mostParts = 16
    static let longestHead = 8192

    private enum State {
        /// Before the first boundary: RFC 2046 section 5.1.1 lets a preamble stand there.
        case preamble
        /// Behind a boundary: a line's end or two dashes follow.
        case boundary
        case head
        case body
        case done
    }

    private let delimiter: [UInt8]
    private var state = State.preamble
    /// What is not understood yet. Begins as if a line had ended: the first boundary then looks like the others.
    private var pending: [UInt8] = [0x0D, 0x0A]
    private var parts = 0

    /// - Parameter contentType: the request's header.
    init(contentType: String) throws(Malformation) {
        guard let boundary = HeaderParameters(contentType)["boundary"] else { throw .noBoundary }
        guard (1...70).contains(boundary.utf8.count), boundary.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw .badBoundary
        }
        delimiter = [0x0D, 0x0A, 0x2D, 0x2D] + Array(boundary.utf8)
    }

    var isDone: Bool { if case .done = state { true } else { false } }

    mutating func feed(_ bytes: some Sequence<UInt8>) throws(Malformation) -> [Event] {
        // What follows the last boundary is nobody's.
        if isDone { return [] }
        pending.append(contentsOf: bytes)
        var events: [Event] = []
        var cursor = 0
        while try step(&cursor, &events) {}
        pending.removeFirst(cursor)
        return events
    }

    /// The body is over.
    func finish() throws(Malformation) {
        guard isDone else { throw .cutOff }
    }

    /// - Returns: whether there may be more to understand.
    private mutating func step(_ cursor: inout Int, _ events: inout [Event]) throws(Malformation) -> Bool {
        switch state {
        case .preamble:
            let found = delimiterOrEnd(from: cursor)
            guard found.isDelimiter else {
                guard found.index <= Self.longestHead else { throw .headTooLong }
                return false
            }
            cursor = found.index + delimiter.count
            state = .boundary
            return true
        case .boundary:
            guard pending.count - cursor >= 2 else { return false }
            if pending[cursor] == 0x2D, pending[cursor + 1] == 0x2D {
                state = .done
                cursor = pending.count
                events.append(.end)
                return false
            }
            guard pending[cursor] == 0x0D, pending[cursor + 1] == 0x0A else { throw .badBoundary }
            cursor += 2
            parts += 1
            guard parts <= Self.mostParts else { throw .tooManyParts }
            state = .head
            return true
        case .head:
            guard let end = headEnd(from: cursor) else {
                guard pending.count - cursor <= Self.longestHead else { throw .headTooLong }
                return false
            }
            guard end - cursor <= Self.longestHead else { throw .headTooLong }
            events.append(.part(try PartHead(pending[cursor..<end])))
            cursor = end + 4
            state = .body
            return true
        case .body:
            let found = delimiterOrEnd(from: cursor)
            if found.index > cursor { events.append(.data(Array(pending[cursor..<found.index]))) }
            cursor = found.index
            guard found.isDelimiter else { return false }
            cursor += delimiter.count
            events.append(.endOfPart)
            state = .boundary
            return true
        case .done:
            cursor = pending.count
            return false
        }
    }

    /// Where the next delimiter begins, or where one may begin that is not here as a whole, or the end.
    private func delimiterOrEnd(from start: Int) -> (index: Int, isDelimiter: Bool) {
        var index = start
        while let found = pending[index...].firstIndex(of: 0x0D) {
            let length = min(delimiter.count, pending.count - found)
            if pending[found..<(found + length)].elementsEqual(delimiter[..<length]) {
                return (found, length == delimiter.count)
            }
            index = found + 1
        }
        return (pending.count, false)
    }

    private func headEnd(from start: Int) -> Int? {
        var index = start
        while let found = pending[index...].firstIndex(of: 0x0D), found + 4 <= pending.count {
            if pending[found + 1] == 0x0A, pending[found + 2] == 0x0D, pending[found + 3] == 0x0A { return found }
            index = found + 1
        }
        return nil
    }
}
