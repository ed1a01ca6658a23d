// swift-tools-version: 6.2
import PackageDescription

// An experiment, not a part of the product: the engine's literal index against Hyperscan, on the same literals and values. A
// package of its own, since the product has no business with Hyperscan. `script/bench literals` runs it. The files beside
// `LiteralMatchers.swift` are links to the product's, so what is measured is what is shipped.

let package = Package(
    name: "literal-matchers",
    targets: [
        .systemLibrary(name: "CHyperscan", pkgConfig: "libhs", providers: [.apt(["libhyperscan-dev"])]),
        .executableTarget(
            name: "LiteralMatchers", dependencies: ["CHyperscan"],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"), .enableExperimentalFeature("Lifetimes"),
            ]),
    ],
    swiftLanguageModes: [.v6])
