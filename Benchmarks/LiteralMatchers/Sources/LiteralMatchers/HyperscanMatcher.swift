import CHyperscan

/// Hyperscan with one database for all literals of a field, in block mode: each literal is reported once for a value.
///
/// Where all literals may stand anywhere, they are given as literals; else as expressions, since only those have anchors.
final class HyperscanMatcher {
    private var database: OpaquePointer?
    private var scratch: OpaquePointer?
    private(set) var databaseBytes = 0

    struct Failure: Error {
        var code: Int32
    }

    init(_ literals: [LiteralIndex.Literal]) throws {
        guard !literals.isEmpty else { return }
        let isPure = literals.allSatisfy { $0.anchor == .contains }
        let texts = literals.map { literal in (isPure ? literal.bytes : HyperscanMatcher.expression(literal)) + [0] }
        let flags = [UInt32](repeating: UInt32(HS_FLAG_CASELESS | HS_FLAG_SINGLEMATCH), count: literals.count)
        let numbers = literals.indices.map { UInt32($0) }
        let lengths = literals.map(\.bytes.count)
        let storage = texts.map { text in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count)
            for (place, byte) in text.enumerated() { copy[place] = CChar(bitPattern: byte) }
            return copy
        }
        defer { for text in storage { text.deallocate() } }
        let pointers = storage.map { UnsafePointer<CChar>($0) as UnsafePointer<CChar>? }
        var problem: UnsafeMutablePointer<hs_compile_error_t>?
        let code =
            isPure
            ? hs_compile_lit_multi(
                pointers, flags, numbers, lengths, UInt32(literals.count), UInt32(HS_MODE_BLOCK), nil, &database, &problem)
            : hs_compile_multi(
                pointers, flags, numbers, UInt32(literals.count), UInt32(HS_MODE_BLOCK), nil, &database, &problem)
        guard code == HS_SUCCESS else { throw Failure(code: code) }
        let allocated = hs_alloc_scratch(database, &scratch)
        guard allocated == HS_SUCCESS else { throw Failure(code: allocated) }
        var size = 0
        hs_database_size(database, &size)
        databaseBytes = size
    }

    deinit {
        hs_free_scratch(scratch)
        hs_free_database(database)
    }

    private static func expression(_ literal: LiteralIndex.Literal) -> [UInt8] {
        var text: [UInt8] = []
        if literal.anchor == .equals || literal.anchor == .startsWith { text += Array("\\A".utf8) }
        for byte in literal.bytes { text += Array("\\x".utf8) + [digit(byte >> 4), digit(byte & 15)] }
        if literal.anchor == .equals || literal.anchor == .endsWith { text += Array("\\z".utf8) }
        return text
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    /// Pairs of a value and a literal that stands in it.
    func count(_ field: Field) -> Int {
        guard database != nil else { return 0 }
        var pairs = 0
        field.bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                guard let base = text.baseAddress else { return }
                withUnsafeMutablePointer(to: &pairs) { counter in
                    for range in field.ranges {
                        hs_scan(
                            database, base + range.lowerBound, UInt32(range.count), 0, scratch,
                            { _, _, _, _, context in
                                context?.assumingMemoryBound(to: Int.self).pointee += 1
                                return 0
                            }, counter)
                    }
                }
            }
        }
        return pairs
    }
}
