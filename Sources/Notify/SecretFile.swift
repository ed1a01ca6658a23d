import Foundation

/// A secret that stands alone in a file; read anew each time, so that it can be changed without a restart.
struct SecretFile: Sendable {
    var path: String

    func read() throws(DeliveryFailure) -> String {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 4096,
            let text = String(data: data, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines), !text.isEmpty
        else { throw DeliveryFailure("\(path) cannot be read, or holds no secret") }
        return text
    }
}

/// An address, given openly or in a file.
struct Endpoint: Sendable {
    var address: String?
    var file: SecretFile?

    init(_ options: [String: String]) {
        address = options["url"]
        file = options["url_file"].map(SecretFile.init)
    }

    func resolve() throws(DeliveryFailure) -> String {
        let text = try file?.read() ?? address ?? ""
        guard text.hasPrefix("https://") || text.hasPrefix("http://") else {
            throw DeliveryFailure("the address does not begin with https://", isPermanent: true)
        }
        return text
    }
}
