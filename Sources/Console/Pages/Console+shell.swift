import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity

extension Console {
    /// What the layout shows around every page.
    ///
    /// - Parameter section: which entry of the navigation is the current one.
    func shell(for request: Request, context: ConsoleContext, title: String, section: String = "") -> PageModel {
        var shell: PageModel = [
            "title": title,
            "stylesheet": assets.path(of: "console.css"),
            "script": assets.path(of: "console.js"),
            "icon": assets.path(of: "favicon.svg"),
            "sequence": dependencies.updates.sequence,
            "section": section,
            "navigation": Self.sections.filter { section in context.signedIn.map { $0.role >= section.role } ?? false }.map {
                navigation($0.label, $0.path, isCurrent: "/" + section == $0.path)
            },
        ]
        shell["theme"] = cookies.theme(in: request)
        if let signedIn = context.signedIn {
            let person: PageModel = [
                "name": signedIn.accountName, "role": signedIn.role.rawValue,
                "csrf": signedIn.token?.proof(of: ForgeryProtection.purpose) ?? "",
            ]
            // No page may use this name: what a page leaves out, Mustache looks for here.
            shell["visitor"] = person
        }
        return shell
    }

    /// The navigation, and who is shown each part of it.
    private static let sections: [(label: String, path: String, role: Role)] = [
        ("Incidents", "/incidents", .viewer), ("On call", "/on-call", .viewer), ("Metrics", "/metrics", .viewer),
        ("Runs", "/runs", .viewer), ("Leases", "/leases", .viewer), ("Silences", "/silences", .viewer),
        ("Sources", "/sources", .viewer), ("Rules", "/rules", .viewer),
        ("Hunts", "/hunts", .responder), ("Journal", "/journal", .viewer), ("Accounts", "/accounts", .admin),
    ]

    private func navigation(_ label: String, _ path: String, isCurrent: Bool) -> PageModel {
        ["label": label, "path": path, "isCurrent": isCurrent]
    }

    /// The page, or only its inside when an open page asks to refresh itself.
    func answer(
        _ template: String, _ model: PageModel, title: String, section: String, sequence: Int, request: Request,
        context: ConsoleContext
    ) -> Response {
        if request.headers[named: "vigie-partial"] != nil {
            var response = HTTPAnswer.html(pages.partial(template, model: model))
            response.headers[named: "vigie-sequence"] = "\(sequence)"
            return response
        }
        var shell = shell(for: request, context: context, title: title, section: section)
        shell["sequence"] = sequence
        return HTTPAnswer.html(pages.page(template, model: model, shell: shell))
    }
}
