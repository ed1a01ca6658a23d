import ArgumentParser
import Events
import Foundation
import Identity
import Tatou

struct DataOptions: ParsableArguments {
    @Option(help: "The data folder; `serve` makes it if it is missing.")
    var data = "tatou-data"

    /// The accounts of the folder, beside a server that may be running on it.
    func accounts() throws -> PlatformAccounts {
        let path = "\(data)/tatou.db"
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(description: "there is no \(path); name the data folder with --data")
        }
        return PlatformAccounts(
            database: try TatouDatabase(path: path), hasher: try PasswordHasher(), now: { .present })
    }

    func canary(path: String?, isStrict: Bool) -> CanaryOptions {
        CanaryOptions(path: path ?? "\(data)/canary/flag", digestPath: "\(data)/state/canary.sha256", isStrict: isStrict)
    }
}
