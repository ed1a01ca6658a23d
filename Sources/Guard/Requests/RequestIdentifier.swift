import Synchronization

/// Identifiers that tell the lines about one request from those about another.
///
/// A random number of this process, and a counter: unique, not secret, and no system call per request.
enum RequestIdentifier {
    private static let process = UInt64.random(in: .min ... .max)
    private static let counter = Atomic<UInt64>(UInt64.random(in: .min ... .max))

    /// 32 hexadecimal digits: also a valid trace id of W3C Trace Context.
    static func make() -> String {
        // Multiplying by an odd number permutes all values: neighbours do not look alike.
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue &* 0x9E37_79B9_7F4A_7C15
        return hexadecimal(process, number)
    }

    /// A value of `X-Request-ID` that may stand in logs and headers: 8 to 64 letters, digits, `-`, `_`, `.`.
    ///
    /// Everything else is replaced by an identifier of our own: a client must not be able to break lines, quote, or fill the log.
    static func isSafe(_ text: String) -> Bool {
        let bytes = text.utf8
        return (8...64).contains(bytes.count)
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    static func hexadecimal(_ numbers: UInt64...) -> String {
        String(unsafeUninitializedCapacity: numbers.count * 16) { buffer in
            var position = 0
            for number in numbers {
                for shift in stride(from: 60, through: 0, by: -4) {
                    let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
                    buffer[position] = digit < 10 ? digit + 0x30 : digit + 0x57
                    position += 1
                }
            }
            return position
        }
    }
}
