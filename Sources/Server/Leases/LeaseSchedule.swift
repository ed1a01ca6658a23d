import Events

/// When each lease is to be looked at next. A binary heap, in which what was put off stays until it comes up and is thrown away:
/// a hundred thousand leases cost nothing while nothing is due.
struct LeaseSchedule: Sendable {
    private struct Place: Sendable {
        var time: Timestamp
        var id: String
    }

    private var heap: [Place] = []
    private var times: [String: Timestamp] = [:]

    mutating func set(_ id: String, _ time: Timestamp?) {
        guard times[id] != time else { return }
        times[id] = time
        guard let time else { return }
        heap.append(Place(time: time, id: id))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// What is due, earliest first; it is out of the schedule then.
    mutating func take(_ now: Timestamp, limit: Int) -> [String] {
        var due: [String] = []
        while due.count < limit, let first = heap.first, first.time <= now {
            removeFirst()
            guard times[first.id] == first.time else { continue }
            times[first.id] = nil
            due.append(first.id)
        }
        return due
    }

    var next: Timestamp? {
        mutating get {
            while let first = heap.first, times[first.id] != first.time { removeFirst() }
            return heap.first?.time
        }
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].time < heap[least].time {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
