import Events

/// Alerts of other systems as events: Prometheus Alertmanager's webhook (version 4) and PagerDuty's Events API v2.
///
/// `event.kind` is `alert`, `event.module` says whose, `event.action` is `firing`, `acknowledged` or `resolved`, `rule.name` the alert's
/// name, `log.level` its severity, `host.name` what it is about, `event.id` what the sender knows it by.
package enum AlertEvents {
    /// Decodes one notification (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>).
    ///
    /// An alert that has been told of with this fingerprint, start and status is not told of again.
    package static func decode(
        alertmanager bytes: Span<UInt8>, states: inout AlertStates, into lines: inout ReceivedLines
    ) throws(ReceiverRefusal) {
        let document = try JSONCursor.check(bytes, 0..<bytes.count)
        guard bytes.isObject(document) else { throw .malformed("a notification is a JSON object with 'alerts'") }
        var alerts: Range<Int>?
        var truncated: UInt64 = 0
        var members = JSONCursor(document)
        while let member = try members.member(bytes) {
            if bytes.equals("version", member.key), let version = bytes.jsonText(member.value), !bytes.equals("4", version) {
                throw ReceiverRefusal(
                    .unsupported, "version \(bytes.string(version)) of Alertmanager's webhook is not known; 4 is")
            }
            if bytes.equals("alerts", member.key), bytes.isArray(member.value) { alerts = member.value }
            if bytes.equals("truncatedAlerts", member.key) { truncated = bytes.jsonNumber(member.value) ?? 0 }
        }
        guard let alerts else { throw .malformed("a notification is a JSON object with 'alerts'") }
        if truncated > 0 { lines.reject("\(truncated) alerts were left out by Alertmanager (max_alerts)") }
        var cursor = JSONCursor(alerts)
        while let alert = try cursor.element(bytes) {
            guard bytes.isObject(alert) else { throw .malformed("an alert is a JSON object") }
            try decodeAlert(bytes, alert, &states, &lines)
        }
    }

    private static func decodeAlert(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ states: inout AlertStates, _ lines: inout ReceivedLines
    ) throws(ReceiverRefusal) {
        var record = ReceivedRecord()
        var status = "firing"
        var fingerprint = ""
        var started = ""
        var ended: Timestamp?
        var summary: Range<Int>?
        var description: Range<Int>?
        var name: Range<Int>?
        var members = JSONCursor(range)
        while let member = try members.member(bytes) {
            let text = bytes.jsonText(member.value)
            switch (bytes.string(member.key), text) {
            case ("status", let text?): status = bytes.string(text)
            case ("fingerprint", let text?): fingerprint = bytes.string(text)
            case ("startsAt", let text?):
                started = bytes.string(text)
                record.time = record.time ?? Timestamp(iso8601: bytes.extracting(text), assumedOffsetSeconds: 0)
            case ("endsAt", let text?): ended = Timestamp(iso8601: bytes.extracting(text), assumedOffsetSeconds: 0)
            case ("generatorURL", let text?): record.add("event.url", escaped: bytes, text)
            case ("labels", nil) where bytes.isObject(member.value):
                try addLabels(bytes, member.value, &record) { key, value in if bytes.equals("alertname", key) { name = value } }
            case ("annotations", nil) where bytes.isObject(member.value):
                var annotations = JSONCursor(member.value)
                while let annotation = try annotations.member(bytes) {
                    if bytes.equals("summary", annotation.key) { summary = bytes.jsonText(annotation.value) }
                    if bytes.equals("description", annotation.key) { description = bytes.jsonText(annotation.value) }
                }
            default: continue
            }
        }
        guard status == "firing" || status == "resolved" else { return lines.reject("an alert with the status '\(status)'") }
        guard max(fingerprint.utf8.count, started.utf8.count) <= AlertStates.maximumPartBytes else {
            return lines.reject("an alert whose fingerprint or start has more than \(AlertStates.maximumPartBytes) bytes")
        }
        if status == "resolved", let ended { record.time = ended }
        let key = "alertmanager|\(fingerprint)|\(started)|\(status)"
        guard fingerprint.isEmpty || states.isNew(key, state: "") else { return lines.skipRepeated() }
        if let name { record.add("rule.name", escaped: bytes, name) }
        if let text = summary ?? description ?? name { record.setMessage(escaped: bytes, text) }
        record.add("event.kind", "alert")
        record.add("event.module", "alertmanager")
        record.add("event.action", status)
        record.add("event.id", fingerprint)
        record.add(AlertStates.keyField, key)
        try lines.append(fields: record)
    }

    private static func addLabels(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout ReceivedRecord,
        _ visit: (_ key: Range<Int>, _ value: Range<Int>) -> Void
    ) throws(ReceiverRefusal) {
        var labels = JSONCursor(range)
        while let label = try labels.member(bytes) {
            guard let text = bytes.jsonText(label.value) else { continue }
            visit(label.key, text)
            let name = bytes.string(label.key)
            switch name {
            case "severity": record.add("log.level", escaped: bytes, text)
            case "instance": record.add("host.name", escaped: bytes, text)
            default: record.add("labels.\(name)", escaped: bytes, text)
            }
        }
    }

    /// What the sender of a PagerDuty event is told.
    package struct Answer: Sendable, Equatable {
        package var routingKey: String
        package var deduplicationKey: String

        package init(routingKey: String, deduplicationKey: String) {
            self.routingKey = routingKey
            self.deduplicationKey = deduplicationKey
        }
    }

    /// Decodes one event (<https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>).
    ///
    /// An event is told of when it changes the state of its key; the same again is not.
    ///
    /// - Parameter newKey: the key of an event that opens something and names none.
    package static func decode(
        pagerDuty bytes: Span<UInt8>, newKey: String, states: inout AlertStates, into lines: inout ReceivedLines
    ) throws(ReceiverRefusal) -> Answer {
        let document = try JSONCursor.check(bytes, 0..<bytes.count)
        guard bytes.isObject(document) else { throw .malformed("an event is a JSON object") }
        var answer = Answer(routingKey: "", deduplicationKey: "")
        var action = ""
        var payload: Range<Int>?
        var members = JSONCursor(document)
        while let member = try members.member(bytes) {
            let text = bytes.jsonText(member.value).map { bytes.string($0) }
            switch bytes.string(member.key) {
            case "routing_key": answer.routingKey = text ?? ""
            case "event_action": action = text ?? ""
            case "dedup_key": answer.deduplicationKey = text ?? ""
            case "payload": payload = bytes.isObject(member.value) ? member.value : nil
            default: continue
            }
        }
        guard answer.deduplicationKey.utf8.count <= AlertStates.maximumPartBytes else {
            throw .malformed("a 'dedup_key' has at most \(AlertStates.maximumPartBytes) bytes")
        }
        let state: String
        switch action {
        case "trigger": state = "firing"
        case "acknowledge": state = "acknowledged"
        case "resolve": state = "resolved"
        default: throw .malformed("'event_action' is 'trigger', 'acknowledge' or 'resolve'")
        }
        if answer.deduplicationKey.isEmpty {
            guard action == "trigger" else { throw .malformed("'\(action)' needs a 'dedup_key'") }
            answer.deduplicationKey = newKey
        }
        var record = ReceivedRecord()
        if let payload {
            try addPayload(bytes, payload, &record)
        } else if action == "trigger" {
            throw .malformed("'trigger' needs a 'payload' with 'summary', 'source' and 'severity'")
        }
        guard action != "trigger" || !record.message.isEmpty else { throw .malformed("'payload' needs a 'summary'") }
        let key = "pagerduty|\(answer.deduplicationKey)"
        guard states.isNew(key, state: state) else {
            lines.skipRepeated()
            return answer
        }
        record.add("event.kind", "alert")
        record.add("event.module", "pagerduty")
        record.add("event.action", state)
        record.add("event.id", answer.deduplicationKey)
        record.add(AlertStates.keyField, key)
        record.add(AlertStates.stateField, state)
        try lines.append(fields: record)
        return answer
    }

    private static func addPayload(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout ReceivedRecord
    ) throws(ReceiverRefusal) {
        var summary: Range<Int>?
        var kind: Range<Int>?
        var members = JSONCursor(range)
        while let member = try members.member(bytes) {
            let key = bytes.string(member.key)
            if key == "custom_details", bytes.isObject(member.value) {
                var details = JSONCursor(member.value)
                while let detail = try details.member(bytes) {
                    let name = "labels.\(bytes.string(detail.key))"
                    if let text = bytes.jsonText(detail.value) { record.add(name, escaped: bytes, text) }
                }
                continue
            }
            guard let text = bytes.jsonText(member.value) else { continue }
            switch key {
            case "summary": summary = text
            case "source": record.add("host.name", escaped: bytes, text)
            case "severity": record.add("log.level", escaped: bytes, text)
            case "timestamp": record.time = Timestamp(iso8601: bytes.extracting(text), assumedOffsetSeconds: 0)
            case "component": record.add("service.name", escaped: bytes, text)
            case "group": record.add("labels.group", escaped: bytes, text)
            case "class": kind = text
            default: continue
            }
        }
        if let summary { record.setMessage(escaped: bytes, summary) }
        if let name = kind ?? summary { record.add("rule.name", escaped: bytes, name) }
    }
}

/// The last state of each alert that has been told of, so that senders may repeat themselves.
package struct AlertStates: Sendable, Equatable {
    static let keyField = "vigie.alert.key"
    static let stateField = "vigie.alert.state"
    /// With more alerts than these, the oldest are forgotten.
    static let maximumAlerts = 65_536
    /// Of a part of a key that its sender chooses, so that all of them together are bounded, too. PagerDuty's own limit for its keys.
    static let maximumPartBytes = 255
    /// Of a whole key: two such parts, and what stands between.
    static let maximumKeyBytes = 2 * maximumPartBytes + 64

    private var states: [String: String] = [:]
    private var order: [String] = []
    /// How many of `order` are forgotten: taken off all at once now and then.
    private var forgotten = 0

    package init() {}

    package mutating func isNew(_ key: String, state: String) -> Bool {
        if let known = states[key] {
            guard known != state else { return false }
        } else {
            order.append(key)
        }
        states[key] = state
        while states.count > AlertStates.maximumAlerts {
            states[order[forgotten]] = nil
            forgotten += 1
        }
        if forgotten > AlertStates.maximumAlerts {
            order.removeFirst(forgotten)
            forgotten = 0
        }
        return true
    }
}
