import CArgon2

/// Argon2id in PHC string form. Blocking and slow on purpose: go through ``PasswordHasher``.
package struct PasswordHash: Sendable, Equatable {
    /// Cost of one hash. The default is the OWASP Password Storage recommendation for Argon2id: 19 MiB, 2 passes, 1 lane.
    package struct Cost: Sendable, Equatable {
        package var memoryKiB: UInt32
        package var passes: UInt32
        package var lanes: UInt32

        package init(memoryKiB: UInt32 = 19_456, passes: UInt32 = 2, lanes: UInt32 = 1) {
            self.memoryKiB = memoryKiB
            self.passes = passes
            self.lanes = lanes
        }

        /// A stored hash may not ask for more than this: a damaged table must not take the machine's memory.
        var isBearable: Bool { memoryKiB <= 262_144 && passes <= 16 && lanes <= 8 }
    }

    private static let hashLength = 32
    static let saltLength = 16

    package let phc: String

    package init(phc: String) {
        self.phc = phc
    }

    /// - Throws: ``IdentityError`` when libargon2 refuses: no memory, or a cost out of its range.
    package init(password: String, salt: [UInt8], cost: Cost) throws {
        let secret = Array(password.utf8)
        let length = argon2_encodedlen(
            cost.passes, cost.memoryKiB, cost.lanes, UInt32(salt.count), UInt32(Self.hashLength), Argon2_id)
        var encoded = [CChar](repeating: 0, count: length + 1)
        let code = argon2id_hash_encoded(
            cost.passes, cost.memoryKiB, cost.lanes, secret, secret.count, salt, salt.count, Self.hashLength, &encoded,
            encoded.count)
        guard code == ARGON2_OK.rawValue else { throw IdentityError.hashing(Self.message(code)) }
        phc = String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// libargon2 compares in constant time. A hash that cannot be read matches nothing.
    package func matches(_ password: String) throws -> Bool {
        guard let cost, cost.isBearable else { throw IdentityError.unreadableHash }
        let secret = Array(password.utf8)
        let code = argon2id_verify(phc, secret, secret.count)
        if code == ARGON2_OK.rawValue { return true }
        if code == ARGON2_VERIFY_MISMATCH.rawValue { return false }
        throw IdentityError.hashing(Self.message(code))
    }

    /// What this hash was made with; `nil` when it is not Argon2id version 19 in PHC form.
    package var cost: Cost? {
        let parts = phc.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id", parts[2] == "v=19" else { return nil }
        var cost = Cost(memoryKiB: 0, passes: 0, lanes: 0)
        for setting in parts[3].split(separator: ",") {
            guard let value = UInt32(setting.dropFirst(2)) else { return nil }
            switch setting.prefix(2) {
            case "m=": cost.memoryKiB = value
            case "t=": cost.passes = value
            case "p=": cost.lanes = value
            default: return nil
            }
        }
        return cost.memoryKiB > 0 && cost.passes > 0 && cost.lanes > 0 ? cost : nil
    }

    private static func message(_ code: Int32) -> String {
        guard let text = argon2_error_message(code) else { return "code \(code)" }
        return String(cString: text)
    }
}
