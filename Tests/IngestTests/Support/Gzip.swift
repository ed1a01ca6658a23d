import Foundation
import Testing

/// Compresses as logrotate does: with gzip(1), which keeps the time of the file.
func gzip(_ path: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-f", path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "gzip \(path)")
}
