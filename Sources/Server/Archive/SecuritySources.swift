import Events
import Glibc
import Ingest
import Yams

/// What `archive.security_sources` may name: a source as it stands under `sources`, one of the files that a pattern stands for, or a receiver.
enum SecuritySources {
    /// What journald keeps on this machine, and what its upload brings from others.
    private static let journald = "journald"

    /// The paths that are meant: of sources as they are followed, and of single files.
    static func paths(_ options: ServerOptions, _ folder: DataFolder) -> Set<String> {
        var paths: Set<String> = []
        let receivers = Set(Receivers.names(options.receivers) + [journald])
        for name in options.archive.securitySources {
            paths.insert(SourceOption.followedPath(name))
            if receivers.contains(name) { paths.insert(folder.spool(name)) }
            if name == journald { paths.insert(SourceOption.followedPath(folder.journaldSpool)) }
        }
        return paths
    }

    /// Those that would mark no line.
    static func unknown(_ options: ServerOptions) -> [String] {
        options.archive.securitySources.filter { !isKnown($0, options.sources, options.receivers) }.sorted()
    }

    /// - Parameter sources: as they are written; spools need not be among them.
    static func isKnown(_ name: String, _ sources: [SourceOption], _ receivers: ReceiverOptions) -> Bool {
        let path = SourceOption.followedPath(name)
        let spools = Receivers.names(receivers).map { "/detection/receivers/\($0).jsonl" } + ["/detection/journald.jsonl"]
        if name == journald || Receivers.names(receivers).contains(name) { return true }
        if spools.contains(where: { path.hasSuffix($0) }) { return true }
        return sources.contains { source in
            let followed = SourceOption.followedPath(source.path)
            if followed == path { return true }
            // As `glob` takes them; the file need not be there yet.
            return PathPattern.isPattern(followed) && fnmatch(followed, path, FNM_PATHNAME | FNM_PERIOD) == 0
        }
    }
}

extension ConfigurationReader {
    /// A name that is no source would keep nothing for longer, and nobody would know.
    ///
    /// - Parameter archive: the value of `archive`.
    func checkSecuritySources(
        _ archive: Node, _ sources: [SourceOption], _ receivers: ReceiverOptions
    ) throws(ConfigurationError) {
        guard let mapping = archive.mapping else { return }
        for (key, value) in mapping where key.string == "security_sources" {
            var nodes = [value]
            if let sequence = value.sequence { nodes = Array(sequence) }
            for node in nodes {
                let name = try text(node)
                if SecuritySources.isKnown(name, sources, receivers) { continue }
                let known = sources.map(\.path) + Receivers.names(receivers)
                let nearest = NearestName.find(name, among: known).map { "; did you mean '\($0)'?" } ?? ""
                throw error(node, "'\(name)' is no source\(nearest) (known: \(known.joined(separator: ", ")))")
            }
        }
    }
}
