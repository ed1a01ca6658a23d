import Crypto
import Events

/// A random secret that is handed out once and kept only as its digest.
package struct SecretToken: Sendable, Equatable {
    /// Lower-case hex.
    package let text: String

    /// - Parameter text: what a browser sent: anything. Its digest simply matches nothing when it is not one of ours.
    package init(text: String) {
        self.text = text
    }

    /// A new secret of `bits` random bits.
    package init(bits: Int, from randomness: Randomness) {
        text = randomness.bytes(bits / 8).hexadecimal
    }

    package var digest: TokenDigest {
        TokenDigest(hex: SHA256.hash(data: Array(text.utf8)).hexadecimal)
    }

    /// A value that proves knowledge of this secret for one purpose without revealing it: HMAC-SHA-256, in hex.
    package func proof(of purpose: String) -> String {
        let key = SymmetricKey(data: Array(text.utf8))
        return HMAC<SHA256>.authenticationCode(for: Array(purpose.utf8), using: key).hexadecimal
    }
}

/// SHA-256 of a ``SecretToken``. A secret with 128 or more random bits needs no slow hash and no salt.
package struct TokenDigest: Sendable, Hashable {
    /// 64 lower-case hex digits.
    package var hex: String

    package init(hex: String) {
        self.hex = hex
    }
}

/// Where random bytes come from, so that a test can say which.
package struct Randomness: Sendable {
    package let bytes: @Sendable (_ count: Int) -> [UInt8]

    package init(bytes: @escaping @Sendable (_ count: Int) -> [UInt8]) {
        self.bytes = bytes
    }

    /// The kernel's generator.
    package static let system = Randomness { count in
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// Equality that takes as long for a wrong secret as for the right one, whatever the first different byte.
///
/// Lengths are not secret and may be told apart.
package func constantTimeEquals(_ left: String, _ right: String) -> Bool {
    let left = Array(left.utf8)
    let right = Array(right.utf8)
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
