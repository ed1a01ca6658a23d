import CZstd

/// Compresses payloads, each to a frame of its own (RFC 8878). Owned by one task; keeps its tables, about a megabyte at level 3.
@safe final class ZstandardCompressor {
    private let context: OpaquePointer?
    private let level: Int32

    init(level: Int) {
        unsafe context = ZSTD_createCCtx()
        self.level = Int32(level)
    }

    deinit { unsafe ZSTD_freeCCtx(context) }

    /// - Returns: `nil` only where there is no memory.
    func compress(_ payload: [UInt8]) -> [UInt8]? {
        guard unsafe context != nil else { return nil }
        let bound = ZSTD_compressBound(payload.count)
        var failed = false
        let frame = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            unsafe payload.withUnsafeBytes { source in
                // All three pointers are valid for the call only, which keeps none of them.
                let written = unsafe ZSTD_compressCCtx(
                    context, buffer.baseAddress, buffer.count, source.baseAddress, source.count, level)
                failed = ZSTD_isError(written) != 0
                count = failed ? 0 : written
            }
        }
        return failed ? nil : frame
    }
}

/// Reads frames back. Owned by one task.
@safe final class ZstandardDecompressor {
    private let context: OpaquePointer?

    init() {
        unsafe context = ZSTD_createDCtx()
    }

    deinit { unsafe ZSTD_freeDCtx(context) }

    /// - Parameter size: what the block says the payload has: never more is written, whatever the frame claims.
    /// - Returns: `nil` for bytes that are no frame of exactly that size.
    func decompress(_ frame: ArraySlice<UInt8>, size: Int) -> [UInt8]? {
        guard unsafe context != nil else { return nil }
        var isWhole = false
        let payload = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            unsafe frame.withUnsafeBytes { source in
                let written = unsafe ZSTD_decompressDCtx(
                    context, buffer.baseAddress, size, source.baseAddress, source.count)
                isWhole = ZSTD_isError(written) == 0 && written == size
                count = isWhole ? written : 0
            }
        }
        return isWhole ? payload : nil
    }
}
