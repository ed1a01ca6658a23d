import Events

@testable import Incidents

/// Orders about silences; what a test does not name is harmless.
enum SilenceSample {
    static let ana = Author(id: "0a", name: "ana")
    static let rule = "60c6c988-5bc3-4ca9-a550-f59b3f9596fc"

    static func create(
        _ matcher: SilenceMatcher = SilenceMatcher(addresses: blocks("203.0.113.9")), kind: Silence.Kind = .silence,
        seconds: Int64 = 3_600, reason: String = "our own scanner", by author: Author = ana, isCommander: Bool = false,
        incident: String? = nil, request: String? = nil
    ) -> SilenceOrder {
        SilenceOrder(
            .create(SilenceDraft(kind: kind, matcher: matcher, duration: seconds, reason: reason, incident: incident)),
            by: author, isCommander: isCommander, request: request)
    }

    static func end(_ id: String, reason: String = "it is over", by author: Author = ana) -> SilenceOrder {
        SilenceOrder(.end(id: id, reason: reason), by: author, isCommander: false)
    }

    static func blocks(_ texts: String...) -> [AddressBlock] { texts.compactMap { AddressBlock($0) } }

    static func record(
        _ number: Int = 1, address: String? = "203.0.113.9", user: String? = nil, others: [String] = [],
        lines: [String?] = ["GET /dav/ HTTP/1.1"], severity: Severity = .medium, category: String = "brute_force"
    ) -> FindingRecord {
        var record = FindingRecord(
            Sample.finding(number, address: address, user: user, others: others), lines: lines, incident: nil, grouping: "")
        record.severity = severity
        record.category = category
        return record
    }
}

extension SilenceBook {
    /// Decides and applies, as a desk does.
    @discardableResult
    mutating func carryOut(_ order: SilenceOrder, now: Timestamp = Sample.start) throws(SilenceRefusal) -> SilenceEvent? {
        let event = try decide(order, now: now)
        if let event { apply(event) }
        return event
    }

    func refusal(of order: SilenceOrder, now: Timestamp = Sample.start) -> SilenceRefusal.Code? {
        do throws(SilenceRefusal) {
            _ = try decide(order, now: now)
            return nil
        } catch {
            return error.code
        }
    }
}
