// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Fuzzers of everything that reads untrusted bytes: `script/soak fuzz`. A package of its own, since instrumented code is slow and
// libFuzzer's flags are unsafe flags, which the product's package has no business to carry. The targets below `Sources` are links
// to the product's, so what is fuzzed is what is shipped.

/// Coverage feedback for the fuzzer, and AddressSanitizer for what is `unsafe`.
let instrumented: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"])]
/// As in the product's manifest.
let language: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"), .enableExperimentalFeature("Lifetimes"),
]

func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + ["Fuzzing"], swiftSettings: language + instrumented,
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
}

let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(name: "CLibFuzzer"),
        .target(name: "Fuzzing", dependencies: ["CLibFuzzer"]),
        .target(name: "Events", swiftSettings: language + instrumented),
        .target(
            name: "Ingest", dependencies: ["Events", "CZlib", .product(name: "Yams", package: "Yams")],
            swiftSettings: language + instrumented),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "Detection",
            dependencies: [
                "Events", .product(name: "Crypto", package: "swift-crypto"), .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: language + instrumented),
        .target(
            name: "Journal", dependencies: ["Events", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: language + instrumented),
        .target(
            name: "Archive", dependencies: ["Events", "Ingest", "CZstd"], swiftSettings: language + instrumented),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd"),
        .systemLibrary(name: "CSandbox"),
        .target(name: "Programs", dependencies: ["CSandbox"], swiftSettings: language + instrumented),
        .target(
            name: "Watermark",
            dependencies: [
                "CQPDF", "CTurboJPEG", "CPNG", "CZlib", "Programs", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: language + instrumented),
        // Its readers of tokens are nobody else's business; the fuzzer sees inside.
        .target(
            name: "Identity",
            dependencies: [
                "Events", "CArgon2", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: language + instrumented + [.unsafeFlags(["-enable-testing"])]),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2"),
        .systemLibrary(name: "CQPDF", pkgConfig: "libqpdf"),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg"),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng16"),
        // Segments of the archive.
        fuzzer("FuzzArchive", ["Archive", "Events", "Ingest"]),
        // Lines of every format, whole and cut into reads.
        fuzzer("FuzzEvents", ["Events", "Ingest"]),
        // Rule files, and what they then do with an event.
        fuzzer("FuzzRules", ["Events", "Ingest", "Detection"]),
        // Log formats of rules folders, and lines read with them.
        fuzzer("FuzzFormats", ["Events", "Ingest"]),
        // What senders send over a network, whole and cut into reads.
        fuzzer("FuzzReceivers", ["Events", "Ingest"]),
        // The rule cache and the windows of the detection snapshot.
        fuzzer("FuzzStates", ["Events", "Ingest", "Detection"]),
        // JSON, signed notes, proofs, keys, time stamps.
        fuzzer("FuzzJournal", ["Journal"]),
        // Documents to be marked, and leaks.
        fuzzer("FuzzDocuments", ["Watermark"]),
        // Tokens, keys and metadata of an OpenID Connect provider.
        fuzzer("FuzzTokens", ["Events", "Identity", .product(name: "Crypto", package: "swift-crypto")]),
        // Regular expressions and what they are run on.
        fuzzer("FuzzExpressions", ["Events", "Detection"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c2x
)
