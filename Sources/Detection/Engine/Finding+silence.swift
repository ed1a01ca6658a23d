package import Events

extension Finding {
    /// What findings about silent sources are known by.
    package static let silenceRuleID = "5d0e4c4e-0f5a-4b0e-9a0c-6f0a3c6f1d27"

    /// The server's own finding: a source that used to speak has fallen silent. The same silence has the same name.
    package static func silence(of source: String, since last: Timestamp, now: Timestamp) -> Finding {
        let reference = EventReference(origin: BatchOrigin(source: source, generation: 0), offset: 0, line: 0)
        return Finding(
            id: FindingID.make(rule: silenceRuleID, first: reference, windowStart: last), time: now,
            rule: RuleHeader(
                id: silenceRuleID, title: "\(source) has fallen silent",
                description: """
                    Nothing has come from this source for much longer than it was ever silent at this time of day. See whether its \
                    program runs, whether its log was turned off or redirected, and whether Vigie may still read it.
                    """,
                level: .medium, tags: ["attack.defense-impairment", "attack.t1562.006"], category: .tampering, author: "Vigie",
                falsePositives: ["A planned stop of the program; a holiday within the first weeks"], references: [],
                isHostile: false, file: "built in", line: 0, hash: "built in"),
            count: 1, firstSeen: last, lastSeen: last, otherAddresses: [], evidence: [])
    }
}
