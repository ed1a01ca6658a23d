/// Files of a pattern that have the name of a log and a number in front of the ending: `web-1.log` beside `web.log`.
///
/// Some are logs of further processes, some are what rotation left, to be read as their log's. Rotation is done with a file, so one that
/// grows is a log.
struct NumberedFiles {
    private var sizes: [String: (identity: FileIdentity, size: Int64)] = [:]

    /// Whether the file is longer than it was at the last look, under the same name.
    mutating func hasGrown(_ path: String, _ state: FileState) -> Bool {
        let before = sizes.updateValue((state.identity, state.size), forKey: path)
        return before.map { $0.identity == state.identity && $0.size < state.size } ?? false
    }

    /// Forgets the others.
    mutating func keep(_ names: Set<String>) {
        if !sizes.isEmpty { sizes = sizes.filter { names.contains($0.key) } }
    }
}
