package import Events
import Foundation
import Journal
package import Response

/// Playbooks as they stand in files: JSON, or YAML that is converted to it.
package struct PlaybookFile: Sendable {
    package var path: String
    package var origin: RunAdmission.Origin
    /// `nil` where there is an error.
    package var playbook: Playbook?
    package var problems: [PlaybookProblem]

    package var hasErrors: Bool { problems.contains { $0.severity == .error } }

    /// The document of a file.
    ///
    /// - Throws: `ServerError` where the file cannot be read at all.
    package static func read(_ path: String, from origin: RunAdmission.Origin = .own) throws(ServerError) -> PlaybookFile {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
            throw ServerError(.playbooks, "there is no file \(path)", "name playbooks in JSON or YAML")
        }
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: PlaybookDecoder.limits.bytes + 1)
        else { throw ServerError(.playbooks, "\(path) cannot be read", "let Vigie's user read it") }
        let bytes = Array(data)
        let reading: PlaybookDecoder.Reading
        if isYAML(path) {
            do {
                reading = PlaybookDecoder.read(try PlaybookYAML.convert(bytes))
            } catch {
                let problem = PlaybookProblem(.error, .json, at: "", error.description)
                return PlaybookFile(path: path, origin: origin, playbook: nil, problems: [problem])
            }
        } else {
            reading = PlaybookDecoder.read(bytes)
        }
        return PlaybookFile(path: path, origin: origin, playbook: reading.playbook, problems: reading.problems)
    }

    static func isYAML(_ path: String) -> Bool { path.hasSuffix(".yml") || path.hasSuffix(".yaml") }
}

/// Folders of playbooks, read together: what one of them calls is looked for in all.
package struct PlaybookFolder: Sendable {
    package private(set) var files: [PlaybookFile] = []

    /// - Parameters:
    ///   - own: folders of playbooks that come with Vigie or were written here; one that is not there has none.
    ///   - outside: folders of playbooks that others wrote.
    package init(own: [String], outside: [String] = [], now: Timestamp) throws(ServerError) {
        for (folders, origin) in [(own, RunAdmission.Origin.own), (outside, .outside)] {
            for folder in folders {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                for name in names.sorted() where name.hasSuffix(".json") || PlaybookFile.isYAML(name) {
                    files.append(try PlaybookFile.read("\(folder)/\(name)", from: origin))
                }
            }
        }
        let library = library
        for index in files.indices {
            guard let playbook = files[index].playbook else { continue }
            files[index].problems += PlaybookLinter.lint(playbook, now: now, library: library)
        }
    }

    /// Every playbook that could be read; whether one may run is ``RunAdmission``'s.
    package var library: PlaybookLibrary { PlaybookLibrary(files.compactMap(\.playbook)) }

    /// By file name without extension, by name, or by identifier.
    package func find(_ text: String) -> PlaybookFile? {
        files.first { file in
            guard let playbook = file.playbook else { return false }
            let name = URL(fileURLWithPath: file.path).deletingPathExtension().lastPathComponent
            return text == name || text == playbook.id.text || text.lowercased() == playbook.name.lowercased()
                || text == playbook.contentHash
        }
    }

    /// What the journal says is in force.
    var record: JSONValue {
        .array(
            files.compactMap { file in
                file.playbook.map {
                    [
                        "id": .string($0.id.text), "version": .string($0.version), "hash": .string($0.contentHash),
                        "outside": .bool(file.origin == .outside), "refused": .bool(file.hasErrors),
                    ]
                }
            })
    }
}
