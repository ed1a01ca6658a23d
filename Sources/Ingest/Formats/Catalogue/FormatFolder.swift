package import Events
import Foundation

/// The formats of the rules folders: every `formats/*.yml` in them.
package struct FormatFolder: Sendable {
    package private(set) var definitions: [FormatDefinition] = []
    package private(set) var problems: [FormatProblem] = []

    package init() {}

    /// - Parameter paths: rules folders, as `--rules` names them; other paths hold no formats.
    package init(paths: [String]) {
        for path in paths { read(path.hasSuffix("/") ? path + "formats" : path + "/formats") }
        definitions.sort { ($0.order, $0.name) < ($1.order, $1.name) }
    }

    /// One format from its text, for tests and for trying a format out.
    package init(text: String, path: String) {
        add(text, path)
    }

    private mutating func read(_ folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names.sorted() where name.hasSuffix(".yml") || name.hasSuffix(".yaml") {
            let path = folder + "/" + name
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                let reason = "it cannot be read as UTF-8 text; check its permissions and encoding"
                problems.append(FormatProblem(file: path, line: 0, reason: reason))
                continue
            }
            add(text, path)
        }
    }

    private mutating func add(_ text: String, _ path: String) {
        do throws(FormatProblem) {
            var definition = try FormatFile.parse(text, path: path)
            definition.text = text
            // Compiled here only to be refused here: with the file and the line, before any log is read.
            var table = FieldTable()
            _ = try FormatSet.compile(definition, &table)
            if let other = definitions.first(where: { $0.name == definition.name }) {
                throw FormatProblem(file: path, line: 0, reason: "the name \(definition.name) is taken by \(other.file)")
            }
            definitions.append(definition)
        } catch {
            problems.append(error)
        }
    }

    /// Makes the log sources of the formats known; before rules are compiled, which are held against them.
    package func intern(into logSources: inout LogSourceTable) {
        for definition in definitions {
            for source in definition.logSources { _ = logSources.intern(source) }
        }
    }
}

extension FormatDefinition {
    var logSources: [LogSource] {
        [logSource] + patterns.compactMap(\.logSource) + cases.compactMap(\.logSource)
    }
}
