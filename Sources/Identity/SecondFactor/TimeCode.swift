import Crypto
package import Events

/// Codes that change with time (RFC 6238), from a secret that an authenticator app shares: SHA-1, six digits, 30 seconds, since that is
/// what all apps do. SHA-1's collisions do not matter to HMAC (RFC 6194).
package struct TimeCode: Sendable, Equatable {
    package static let digits = 6
    static let period: Int64 = 30
    /// Steps that a clock may be wrong, each way; RFC 6238 5.2 advises one.
    static let drift: Int64 = 1
    /// 160 bits, as RFC 4226 section 4 recommends.
    static let secretLength = 20

    package let secret: [UInt8]

    package init(secret: [UInt8]) {
        self.secret = secret
    }

    package static func step(at time: Timestamp) -> Int64 {
        // Before 1970 there were no codes; whatever comes out there is no step that was ever used.
        max(0, time.seconds) / period
    }

    /// The code of a step, with leading zeros.
    package func code(step: Int64, digits: Int = TimeCode.digits) -> String {
        let counter = withUnsafeBytes(of: UInt64(step).bigEndian) { Array($0) }
        let mac = Array(HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret)))
        // RFC 4226 5.3: the last four bits say where four bytes are taken.
        let offset = Int(mac[19] & 15)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        let modulus = (0..<digits).reduce(UInt32(1)) { product, _ in product * 10 }
        let text = String(number % modulus)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// The step of which `typed` is the code; `nil` where it is none of those that may be in use.
    ///
    /// Every candidate is compared whole, so that the time tells nothing.
    package func step(of typed: String, at now: Timestamp) -> Int64? {
        let code = typed.filter { $0 != " " }
        let current = Self.step(at: now)
        var found: Int64?
        for step in max(0, current - Self.drift)...current + Self.drift where constantTimeEquals(self.code(step: step), code) {
            found = step
        }
        return found
    }

    /// The secret in Base32, for typing.
    package var text: String { Base32.encode(secret) }

    /// What the QR code holds (the Key URI format that authenticator apps read).
    package func address(account: String) -> String {
        // Names have none of the characters that would need escaping but `@`.
        let label = account.replacing("@", with: "%40")
        return
            "otpauth://totp/Vigie:\(label)?secret=\(text)&issuer=Vigie&algorithm=SHA1&digits=\(Self.digits)&period=\(Self.period)"
    }
}

/// A second factor as it is stored. The secret has to be kept readable: codes are computed from it.
package struct SecondFactor: Sendable, Equatable {
    package var secret: [UInt8]
    /// `nil` until the first right code showed that the app has it.
    package var since: Timestamp?
    /// The newest step of which a code was taken; none of it or before it is taken again (RFC 6238 5.2).
    package var lastStep: Int64

    package init(secret: [UInt8], since: Timestamp?, lastStep: Int64) {
        self.secret = secret
        self.since = since
        self.lastStep = lastStep
    }
}
