import Foundation
package import Incidents

/// Reads the policy files of a folder.
package enum PolicyFolder {
    /// More than any policy needs.
    private static let maximumBytes = 1 << 20

    /// Looked for where nobody names a folder.
    package static let standard = "policies"

    /// - Parameter named: what somebody named; `nil` takes the standard folder, and no policies where that is not there.
    /// - Throws: `PolicyError` for a folder that was named and is not there, and for a file that is wrong; then none of them is taken.
    package static func load(_ named: String?) throws(PolicyError) -> Policies {
        let folder = named ?? standard
        if named != nil {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue else {
                throw PolicyError(
                    file: folder, line: 0,
                    reason: "there is no such folder; name the one with escalation.yml, clocks.yml and the others")
            }
        }
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
