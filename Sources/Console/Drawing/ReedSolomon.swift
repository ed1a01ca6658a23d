/// Error correction of QR codes (ISO/IEC 18004:2015, 7.5): a remainder over GF(2⁸) with the polynomial x⁸+x⁴+x³+x²+1.
enum ReedSolomon {
    /// Powers of the generator 2, twice over, so that a sum of two logarithms needs no modulus.
    private static let powers: [UInt8] = {
        var powers: [UInt8] = []
        var value = 1
        for _ in 0..<510 {
            powers.append(UInt8(value))
            value <<= 1
            if value > 255 { value ^= 0x11d }
        }
        return powers
    }()
    private static let logarithms: [Int] = {
        var logarithms = [Int](repeating: 0, count: 256)
        for exponent in 0..<255 { logarithms[Int(powers[exponent])] = exponent }
        return logarithms
    }()

    static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
        guard left != 0, right != 0 else { return 0 }
        return powers[logarithms[Int(left)] + logarithms[Int(right)]]
    }

    /// The codewords that follow `data`.
    static func correction(of data: [UInt8], count: Int) -> [UInt8] {
        // (x - 2⁰)(x - 2¹)…, highest coefficient first, without the leading 1.
        var divisor = [UInt8](repeating: 0, count: count - 1) + [1]
        for exponent in 0..<count {
            for index in 0..<count {
                divisor[index] = product(divisor[index], powers[exponent])
                if index + 1 < count { divisor[index] ^= divisor[index + 1] }
            }
        }
        var remainder = [UInt8](repeating: 0, count: count)
        for byte in data {
            let factor = byte ^ remainder.removeFirst()
            remainder.append(0)
            for index in 0..<count { remainder[index] ^= product(divisor[index], factor) }
        }
        return remainder
    }
}
