import Foundation
package import Incidents

/// Reads the policy files of a folder.
package enum PolicyFolder {
    /// More than any policy needs.
    private static let maximumBytes = 1 << 20

    /// - Returns: no policies where there is no such folder.
    /// - Throws: `PolicyError` for a file that is wrong; then none of them is taken.
    package static func load(_ folder: String) throws -> Policies {
        var files: [String: String] = [:]
        for name in Policies.fileNames {
            let path = "\(folder)/\(name)"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            guard let data = FileManager.default.contents(atPath: path), data.count <= maximumBytes,
                let text = String(data: data, encoding: .utf8)
            else { throw PolicyError(file: path, line: 0, reason: "it cannot be read, is no UTF-8, or is larger than 1 MiB") }
            files[name] = text
        }
        return try Policies(files: files, folder: folder)
    }
}
