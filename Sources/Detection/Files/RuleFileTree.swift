import Foundation
import Glibc

/// Finds the YAML files below a path, whatever somebody has put there: bounded in depth, number and size.
///
/// Names that begin with a full stop are passed over. Links are followed (a Kubernetes volume is made of them), each folder
/// once, so that a circle of links ends.
struct RuleFileTree {
    /// A file that may be read, and what tells whether it has changed.
    struct File: Sendable, Hashable {
        var path: String
        var device: UInt
        var inode: UInt
        var size: Int
        var modifiedSeconds: Int
        var modifiedNanoseconds: Int
    }

    static let maximumDepth = 16
    static let maximumFiles = 20_000

    private(set) var files: [File] = []
    private(set) var problems: [RuleProblem] = []
    private var visited: Set<[UInt]> = []
    private var isFull = false

    init(paths: [String]) {
        for path in paths {
            switch status(path) {
            case .success(let status) where RuleFileTree.isFolder(status): read(folder: path, status, depth: 0)
            case .success(let status): add(path, status)
            case .failure(let code) where code.value == ENOENT:
                refuse(path, "there is no such file or folder; name a folder of rules with --rules")
            case .failure(let code): refuse(path, RuleFileTree.explain(code))
            }
        }
    }

    /// The system's number for what went wrong.
    private struct Code: Error {
        var value: Int32
    }

    private func status(_ path: String) -> Result<stat, Code> {
        var result = stat()
        return unsafe stat(path, &result) == 0 ? .success(result) : .failure(Code(value: errno))
    }

    private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

    private static func explain(_ code: Code) -> String {
        switch code.value {
        case EACCES, EPERM: "it may not be read; let Vigie's user read it"
        case ELOOP: "its links lead in a circle; replace them by the file"
        case ENOENT: "it is a link to something that is not there; mend or remove it"
        default: "it cannot be read (error \(code.value) of the system)"
        }
    }

    private mutating func refuse(_ path: String, _ reason: String) {
        problems.append(RuleProblem(file: path, line: 0, reason: reason))
    }

    private mutating func read(folder: String, _ status: stat, depth: Int) {
        guard visited.insert([UInt(status.st_dev), UInt(status.st_ino)]).inserted else { return }
        guard depth < RuleFileTree.maximumDepth else {
            return refuse(folder, "folders nest more than \(RuleFileTree.maximumDepth) deep; put its rules higher up")
        }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }.sorted()
        } catch {
            return refuse(folder, "the folder may not be read; let Vigie's user read and enter it")
        }
        for name in names {
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            let isRule = name.hasSuffix(".yml") || name.hasSuffix(".yaml")
            switch self.status(path) {
            case .success(let status) where RuleFileTree.isFolder(status): read(folder: path, status, depth: depth + 1)
            case .success(let status): if isRule { add(path, status) }
            case .failure(let code): if isRule { refuse(path, RuleFileTree.explain(code)) }
            }
        }
    }

    private mutating func add(_ path: String, _ status: stat) {
        guard status.st_mode & S_IFMT == S_IFREG else {
            // A pipe or a device would be waited for without end.
            return refuse(path, "it is no ordinary file; rules are files")
        }
        guard files.count < RuleFileTree.maximumFiles else {
            if !isFull {
                refuse(path, "there are more than \(RuleFileTree.maximumFiles) files; it and those after it are not read")
            }
            isFull = true
            return
        }
        files.append(
            File(
                path: path, device: UInt(status.st_dev), inode: UInt(status.st_ino), size: Int(status.st_size),
                modifiedSeconds: status.st_mtim.tv_sec, modifiedNanoseconds: status.st_mtim.tv_nsec))
    }
}

/// What the files of the rules folders look like from outside: equal as long as nobody has touched them.
package struct RuleFilesFingerprint: Sendable, Hashable {
    private let files: [RuleFileTree.File]
    private let problems: [RuleProblem]

    /// Looks at names, sizes and times; reads no file.
    package init(paths: [String]) {
        let tree = RuleFileTree(paths: paths)
        files = tree.files
        problems = tree.problems
    }
}
