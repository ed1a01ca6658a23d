// swift-tools-version: 6.2
import PackageDescription

// By Git URL where VIGIE_URL and VIGIE_REVISION are set, as an application of its own would; else the checkout that this stands in.
let vigie: Package.Dependency =
    if let url = Context.environment["VIGIE_URL"], let revision = Context.environment["VIGIE_REVISION"] {
        .package(url: url, revision: revision)
    } else {
        .package(name: "vigie", path: "../..")
    }

let package = Package(
    name: "guard-app",
    platforms: [.macOS(.v15)],
    dependencies: [
        vigie,
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ],
    targets: [
        .executableTarget(
            name: "guard-app",
            dependencies: [.product(name: "Guard", package: "vigie"), .product(name: "Hummingbird", package: "hummingbird")]
        ),
        // What script/bench-guard measures: the same routes, with and without Guard.
        .executableTarget(
            name: "guard-bench",
            dependencies: [.product(name: "Guard", package: "vigie"), .product(name: "Hummingbird", package: "hummingbird")]
        ),
    ]
)
