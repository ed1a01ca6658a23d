/// What a document does, or carries, beyond showing its pages, as its owner and the log are told.
package enum ContentFinding: String, Sendable, CaseIterable {
    case launch
    case script
    case automatic = "automatic_action"
    case localLink = "local_link"
    case submission = "form_submission"
    case formProgram = "form_program"
    case media = "rich_media"
    case attachment

    /// What that means, for whoever uploads it.
    package var message: String {
        switch self {
        case .launch: "It starts a program on the computer of whoever opens it."
        case .script: "It contains scripts (JavaScript), which some viewers run."
        case .automatic: "It does something by itself when it is opened, shown, saved, printed or closed."
        case .localLink: "It leads to files of the reader's computer or network, or into a script, where a web address should be."
        case .submission: "It has a form that sends what is filled in to somebody, or takes data in."
        case .formProgram: "It has a form of the kind XFA, which is a program of its own."
        case .media: "It plays film, sound or 3D, for which viewers need further programs."
        case .attachment: "Other files are attached to it. Marks are in the pages only: attached files are passed on unmarked."
        }
    }

    /// Where events say which there are.
    static let label = "labels.active_content"

    static func list(_ content: [ContentFinding]) -> String { content.map(\.rawValue).joined(separator: " ") }
}
