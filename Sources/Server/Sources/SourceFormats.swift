import Detection
import Events
package import Ingest

/// The log formats of the rules folders, for those that ask about sources without running rules.
package enum SourceFormats {
    /// Without the fields of any rule: what lines are told apart by, and nothing that costs a parse of every rule.
    package static func load(_ rules: [String]) -> FormatSet {
        let folder = FormatFolder(paths: rules)
        var logSources = LogSourceTable()
        folder.intern(into: &logSources)
        return FormatSet(folder, fields: FieldTable(), logSources: logSources)
    }

    /// Refuses the first source whose format nobody knows, with the nearest name.
    package static func check(_ sources: [SourceOption], _ formats: FormatSet) throws(ServerError) {
        for source in sources where !source.format.isKnown(in: formats) {
            let names = LogFormat.allCases.map(\.rawValue) + formats.names
            let nearest = NearestName.find(source.format.rawValue, among: names).map { "; did you mean '\($0)'?" } ?? ""
            throw ServerError(
                .rules, "the source \(source.path) has the format '\(source.format.rawValue)', which is not known\(nearest)",
                "name one of \(names.joined(separator: ", ")), or auto")
        }
    }
}
