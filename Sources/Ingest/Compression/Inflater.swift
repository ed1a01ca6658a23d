import CZlib

/// One stream of zlib's decompression (RFC 1950, 1951, 1952): what is compressed goes in piece by piece, what it stands for comes out in
/// pieces of the caller's size.
///
/// Says nothing about limits: how much may come out is for the caller to know. Owned by one reader at a time.
@safe struct Inflater: ~Copyable {
    /// zlib's `windowBits`: 15 is the largest window, 16 more means gzip and nothing else, 32 more gzip or zlib by their first bytes.
    enum Form: Int32 {
        case gzip = 31
        case gzipOrZlib = 47
    }

    enum Outcome {
        /// More can come: of the input that is left, or of input to come.
        case going
        /// The stream, or one member of it, is complete.
        case ended
        case damaged
    }

    // On the heap: zlib's state points back at its stream, which therefore must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Nothing where zlib has no memory.
    init?(_ form: Form) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe inflateInit2_(stream, form.rawValue, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
        unsafe self.stream = stream
        guard status == Z_OK else { return nil }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// Begins again, with the next member.
    mutating func reset() { unsafe inflateReset(stream) }

    /// Takes `input` from `used` on and fills `output[range]` from its beginning.
    ///
    /// - Returns: how many bytes it took and gave. It takes all of the input, or fills all of the output, or is at an end.
    mutating func inflate(
        _ input: [UInt8], from used: Int, into output: inout [UInt8], at range: Range<Int>
    ) -> (taken: Int, given: Int, outcome: Outcome) {
        precondition(0...input.count ~= used && range.lowerBound >= 0 && range.upperBound <= output.count)
        // Only zlib's `const`-less signature asks for a mutable pointer; it reads.
        let (taken, given, status) = unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target -> (Int, Int, Int32) in
                guard let from = source.baseAddress, let to = target.baseAddress else { return (0, 0, Z_BUF_ERROR) }
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: from + used)
                unsafe stream.pointee.avail_in = UInt32(source.count - used)
                unsafe stream.pointee.next_out = to + range.lowerBound
                unsafe stream.pointee.avail_out = UInt32(range.count)
                let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                return unsafe (
                    source.count - used - Int(stream.pointee.avail_in), range.count - Int(stream.pointee.avail_out), status
                )
            }
        }
        switch status {
        case Z_STREAM_END: return (taken, given, .ended)
        // Z_BUF_ERROR: nothing could be done without more input or more room.
        case Z_OK, Z_BUF_ERROR: return (taken, given, .going)
        default: return (taken, given, .damaged)
        }
    }
}
