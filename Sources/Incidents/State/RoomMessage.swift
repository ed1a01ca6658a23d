package import Events

/// What somebody wrote in an incident's war room.
package struct RoomMessage: Sendable, Equatable {
    /// From 1, within the incident.
    package var number: Int
    package var at: Timestamp
    package var author: Author
    /// `nil` once its author's key was erased.
    package var text: String?
    /// It was told as a status update.
    package var isUpdate: Bool

    /// Messages that an incident's state holds; the timeline has them all.
    package static let maximumKept = 200
}
