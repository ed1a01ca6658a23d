// swift-tools-version: 6.2
import PackageDescription

/// One settings array for every Swift target; each flag says why it is here.
let strict: [SwiftSetting] = [
    // `any P` is spelled out, so a dynamic call is seen where it is made (SE-0335).
    .enableUpcomingFeature("ExistentialAny"),
    // A member is visible only in files that import its module: imports tell the truth (SE-0444).
    .enableUpcomingFeature("MemberImportVisibility"),
    // `import X` stays inside the file; what leaks into a target's interface says `public import` (SE-0409).
    .enableUpcomingFeature("InternalImportsByDefault"),
    // A nonisolated async function runs where its caller runs: no hidden thread hop (SE-0461).
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    // A conformance takes its type's isolation (SE-0470).
    .enableUpcomingFeature("InferIsolatedConformances"),
    // A warning left alone is a defect left alone.
    .treatAllWarnings(as: .error),
]

/// For targets that read untrusted bytes: every unsafe construct has to say `unsafe` (SE-0458).
/// Scanners are `~Escapable`, which needs `@_lifetime`; swift-nio and swift-collections ship with the same feature.
let parsing: [SwiftSetting] = strict + [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]

// Tests call code as it is shipped; they themselves are not optimised: at IncidentsTests, Swift 6.3.1's optimiser ends with signal 11.
let testing: [SwiftSetting] = strict + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

let package = Package(
    name: "vigie",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "vigie", targets: ["vigie"]),
        .executable(name: "tatou-wm", targets: ["tatou-wm"]),
        .executable(name: "tatou", targets: ["tatou-server"]),
        .executable(name: "tatou-worker", targets: ["tatou-worker"]),
        .executable(name: "tatou-openpgp", targets: ["tatou-openpgp"]),
        // For apps on Hummingbird: what they need to be protected, and nothing of the rest.
        .library(name: "Guard", targets: ["Guard"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // What a record is. No Foundation, no NIO.
        .target(name: "Events", swiftSettings: parsing),
        // Sources and formats: bytes in, batches of events out.
        .target(
            name: "Ingest", dependencies: ["Events", "CZlib", .product(name: "Yams", package: "Yams")], swiftSettings: parsing),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Every raw line, compressed, for as long as policy says; and reading it again.
        .target(name: "Archive", dependencies: ["Events", "Ingest", "CZstd"], swiftSettings: parsing),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        // Sigma: parse, compile, match, correlate. Pure.
        .target(
            name: "Detection",
            dependencies: [
                "Events",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: parsing
        ),
        // Questions to the archive: rules, or conditions on fields, over a time.
        .target(name: "Hunting", dependencies: ["Events", "Ingest", "Detection", "Archive"], swiftSettings: strict),
        // The append-only log of everything seen, decided and done.
        .target(
            name: "Journal",
            dependencies: ["Events", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        // Sealed files, their custody, and archives that others can check.
        .target(
            name: "Evidence",
            dependencies: ["Events", "Journal", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        // Findings become incidents. Pure state machines over journal entries.
        .target(
            name: "Incidents",
            dependencies: ["Events", "Detection", "Journal", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict
        ),
        // Running other programs: with nothing of this process, and with an end.
        .target(name: "Programs", dependencies: ["CSandbox"], swiftSettings: strict),
        // Playbooks (CACAO 2.0), their durable execution, and leases: containment that ends and is proven. Pure state machines;
        // RSA is for CACAO signatures.
        .target(
            name: "Response",
            dependencies: [
                "Events", "Journal", "Programs",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict
        ),
        // One folder per channel: mail, chat, pagers, signed webhooks.
        .target(
            name: "Notify",
            dependencies: ["Events", "Incidents", "Programs", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        // Accounts, passwords, sign-in sessions; sign-in through a provider, whose tokens RSA is for.
        .target(
            name: "Identity",
            dependencies: [
                "Events", "CArgon2",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        // Vigie's projections and private tables on SQLite.
        .target(
            name: "Storage",
            dependencies: [
                "Events", "Journal", "Incidents", "Identity",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        // Pages, HTTP API and live updates.
        .target(
            name: "Console",
            dependencies: [
                "Events", "Incidents", "Identity", "CConsoleAssets", "EmbeddedFiles",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // Templates, style sheet and script, embedded with C23 #embed: one binary, nothing beside it.
        .target(name: "CConsoleAssets", dependencies: ["CEmbeddedFiles"], exclude: ["assets"]),
        .target(name: "CTatouAssets", dependencies: ["CEmbeddedFiles"], exclude: ["assets"]),
        .target(name: "CEmbeddedFiles"),
        // Files inside the binary, for pages.
        .target(
            name: "EmbeddedFiles", dependencies: ["CEmbeddedFiles", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: strict),
        // Adopted by apps: identifiers, security log, metrics, limits, and the leases that are in force. Its API is public.
        .target(
            name: "Guard",
            dependencies: [
                "Events",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // Options, wiring, start, stop. Tests start it in-process on port 0.
        .target(
            name: "Server",
            dependencies: [
                "Events", "Ingest", "Archive", "Hunting", "Detection", "Evidence", "Journal", "Incidents", "Identity", "Notify",
                "Programs", "Response", "Storage", "Console",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict
        ),
        .systemLibrary(name: "CMalloc"),
        // Every subcommand of vigie.
        .target(
            name: "CommandLine",
            dependencies: [
                "CMalloc", "Events", "Evidence", "Ingest", "Archive", "Hunting", "Detection", "Journal", "Incidents", "Identity",
                "Programs", "Response", "Storage", "Server",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(name: "vigie", dependencies: ["CommandLine"], path: "Sources/Executables/vigie", swiftSettings: strict),
        // Marks in PDF documents that name the copy, and reading them from leaks. The only importer of qpdf and of image codecs.
        .target(
            name: "Watermark",
            dependencies: [
                "CQPDF", "CTurboJPEG", "CPNG", "CZlib", "Programs",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: parsing
        ),
        .systemLibrary(name: "CQPDF", pkgConfig: "libqpdf", providers: [.apt(["libqpdf-dev"])]),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng16", providers: [.apt(["libpng-dev"])]),
        // The subcommands of tatou-wm, apart from CommandLine: they need none of the server.
        .target(
            name: "WatermarkCommands",
            dependencies: ["Watermark", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "tatou-wm", dependencies: ["WatermarkCommands"], path: "Sources/Executables/tatou-wm", swiftSettings: strict),
        // The PDF platform: accounts, documents, marked copies and their links. It never parses a document in its own process.
        .target(
            name: "Tatou",
            dependencies: [
                "Events", "Guard", "Identity", "CTatouAssets", "DocumentWorker", "EmbeddedFiles", "RMAP",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // The subcommands of tatou.
        .target(
            name: "TatouCommands",
            dependencies: [
                "Tatou", "DocumentWorker", "Events", "Guard", "Identity",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        // Not called as its product: file systems that ignore case would take it for the library.
        .executableTarget(
            name: "tatou-server", dependencies: ["TatouCommands"], path: "Sources/Executables/tatou", swiftSettings: strict),
        // Documents of strangers, asked about from a server that reads none: starts workers, one for each job, and bounds them.
        .target(name: "DocumentWorker", dependencies: ["CSandbox"], swiftSettings: strict),
        // The inside of a worker: locks itself in, then reads.
        .target(
            name: "DocumentWorkerProcess", dependencies: ["Confinement", "CSandbox", "DocumentWorker", "Watermark"],
            swiftSettings: strict),
        // The walls around a worker, put up from inside: limits, and a filter of the kernel's calls.
        .target(name: "Confinement", dependencies: ["CSandbox", "DocumentWorker"], swiftSettings: strict),
        .systemLibrary(name: "CSandbox"),
        // RMAP: two messages, by which an identity shows that it has its key. It reads no OpenPGP in its own process.
        .target(name: "RMAP", dependencies: ["DocumentWorker"], swiftSettings: strict),
        // The inside of the process that reads or writes one message. The only importer of librnp.
        .target(
            name: "OpenPGPWorkerProcess", dependencies: ["CRNP", "Confinement", "DocumentWorker", "RMAP"], swiftSettings: strict),
        .executableTarget(
            name: "tatou-openpgp", dependencies: ["OpenPGPWorkerProcess"], path: "Sources/Executables/tatou-openpgp",
            swiftSettings: strict),
        .systemLibrary(name: "CRNP", pkgConfig: "librnp", providers: [.apt(["librnp-dev"])]),
        .executableTarget(
            name: "tatou-worker", dependencies: ["DocumentWorkerProcess"], path: "Sources/Executables/tatou-worker",
            swiftSettings: strict),

        // Fixtures are files, read where they stand: nothing is copied into a bundle.
        .testTarget(name: "EventsTests", dependencies: ["Events"], swiftSettings: testing),
        .testTarget(name: "IngestTests", dependencies: ["Ingest", "Events"], exclude: ["Fixtures"], swiftSettings: testing),
        .testTarget(name: "ArchiveTests", dependencies: ["Archive", "Detection", "Events", "Ingest"], swiftSettings: testing),
        .testTarget(
            name: "HuntingTests", dependencies: ["Hunting", "Archive", "Detection", "Events", "Ingest"], swiftSettings: testing),
        // Counts what a thread asks of the heap, for tests that allow nothing.
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        // Answers held against an OpenAPI document.
        .target(name: "OpenAPICheck", path: "Tests/OpenAPICheck", swiftSettings: strict),
        .testTarget(
            name: "DetectionTests", dependencies: ["Detection", "Events", "Ingest", "AllocationCounter"],
            exclude: ["Regex/Fixtures", "Fixtures"],
            swiftSettings: testing),
        .testTarget(
            name: "JournalTests", dependencies: ["Journal", "Events", .product(name: "Crypto", package: "swift-crypto")],
            exclude: ["Fixtures"], swiftSettings: testing),
        .testTarget(
            name: "EvidenceTests",
            dependencies: ["Evidence", "Journal", "Events", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: testing),
        .testTarget(
            name: "IncidentsTests", dependencies: ["Incidents", "Detection", "Events", "Ingest", "Journal"],
            exclude: ["Clocks/Fixtures", "Policy/Fixtures"], swiftSettings: testing
        ),
        .testTarget(name: "NotifyTests", dependencies: ["Notify", "Events", "Incidents"], swiftSettings: testing),
        .testTarget(
            name: "ResponseTests", dependencies: ["Response", "Events", "Journal", "Programs"],
            exclude: [
                "Conformance/cases", "Conformance/scenarios", "Conformance/requirements.tsv", "Playbooks/plan-and-checklist.txt",
            ], swiftSettings: testing),
        .testTarget(
            name: "StorageTests",
            dependencies: [
                "Storage", "Detection", "Events", "Identity", "Incidents", "Journal",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: testing
        ),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "Archive", "Console", "Detection", "Events", "Evidence", "Guard", "Identity", "Incidents", "Ingest",
                "Journal", "Notify", "Response", "Storage", "vigie",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: testing
        ),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "Archive", "CommandLine", "Detection", "Events", "Ingest", "Journal", "Server",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: testing),
        .testTarget(
            name: "TatouTests",
            dependencies: [
                "Tatou", "TatouCommands", "EmbeddedFiles", "Guard", "Identity", "Events", "OpenAPICheck", "Watermark",
                "tatou-openpgp", "tatou-server", "tatou-worker",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: testing),
        .testTarget(
            name: "WatermarkTests",
            dependencies: ["Watermark"],
            exclude: ["Fixtures"],
            swiftSettings: testing),
        .testTarget(
            name: "DocumentWorkerTests", dependencies: ["DocumentWorker", "Programs", "tatou-worker"], swiftSettings: testing),
        .testTarget(
            name: "RMAPTests", dependencies: ["RMAP", "DocumentWorker", "Programs", "tatou-openpgp"], swiftSettings: testing),
        .testTarget(
            name: "IdentityTests",
            dependencies: [
                "Identity", "Events",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ], swiftSettings: testing),
        .testTarget(
            name: "ConsoleTests",
            dependencies: [
                "Console", "EmbeddedFiles", "Events", "Incidents", "Identity", "OpenAPICheck",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: ["Fixtures"],
            swiftSettings: testing
        ),
        .testTarget(
            name: "GuardTests",
            dependencies: [
                "Guard", "Events",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: testing),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c2x
)
