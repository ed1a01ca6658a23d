import Archive
import Detection
import Events

extension Hunt {
    /// What about the question may be why nothing was found, in words for whoever asked it.
    ///
    /// - Parameter progress: of the whole hunt.
    package func doubts(about progress: HuntProgress) -> [String] {
        var doubts: [String] = []
        for source in (query.sources ?? []).subtracting(progress.sources).sorted() {
            doubts.append(
                "no line of the source '\(source)' is of this time; sources are named as results name their file: "
                    + "by the whole path, or the receiver's name")
        }
        // Of lines that were not read nothing is known.
        guard progress.lines > 0 else { return doubts }
        let unseen = namedFields.filter { !progress.fields.contains($0) }.map { ruleSet.fields[$0] }
        let others = ruleSet.fields.names.filter { !unseen.contains($0) }
        for field in unseen {
            let nearest = NearestName.find(field, among: others).map { "did you mean '\($0)'?" }
            doubts.append(
                "none of the \(progress.lines) lines that were read has the field '\(field)'; "
                    + (nearest ?? "`vigie rules explain` shows what fields a line has"))
        }
        return doubts
    }
}
