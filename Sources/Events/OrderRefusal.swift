/// Why an order is not carried out. Nothing of it was done.
///
/// Each kind of order has codes of its own: `typealias LeaseRefusal = OrderRefusal<LeaseRefusalCode>`.
package struct OrderRefusal<Code: RefusalCode>: OrderRefusing, Hashable {
    package var code: Code
    package var reason: String
    package var advice: String

    package init(_ code: Code, _ reason: String, _ advice: String) {
        self.code = code
        self.reason = reason
        self.advice = advice
    }
}

/// What whoever serves orders needs to know of a refusal, whatever the order is about.
package protocol OrderRefusing: Error, CustomStringConvertible {
    associatedtype Code: RefusalCode

    var code: Code { get }
    /// What speaks against the order: the middle of a sentence, without a capital letter and a full stop.
    var reason: String { get }
    /// What to do about it, likewise.
    var advice: String { get }
    /// Seconds after which the same order may be taken; `nil` where waiting alone is no help.
    var retryAfter: Int64? { get }
}

extension OrderRefusing {
    package var retryAfter: Int64? { nil }

    package var description: String { "\(reason); \(advice)" }
}

/// Its raw value is stable: programs are told it.
package protocol RefusalCode: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
    /// What kind of answer a protocol that has kinds of its own gives, such as HTTP.
    var kind: RefusalKind { get }
}

/// What a refusal comes down to.
package enum RefusalKind: Sendable, Hashable, CaseIterable {
    /// There is nothing of that name, as far as whoever asked may know.
    case unknown
    /// The order makes sense, but not as things stand.
    case conflict
    /// It would have to be another order.
    case invalid
    /// It is not theirs to give.
    case forbidden
    /// Too many of them came.
    case limited
    /// Vigie could not, for a reason that has nothing to do with the order.
    case unavailable
}
