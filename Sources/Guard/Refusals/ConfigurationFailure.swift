/// A setting that Guard cannot work with; says which, and what to write instead.
public struct ConfigurationFailure: Error, CustomStringConvertible {
    /// The whole sentence.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
