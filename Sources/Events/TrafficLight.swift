/// Who may be told (FIRST Traffic Light Protocol 2.0), from everybody to nobody else.
package enum TrafficLight: String, CaseIterable, Comparable, Sendable {
    case clear = "TLP:CLEAR"
    case green = "TLP:GREEN"
    case amber = "TLP:AMBER"
    case amberStrict = "TLP:AMBER+STRICT"
    case red = "TLP:RED"

    /// Also without the prefix and in small letters.
    package init?(_ text: String) {
        let name = text.uppercased()
        guard let found = TrafficLight(rawValue: name.hasPrefix("TLP:") ? name : "TLP:\(name)") else { return nil }
        self = found
    }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }

    package static func < (left: TrafficLight, right: TrafficLight) -> Bool { left.rank < right.rank }
}
