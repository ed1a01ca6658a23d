import Foundation
import Incidents

/// The policies of this repository.
enum ShippedPolicies {
    static var folder: URL {
        URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "policies")
    }

    static func files() throws -> [String: String] {
        var files: [String: String] = [:]
        for name in Policies.fileNames { files[name] = try String(contentsOf: folder.appending(path: name), encoding: .utf8) }
        return files
    }

    /// - Parameter replacing: other texts for some of the files.
    static func load(replacing: [String: String] = [:]) throws -> Policies {
        try Policies(files: try files().merging(replacing) { $1 }, folder: "policies")
    }
}
