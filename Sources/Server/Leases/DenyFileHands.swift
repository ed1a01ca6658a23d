import Foundation
import Response

/// The files and programs behind a deny file.
enum DenyFileHands {
    static func make(_ options: ResponseOptions.DenyFile) -> DenyFileEnforcer.Hands {
        let file = options.file
        var hands = DenyFileEnforcer.Hands(
            read: {
                guard FileManager.default.fileExists(atPath: file) else { return "" }
                return try String(contentsOfFile: file, encoding: .utf8)
            },
            write: { try DenyFileHands.write($0, to: file) }, check: { _ = try await Program(words: options.check).run() },
            reload: { _ = try await Program(words: options.reload).run() })
        if let pidFile = options.pidFile {
            hands.loaded = {
                try DenyFileHands.checkLoaded(file, pidFile: pidFile)
                return try String(contentsOfFile: file, encoding: .utf8)
            }
        }
        if let admin = options.admin {
            hands.loaded = {
                let answer = try await HTTPCall(base: admin, path: "/config/").send()
                guard answer.status == 200 else {
                    throw Program.Failure(description: "caddy's admin API answers with \(answer.status)")
                }
                return CaddyRoutes.aborted(try answer.json()).sorted().joined(separator: "\n")
            }
        }
        return hands
    }

    /// Beside it, forced to the disk, and renamed: the server never sees half a file, and none is left by a crash.
    private static func write(_ text: String, to file: String) throws {
        let new = file + ".vigie-new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Program.Failure(description: "\(file) cannot be written: \(String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(text.utf8))
        guard fsync(descriptor) == 0, rename(new, file) == 0 else {
            throw Program.Failure(description: "\(file) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    /// nginx cannot be asked what it has loaded. It starts new workers when it loads: a worker that takes connections and is younger
    /// than the file has read it.
    ///
    /// - Throws: where nginx does not run, or has not loaded the file since it was written.
    private static func checkLoaded(_ file: String, pidFile: String) throws {
        guard let text = try? String(contentsOfFile: pidFile, encoding: .utf8),
            let master = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)),
            let children = try? String(contentsOfFile: "/proc/\(master)/task/\(master)/children", encoding: .utf8)
        else { throw Program.Failure(description: "nginx does not run, by \(pidFile)") }
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        guard let written = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 else { return }
        let uptime = Double(try String(contentsOfFile: "/proc/uptime", encoding: .utf8).prefix { $0 != " " }) ?? 0
        let boot = Date().timeIntervalSince1970 - uptime
        let starts = children.split(separator: " ").compactMap { child -> Double? in
            // proc(5), stat: the 22nd field, counted after the name in brackets, in hundredths of a second since boot.
            guard let stat = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8),
                let end = stat.lastIndex(of: ")")
            else { return nil }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            return fields.count > 19 ? Double(fields[19]).map { boot + $0 / 100 } : nil
        }
        // Both clocks count hundredths: a worker is that much younger or older than it seems.
        guard starts.contains(where: { $0 + 0.02 >= written }) else {
            throw Program.Failure(description: "nginx has not loaded \(file) since it was written")
        }
    }
}
