import Events
import Synchronization
import Testing

@testable import Identity

@Suite("Second factors")
struct SecondFactorTests {
    /// RFC 6238 appendix B, SHA-1: eight digits.
    static let vectors: [(seconds: Int64, code: String)] = [
        (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ]
    static let secret = Array("12345678901234567890".utf8)

    let setup: Setup
    let log = AccountServiceTests.Log()
    let service: AccountService

    init() throws {
        setup = try Setup()
        let log = log
        service = AccountService(setup.service) { log.append($0) }
    }

    @Test("the codes of RFC 6238, appendix B", arguments: vectors)
    func vector(seconds: Int64, code: String) {
        let codes = TimeCode(secret: Self.secret)
        // Timestamps end in 2262, the last vector is of 2603.
        let step = seconds < 9_000_000_000 ? TimeCode.step(at: Timestamp(seconds: seconds)) : seconds / 30
        #expect(codes.code(step: step, digits: 8) == code)
        #expect(codes.code(step: step) == String(code.suffix(6)))
    }

    @Test("Base32 as in RFC 4648, section 10, without padding")
    func base32() {
        for (plain, coded) in [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] { #expect(Base32.encode(Array(plain.utf8)) == coded) }
        #expect(TimeCode(secret: Self.secret).text == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    }

    @Test("a clock may be wrong by one step, and by no more")
    func drift() {
        let codes = TimeCode(secret: Self.secret)
        let now = Timestamp(seconds: 1_111_111_109)
        let current = TimeCode.step(at: now)
        for offset in -3...3 as ClosedRange<Int64> {
            let found = codes.step(of: codes.code(step: current + offset), at: now)
            #expect(found == (abs(offset) <= 1 ? current + offset : nil))
        }
        for wrong in ["", "0", "07081804", "abcdef", " ", "081 80"] { #expect(codes.step(of: wrong, at: now) == nil) }
        #expect(codes.step(of: "081 804", at: now) != nil, "as apps show it, in two groups")
        #expect(codes.step(of: codes.code(step: 0), at: Timestamp(seconds: -5)) == 0)
    }

    @Test("the address for the app names service and account, and escapes what a name can hold")
    func address() {
        #expect(
            TimeCode(secret: Self.secret).address(account: "ana@example.org")
                == "otpauth://totp/Vigie:ana%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Vigie&algorithm=SHA1&digits=6&period=30"
        )
    }

    /// Turns it on for `ana`.
    private func enabled() async throws -> (signedIn: SignedIn, codes: TimeCode, recovery: [String]) {
        let ana = try await setup.firstAccount()
        let codes = try #require(try await service.secondFactorOffer(accountID: ana.accountID))
        let recovery = try await service.enableSecondFactor(
            of: ana, password: goodPassword, code: codes.code(step: TimeCode.step(at: noon)), address: "192.0.2.1", at: noon)
        return (ana, codes, recovery)
    }

    private func pending(at time: Timestamp = noon) async throws -> SecretToken {
        guard case .codeNeeded(let token) = try await setup.signIn("ana", at: time) else {
            throw Unexpected("no code was asked for")
        }
        return token
    }

    private func signIn(_ code: String, _ token: SecretToken, at time: Timestamp) async throws -> CodeOutcome {
        try await setup.service.signIn(code: code, pending: token, address: "192.0.2.1", replacing: nil, at: time)
    }

    @Test("a right code of the next step signs in; the same code does not do so again")
    func signsIn() async throws {
        let (_, codes, _) = try await enabled()
        let later = noon.advanced(bySeconds: 60)
        let code = codes.code(step: TimeCode.step(at: later))
        let token = try await pending(at: later)
        guard case .signedIn(let signedIn, _) = try await signIn(code, token, at: later) else { throw Unexpected("refused") }
        #expect(signedIn.hasSecondFactor)
        // The token is used up, and so is the code.
        guard case .startAgain = try await signIn(code, token, at: later) else { throw Unexpected("taken twice") }
        guard case .refused(let audit) = try await signIn(code, try await pending(at: later), at: later) else {
            throw Unexpected("a code was taken twice")
        }
        #expect(audit.kind == .codeRefused && audit.account == "ana")
    }

    @Test("the code that turned it on is used up, and so are those before it")
    func replay() async throws {
        let (_, codes, _) = try await enabled()
        for offset in [0, -1] as [Int64] {
            let code = codes.code(step: TimeCode.step(at: noon) + offset)
            guard case .refused = try await signIn(code, try await pending(), at: noon) else {
                throw Unexpected("a replay passed")
            }
        }
    }

    @Test("of many who send the same code at once, one comes in")
    func race() async throws {
        let (_, codes, _) = try await enabled()
        let later = noon.advanced(bySeconds: 60)
        let code = codes.code(step: TimeCode.step(at: later))
        var tokens: [SecretToken] = []
        for _ in 0..<4 { tokens.append(try await pending(at: later)) }
        let entered = try await withThrowingTaskGroup(of: Bool.self) { group in
            for token in tokens {
                group.addTask { if case .signedIn = try await signIn(code, token, at: later) { true } else { false } }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(entered == 1)
    }

    @Test("the password alone opens nothing, and what stands for it ends after five minutes")
    func patience() async throws {
        let (ana, codes, _) = try await enabled()
        let token = try await pending()
        #expect(try await setup.service.authenticate(token, isActivity: true, at: noon) == nil)
        let late = noon.advanced(bySeconds: 300)
        guard case .startAgain = try await signIn(codes.code(step: TimeCode.step(at: late)), token, at: late) else {
            throw Unexpected("taken too late")
        }
        // Other sessions than the one that turned it on have ended.
        #expect(try await setup.service.authenticate(ana.cookie, isActivity: true, at: noon) != nil)
    }

    @Test("wrong codes are slowed down for the account, from wherever; the password has to be given again")
    func guessing() async throws {
        _ = try await enabled()
        var outcomes: [String] = []
        for number in 0..<12 {
            let token = try await pending()
            switch try await setup.service.signIn(
                code: "00000\(number % 10)", pending: token, address: "192.0.2.\(number)", replacing: nil, at: noon)
            {
            case .refused: outcomes.append("refused")
            case .limited: outcomes.append("limited")
            case .startAgain: outcomes.append("again")
            case .signedIn: outcomes.append("in")
            }
        }
        #expect(outcomes.prefix(5).allSatisfy { $0 == "refused" || $0 == "in" } && outcomes.last == "limited")
        // On one password there are five tries.
        let other = try Setup()
        let account = AccountService(other.service) { _ in }
        let bob = try await other.firstAccount()
        let codes = try #require(try await account.secondFactorOffer(accountID: bob.accountID))
        _ = try await account.enableSecondFactor(
            of: bob, password: goodPassword, code: codes.code(step: TimeCode.step(at: noon)), address: "", at: noon)
        guard case .codeNeeded(let token) = try await other.signIn("ana") else { throw Unexpected("no code was asked for") }
        for minute in 0..<5 {
            _ = try await other.service.signIn(
                code: "x", pending: token, address: "", replacing: nil, at: noon.advanced(bySeconds: Int64(minute) * 50))
        }
        guard
            case .startAgain = try await other.service.signIn(
                code: "x", pending: token, address: "", replacing: nil, at: noon.advanced(bySeconds: 290))
        else { throw Unexpected("a sixth try") }
    }

    @Test("a recovery code gets in once, and only its hash is kept")
    func recovery() async throws {
        let (ana, _, recovery) = try await enabled()
        #expect(recovery.count == 10 && Set(recovery).count == 10)
        #expect(recovery.allSatisfy { $0.wholeMatch(of: /([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}/) != nil })
        let typed = recovery[3].lowercased().replacing("-", with: " ")
        guard case .signedIn(_, let audits) = try await signIn(typed, try await pending(), at: noon) else {
            throw Unexpected("a recovery code was refused")
        }
        #expect(audits.map(\.kind) == [.recoveryCodeUsed, .signedIn] && audits[0].details["left"] == "9")
        guard case .refused = try await signIn(recovery[3], try await pending(), at: noon) else { throw Unexpected("used twice") }
        #expect(try await service.recoveryCodesLeft(accountID: ana.accountID) == 9)
        #expect(!"\(log.all)".contains(recovery[0]))
    }

    @Test("turning it on needs password and code, off too; required, it stays; an admin resets it")
    func onAndOff() async throws {
        let (ana, codes, _) = try await enabled()
        #expect(try await service.secondFactorOffer(accountID: ana.accountID) == nil, "the secret is shown no more")
        let later = noon.advanced(bySeconds: 90)
        let code = codes.code(step: TimeCode.step(at: later))
        for (password, code) in [("wrong password!", code), (goodPassword, "000000x")] {
            await #expect(throws: AccountRefusal.self) {
                try await service.disableSecondFactor(of: ana, password: password, code: code, address: "", at: later)
            }
        }
        let strict = AccountService(
            SignInService(store: setup.store, hasher: try PasswordHasher(cost: cheap), secondFactorRoles: [.admin])
        ) { _ in }
        await #expect(throws: AccountRefusal.self) {
            try await strict.disableSecondFactor(of: ana, password: goodPassword, code: code, address: "", at: later)
        }
        try await service.disableSecondFactor(of: ana, password: goodPassword, code: code, address: "", at: later)
        #expect(try await setup.signIn("ana", at: later).session != nil)
        #expect(log.kinds.contains(.secondFactorEnabled) && log.kinds.last == .secondFactorDisabled)
        await #expect(throws: AccountRefusal.self) {
            try await service.resetSecondFactor(accountID: ana.accountID, by: AccountServiceTests.admin, at: later)
        }
    }

    @Test("a wrong code does not turn it on")
    func wrongCode() async throws {
        let ana = try await setup.firstAccount()
        _ = try await service.secondFactorOffer(accountID: ana.accountID)
        await #expect(throws: AccountRefusal.self) {
            try await service.enableSecondFactor(of: ana, password: goodPassword, code: "00000", address: "", at: noon)
        }
        #expect(try await setup.signIn("ana").session != nil)
    }
}
