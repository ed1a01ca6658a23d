import Mustache

/// What a template reads. A dictionary rather than a struct, because Mustache reads structs by reflection, which is slow for long lists.
struct PageModel: MustacheParent, ExpressibleByDictionaryLiteral {
    private var values: [String: Any]

    init(dictionaryLiteral elements: (String, Any)...) {
        values = Dictionary(elements) { _, last in last }
    }

    /// Setting `nil` leaves the name out, so that its section is not shown.
    subscript(name: String) -> Any? {
        get { values[name] }
        set { values[name] = newValue }
    }

    func child(named name: String) -> Any? { values[name] }

    func merging(_ other: PageModel) -> PageModel {
        var merged = self
        merged.values.merge(other.values) { _, last in last }
        return merged
    }
}
