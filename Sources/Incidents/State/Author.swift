/// Who did something: a person, or Vigie itself.
package struct Author: Sendable, Hashable {
    /// `system`, an account's id, `mail`, `link`, or `uid:1000` for a command; stays readable for ever, so it is never a name.
    package var id: String
    /// The account's name; `nil` for Vigie itself, or once the person's key was erased.
    package var name: String?

    package init(id: String, name: String?) {
        self.id = id
        self.name = name
    }

    package static let system = Author(id: "system", name: nil)

    /// Whoever wrote a mail, by the address that it names: nobody has checked it.
    package static func mail(from address: String?) -> Author { Author(id: "mail", name: address) }

    /// Whoever used a link, by whom it was sent to: who held it is not known.
    package static func link(to name: String) -> Author { Author(id: "link", name: name) }

    package var isMail: Bool { id == "mail" }

    /// Somebody who signed in. Vigie itself and commands on its machine may know of everything.
    package var isAccount: Bool { id != "system" && id != "link" && !isMail && !id.hasPrefix("uid:") }

    /// As it is shown.
    package var label: String { name ?? (id == "system" ? "vigie" : id) }
}
