public import HTTPTypes

/// Headers that tell browsers to be careful; added to every answer that does not set them itself.
public struct SecurityHeaders: Sendable {
    /// Name and value, in the order in which they are sent.
    public var fields: [HTTPField]

    /// Headers of your own choice.
    public init(_ fields: [HTTPField]) {
        self.fields = fields
    }

    /// No headers.
    public static let none = SecurityHeaders([])

    /// For an API that serves no pages: nothing in an answer is executed, framed or guessed at; nothing is cached that does not say so.
    public static let api = SecurityHeaders([
        HTTPField(name: .xContentTypeOptions, value: "nosniff"),
        HTTPField(name: .known("x-frame-options"), value: "DENY"),
        HTTPField(name: .contentSecurityPolicy, value: "default-src 'none'; frame-ancestors 'none'"),
        HTTPField(name: .known("referrer-policy"), value: "no-referrer"),
        HTTPField(name: .cacheControl, value: "no-store"),
    ])

    /// For pages with scripts and styles of their own in files, nothing inline, nothing from elsewhere.
    public static let pages = SecurityHeaders([
        HTTPField(name: .xContentTypeOptions, value: "nosniff"),
        HTTPField(name: .known("x-frame-options"), value: "DENY"),
        HTTPField(
            name: .contentSecurityPolicy,
            value: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
                + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"),
        HTTPField(name: .known("referrer-policy"), value: "same-origin"),
        HTTPField(name: .known("cross-origin-opener-policy"), value: "same-origin"),
        HTTPField(name: .known("cross-origin-resource-policy"), value: "same-origin"),
        HTTPField(name: .known("permissions-policy"), value: "camera=(), geolocation=(), microphone=()"),
        HTTPField(name: .cacheControl, value: "no-store"),
    ])

    /// These, and `Strict-Transport-Security` for a year: only where every browser comes by TLS.
    public var withTransportSecurity: SecurityHeaders {
        SecurityHeaders(fields + [HTTPField(name: .strictTransportSecurity, value: "max-age=31536000; includeSubDomains")])
    }

    /// Adds those that an answer does not set itself, and one more that it must not set.
    ///
    /// At once: a field that is appended by itself goes through the collection's general insertion, which costs as much as all of them.
    func add(to headers: inout HTTPFields, and own: HTTPField) {
        if headers.contains(own.name) { headers[own.name] = nil }
        var added: [HTTPField] = []
        added.reserveCapacity(fields.count + 1)
        for field in fields where !headers.contains(field.name) { added.append(field) }
        added.append(own)
        headers.reserveCapacity(headers.count + added.count)
        headers.replaceSubrange(headers.endIndex..<headers.endIndex, with: added)
    }
}
