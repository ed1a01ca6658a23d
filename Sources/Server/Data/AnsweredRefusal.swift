import Events
package import Journal

/// Why an order was not carried out, as the answer in an `OrderFolder` has it: who reads it need not know the codes of its kind.
package struct AnsweredRefusal: Equatable, Sendable {
    package var code: String
    package var reason: String
    package var advice: String

    init(code: String, reason: String, advice: String) {
        self.code = code
        self.reason = reason
        self.advice = advice
    }

    init(_ refusal: any OrderRefusing) {
        self.init(code: refusal.code.rawValue, reason: refusal.reason, advice: refusal.advice)
    }

    /// `nil` for the answer to an order that was carried out: none of those has both a code and a reason.
    package init?(_ answer: JSONValue) {
        guard let code = answer["code"]?.stringValue, let reason = answer["reason"]?.stringValue else { return nil }
        self.init(code: code, reason: reason, advice: answer["advice"]?.stringValue ?? "")
    }

    var document: JSONValue { ["code": .string(code), "reason": .string(reason), "advice": .string(advice)] }
}
