/// Decompresses gzip (RFC 1952), member after member, from the beginning to the end.
///
/// What it gives is bounded by what it is asked for, and in all by `maximumRatio`: a few kilobytes can stand for gigabytes. Not
/// thread-safe; owned by one `LogFile`.
final class GzipReader {
    /// How many bytes may come of one compressed byte once `allowance` bytes have come. Logs shrink to a tenth or a thirtieth, the
    /// most monotonous of them to a hundredth; deflate goes up to 1,032.
    static let maximumRatio: Int64 = 200
    static let allowance: Int64 = 64 << 20

    static let inputBytes = 1 << 16

    enum Failure: Error {
        case damaged
        /// It gives more than a log would.
        case bomb
        case memory
    }

    /// Compressed bytes taken from the file.
    private(set) var consumed: Int64 = 0
    /// Bytes given.
    private(set) var produced: Int64 = 0
    /// The last member has ended; what may stand behind it is no gzip.
    private(set) var isAtEnd = false

    /// What has come ends within a member: it was cut, or is still being written.
    var isWithinMember: Bool { consumed > 0 && !isBetween && !isAtEnd }

    private var inflater: Inflater
    private var input: [UInt8] = []
    private var used = 0
    /// Between two members: the end, unless another one follows.
    private var isBetween = false

    /// What every gzip file begins with.
    static let magic: [UInt8] = [0x1F, 0x8B]

    init() throws(Failure) {
        guard let inflater = Inflater(.gzip) else { throw .memory }
        self.inflater = inflater
    }

    /// Appends up to `count` bytes; fewer where the file ends, for good or for now: it may still be being written.
    ///
    /// - Parameter fill: appends up to so many bytes of the file from that place on, none at its end.
    func read(
        _ count: Int, into bytes: inout [UInt8], fill: (_ count: Int, _ offset: Int64, _ into: inout [UInt8]) throws -> Void
    ) throws {
        let start = bytes.count
        var got = 0
        bytes.append(contentsOf: repeatElement(0, count: count))
        defer { bytes.removeLast(count - got) }
        while got < count, !isAtEnd {
            if used == input.count {
                input.removeAll(keepingCapacity: true)
                used = 0
                try fill(GzipReader.inputBytes, consumed, &input)
                if input.isEmpty { break }
                consumed += Int64(input.count)
            }
            if isBetween {
                // Padding, or the next member.
                guard input[used] == GzipReader.magic[0] else {
                    isAtEnd = true
                    break
                }
                isBetween = false
                inflater.reset()
            }
            let (taken, given, outcome) = inflater.inflate(input, from: used, into: &bytes, at: start + got..<start + count)
            used += taken
            got += given
            produced += Int64(given)
            switch outcome {
            case .ended: isBetween = true
            case .going: break
            case .damaged: throw Failure.damaged
            }
            if produced > GzipReader.allowance, produced / GzipReader.maximumRatio > consumed { throw Failure.bomb }
        }
    }
}
