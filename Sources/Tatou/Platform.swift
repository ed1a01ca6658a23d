package import Events
import Foundation
package import Guard
package import Identity
package import Logging

/// The platform without HTTP: accounts, documents, versions, and what watches over them. Routes and pages work on it.
package struct Platform: Sendable {
    package struct Options: Sendable {
        /// The data folder; everything that is kept stands in it.
        package var data: String
        package var guarding: Guard.Configuration
        /// Seconds that a token is good.
        package var tokenLifetime: Int64 = 86_400
        package var documents = DocumentService.Limits()
        package var rates = Rates()
        /// Scans what is uploaded; nil scans nothing.
        package var scanning: MalwareScanning?

        /// - Parameter data: the data folder.
        package init(data: String) {
            self.data = data
            guarding = Guard.Configuration(service: "tatou")
            guarding.log.path = "\(data)/logs/app.log"
            guarding.log.capabilityPaths = ["/api/get-version", "/get-version"]
            // Links have 32 digits, tokens 64.
            guarding.log.capabilityDigits = 32
            guarding.errors = .message
            guarding.requestMetrics = TatouMetrics.requests
            guarding.bodyTime = .seconds(120)
        }
    }

    /// How often something may be asked for.
    package struct Rates: Sendable {
        package var requests = RateLimit("requests", requests: 600, per: .seconds(60))
        package var userRequests = RateLimit("user-requests", requests: 600, per: .seconds(60))
        package var signIn = RateLimit("sign-in", requests: 20, per: .seconds(60))
        package var registration = RateLimit("registration", requests: 10, per: .seconds(600))
        package var upload = RateLimit("upload", requests: 60, per: .seconds(60))
        package var watermark = RateLimit("watermark", requests: 120, per: .seconds(60))
        package var trace = RateLimit("traces", requests: 20, per: .seconds(600))
        package var link = RateLimit("version-links", requests: 300, per: .seconds(60))
        /// Links that there are not.
        package var unknownLink = RateLimit("unknown-links", requests: 30, per: .seconds(600))
        package var handshake = RateLimit("rmap", requests: 30, per: .seconds(60))

        package init() {}

        /// For load tests: limits that nobody reaches.
        package static var unlimited: Rates {
            var rates = Rates()
            func wide(_ limit: RateLimit) -> RateLimit { RateLimit(limit.name, requests: 1_000_000, per: .seconds(1)) }
            rates.requests = wide(rates.requests)
            rates.userRequests = wide(rates.userRequests)
            rates.signIn = wide(rates.signIn)
            rates.registration = wide(rates.registration)
            rates.upload = wide(rates.upload)
            rates.watermark = wide(rates.watermark)
            rates.trace = wide(rates.trace)
            rates.link = wide(rates.link)
            rates.unknownLink = wide(rates.unknownLink)
            rates.handshake = wide(rates.handshake)
            return rates
        }
    }

    package let protection: Protection
    package let metrics: TatouMetrics
    package let database: TatouDatabase
    package let accounts: PlatformAccounts
    package let documents: DocumentService
    package let versions: VersionService
    package let rates: Rates
    package let now: @Sendable () -> Timestamp

    /// Opens the data folder, and removes what a crash left in it.
    ///
    /// - Throws: an error whose description says what to do.
    package init(
        _ options: Options, processing: any DocumentProcessing, hasher: PasswordHasher? = nil, randomness: Randomness = .system,
        logger: Logger = Logger(label: "tatou"), now: @escaping @Sendable () -> Timestamp = { .present }
    ) throws {
        for folder in ["", "/state", "/logs"] {
            try FileManager.default.createDirectory(
                atPath: options.data + folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        var guarding = options.guarding
        // The form around a file takes some bytes, too.
        guarding.bodyLimit = options.documents.documentBytes + (64 << 10)
        guarding.addressLimit = guarding.addressLimit ?? options.rates.requests
        guarding.userLimit = guarding.userLimit ?? options.rates.userRequests
        let protection = try Protection(guarding, logger: logger)
        let metrics = TatouMetrics(protection.metrics)
        let database = try TatouDatabase(path: "\(options.data)/tatou.db") { operation, seconds, failure in
            metrics.queried(operation, seconds: seconds, failed: failure != nil)
        }
        let folder = try DocumentFolder(root: options.data, randomness: randomness)
        let integrity = FileIntegrity()
        let vault = try Vault(path: "\(options.data)/state/platform.key")
        self.protection = protection
        self.metrics = metrics
        self.database = database
        self.now = now
        rates = options.rates
        accounts = PlatformAccounts(
            database: database, hasher: try hasher ?? PasswordHasher(), tokenLifetime: options.tokenLifetime,
            randomness: randomness, now: now)
        documents = DocumentService(
            limits: options.documents, database: database, folder: folder, integrity: integrity, processing: processing,
            scanning: options.scanning, logger: logger, randomness: randomness, now: now)
        versions = VersionService(
            database: database, documents: documents, folder: folder, integrity: integrity, processing: processing,
            vault: vault, randomness: randomness, now: now)
        self.folder = folder
    }

    private let folder: DocumentFolder

    /// Removes files that belong to nothing: what a crash between file and row left. Before the first request, and only by whoever
    /// holds the folder's lock: files that are coming in belong to nothing yet.
    ///
    /// - Returns: how many files that were.
    package func sweep() async throws -> Int {
        let known = try await database.knownFiles()
        try await accounts.sweep()
        return try folder.sweep(known: known)
    }
}

extension Timestamp {
    /// The present by this machine's clock. Only for the edges: everything inside takes the time as an argument.
    package static var present: Timestamp { Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9)) }
}
