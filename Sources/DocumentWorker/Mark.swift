/// How a copy is to be marked.
package struct Mark: Codable, Sendable, Equatable {
    /// What ``DocumentWorker/trace(_:among:)`` finds: a version, marked under a secret of the platform.
    ///
    /// Beside the method's own mark, which lies under the key that the user gave and that nobody keeps.
    package struct Tracing: Codable, Sendable, Equatable {
        /// Names the copy in every later trace. Not a secret.
        package var version: String
        /// 32 bytes, the same for all copies of a document: whoever has them can forge marks. Kept by the platform.
        package var markingSecret: [UInt8]

        package init(version: String, markingSecret: [UInt8]) {
            self.version = version
            self.markingSecret = markingSecret
        }
    }

    /// One of ``DocumentWorker/methods()``.
    package var method: String
    /// 1 to 320 characters.
    package var secret: String
    /// 1 to 4,096 bytes.
    package var key: String
    /// Whom the copy is for: what a visible stamp prints, in place of the secret.
    package var intendedFor: String?
    package var position: String?
    /// Asks that words be moved under the platform's secret, too, where the document has enough of them.
    ///
    /// With the method `word-shift` it takes the place of the method's own key, and the user's secret is sealed in the copy, so that
    /// ``DocumentWorker/read(_:method:key:)`` gives it back as long as nobody rewrote the copy.
    package var tracing: Tracing?

    package init(
        method: String, secret: String, key: String, intendedFor: String? = nil, position: String? = nil, tracing: Tracing? = nil
    ) {
        self.method = method
        self.secret = secret
        self.key = key
        self.intendedFor = intendedFor
        self.position = position
        self.tracing = tracing
    }
}

/// A way to mark documents.
package struct MarkMethod: Codable, Sendable, Equatable {
    /// Stable: stored versions refer to it.
    package var name: String
    /// What it does, what it survives and what not, in a few sentences.
    package var usage: String

    package init(name: String, usage: String) {
        self.name = name
        self.usage = usage
    }
}

/// What came out of an embedding.
package struct MarkedCopy: Codable, Sendable, Equatable {
    /// In bytes.
    package var size: Int
    /// Of the copy, in hexadecimal.
    package var sha256: String
    /// Whether words were moved for ``Mark/tracing``: false where the document has too few.
    package var isTraceable: Bool

    package init(size: Int, sha256: String, isTraceable: Bool) {
        self.size = size
        self.sha256 = sha256
        self.isTraceable = isTraceable
    }
}
