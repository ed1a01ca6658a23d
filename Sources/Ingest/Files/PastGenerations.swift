/// The last generation of each path under which no file is followed any more.
///
/// The next file there is numbered on: a finding is named after path, generation and offset, and what is found in that file would
/// otherwise be taken for recorded. Bounded: the paths that have been without a file for longest are forgotten.
struct PastGenerations {
    static let maximum = 10_000
    /// So many are forgotten at a time: to find the oldest, all are looked at.
    static let share = maximum / 10

    private var kept: [String: (generation: Int, order: Int)] = [:]
    private var notes = 0

    subscript(_ path: String) -> Int? { kept[path]?.generation }

    mutating func note(_ path: String, _ generation: Int) {
        notes += 1
        kept[path] = (generation, notes)
        guard kept.count > PastGenerations.maximum else { return }
        for oldest in inOrder.prefix(PastGenerations.share) { kept[oldest.path] = nil }
    }

    mutating func take(_ path: String) -> Int? { kept.removeValue(forKey: path)?.generation }

    /// Oldest first, so that noting them again after a restart keeps their order.
    var positions: [FilePosition] { inOrder.map { FilePosition(past: $0.path, generation: $0.generation) } }

    private var inOrder: [(path: String, generation: Int)] {
        kept.sorted { $0.value.order < $1.value.order }.map { ($0.key, $0.value.generation) }
    }
}
