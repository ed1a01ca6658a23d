/// Undoes gzip (RFC 1952) and zlib (RFC 1950) compression of one body, piece by piece, never past a limit.
///
/// Owned by one request.
package struct GzipInflater: ~Copyable {
    private static let chunkBytes = 64 * 1024

    private let limit: Int
    private var inflater: Inflater
    private var output: [UInt8] = []
    private var chunk = [UInt8](repeating: 0, count: GzipInflater.chunkBytes)
    private var isAtEnd = false

    /// - Parameter limit: the most bytes that may come out.
    package init(limit: Int) throws(ReceiverRefusal) {
        guard let inflater = Inflater(.gzipOrZlib) else { throw ReceiverRefusal(.unsupported, "zlib cannot be used") }
        self.limit = limit
        self.inflater = inflater
    }

    /// - Throws: when the data is damaged, or more would come out than the limit; what came out so far is then not to be used.
    package mutating func push(_ input: [UInt8]) throws(ReceiverRefusal) {
        var used = 0
        // A chunk that was filled: more may wait inside zlib though all input is used up.
        var isFull = false
        while used < input.count || isFull {
            guard !isAtEnd else { throw .malformed("something follows the compressed data") }
            let (taken, given, outcome) = inflater.inflate(input, from: used, into: &chunk, at: 0..<chunk.count)
            used += taken
            isFull = given == chunk.count
            switch outcome {
            case .going: if taken == 0, given == 0, used < input.count { throw .malformed("the compressed data is damaged") }
            case .ended:
                isAtEnd = true
                isFull = false
            case .damaged: throw .malformed("the compressed data is damaged")
            }
            guard output.count + given <= limit else {
                throw ReceiverRefusal(.tooLarge, "the body has more than \(limit >> 10) KiB when decompressed")
            }
            output.append(contentsOf: chunk[..<given])
        }
    }

    /// Everything that came out.
    package mutating func finish() throws(ReceiverRefusal) -> [UInt8] {
        guard isAtEnd else { throw .malformed("the compressed data ends in the middle") }
        let bytes = output
        output = []
        return bytes
    }
}
