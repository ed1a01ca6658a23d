/// What events of one kind of log call their fields, and which log source each of them belongs to: the part of the
/// pipelines (`rules/pipelines/*.yml`) that concerns events rather than rules.
package struct EventTaxonomy: Sendable, Hashable {
    /// One way of telling a log source: every condition has to hold.
    package struct Origin: Sendable, Hashable {
        package var conditions: [Condition]
        package var source: LogSourceID

        package init(conditions: [Condition], source: LogSourceID) {
            self.conditions = conditions
            self.source = source
        }
    }

    /// A field of the event has one of these values, whatever the case of its letters.
    package struct Condition: Sendable, Hashable {
        package var field: FieldID
        package var values: [String]

        package init(field: FieldID, values: [String]) {
            self.field = field
            self.values = values
        }
    }

    /// A value that is a list of assignments: `SHA1=…,IMPHASH=…`.
    package struct Assignments: Sendable, Hashable {
        package var list: FieldID
        /// What stands before the `=`, and the field that what stands behind it goes to.
        package var fields: [String: FieldID]

        package init(list: FieldID, fields: [String: FieldID]) {
            self.list = list
            self.fields = fields
        }
    }

    /// What an event calls a field that is not called so here.
    package var names: [String: FieldID] = [:]
    /// Fields whose values also are those of another field: an event's `IpAddress` is its `source.ip`.
    package var copies: [FieldID: FieldID] = [:]
    package var assignments: [Assignments] = []
    /// The first one whose conditions hold decides.
    package var origins: [Origin] = []
    /// The log source of an event that none of them fits.
    package var otherwise = LogSourceID.unknown

    package init() {}
}
