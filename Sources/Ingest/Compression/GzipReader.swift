import CZlib

/// Decompresses gzip (RFC 1952), member after member, from the beginning to the end.
///
/// What it gives is bounded by what it is asked for, and in all by `maximumRatio`: a few kilobytes can stand for gigabytes. Not
/// thread-safe; owned by one `LogFile`.
@safe final class GzipReader {
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

    // zlib's state points back at its stream, which therefore must not move: it is on the heap and freed by `deinit`.
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var used = 0
    /// Between two members: the end, unless another one follows.
    private var isBetween = false

    /// What every gzip file begins with.
    static let magic: [UInt8] = [0x1F, 0x8B]

    init() throws(Failure) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15: the largest window; + 16: gzip, and nothing else.
        guard unsafe inflateInit2_(stream, 15 + 16, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .memory
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
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
                unsafe inflateReset(stream)
            }
            let (taken, given, status) = unsafe input.withUnsafeMutableBytes { source in
                unsafe bytes.withUnsafeMutableBytes { target in
                    unsafe inflate(source, from: used, target, from: start + got, upTo: start + count)
                }
            }
            used += taken
            got += given
            produced += Int64(given)
            switch status {
            case Z_STREAM_END: isBetween = true
            case Z_OK, Z_BUF_ERROR: break
            default: throw Failure.damaged
            }
            if produced > GzipReader.allowance, produced / GzipReader.maximumRatio > consumed { throw Failure.bomb }
        }
    }

    private func inflate(
        _ source: UnsafeMutableRawBufferPointer, from used: Int, _ target: UnsafeMutableRawBufferPointer, from start: Int,
        upTo end: Int
    ) -> (taken: Int, given: Int, status: Int32) {
        guard let input = source.baseAddress, let output = target.baseAddress else { return (0, 0, Z_OK) }
        unsafe stream.pointee.next_in = (input + used).assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_in = UInt32(source.count - used)
        unsafe stream.pointee.next_out = (output + start).assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(end - start)
        let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
        let taken = unsafe source.count - used - Int(stream.pointee.avail_in)
        let given = unsafe end - start - Int(stream.pointee.avail_out)
        return (taken, given, status)
    }
}
