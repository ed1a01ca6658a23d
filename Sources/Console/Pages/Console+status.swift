import Events
import Hummingbird

extension Console {
    func addStatusRoutes(to routes: ConsoleRoutes) {
        routes.get("sources", .viewer) { request, context in
            let sequence = dependencies.updates.sequence
            let sources = await dependencies.sources()
            let detection = await dependencies.detection()
            let now = dependencies.now()
            let model: PageModel = [
                "sources": sources.map { SourceModels.row($0, now: now) }, "isEmpty": sources.isEmpty, "count": sources.count,
                "troubled": sources.count { !$0.problem.isEmpty }, "detection": SourceModels.detection(detection),
            ]
            return answer(
                "sources", model, title: "Sources", section: "sources", sequence: sequence, request: request, context: context)
        }
        routes.get("rules", .viewer) { request, context in
            let sequence = dependencies.updates.sequence
            let rules = await dependencies.rules()
            let refused = rules.filter { $0.problem != nil }
            let loaded = rules.filter { $0.problem == nil }
            let model: PageModel = [
                "refused": refused.map { SourceModels.rule($0, now: dependencies.now()) },
                "loaded": loaded.map { SourceModels.rule($0, now: dependencies.now()) }, "loadedCount": loaded.count,
                "refusedCount": refused.count, "hasRefused": !refused.isEmpty, "isEmpty": loaded.isEmpty,
                "isReloadRefused": refused.contains(where: \.isReloadRefused),
            ]
            return answer(
                "rules", model, title: "Rules", section: "rules", sequence: sequence, request: request, context: context)
        }
    }
}

/// Turns statuses into what their templates show.
enum SourceModels {
    static func row(_ source: SourceStatus, now: Timestamp) -> PageModel {
        let counters = source.counters
        var model: PageModel = [
            "path": source.name,
            "format": source.format,
            "state": source.state,
            "isWell": source.problem.isEmpty && source.state == "following",
            "isTroubled": !source.problem.isEmpty || source.state == "unreadable",
            "lag": source.lagBytes == 0 ? "0" : NumberText.bytes(source.lagBytes),
            "isLagging": source.lagBytes > 0,
            "lines": NumberText.grouped(counters.lines),
            "volume": NumberText.bytes(counters.bytes),
            "counters": [
                counter("parsed", counters.parsed, isTrouble: false),
                counter("as plain text", counters.plain, isTrouble: false),
                counter("unparsed", counters.unparsed),
                counter("blank", counters.blank, isTrouble: false),
                counter("overlong", counters.overlong),
                counter("invalid UTF-8", counters.invalidUTF8),
                counter("with NUL", counters.containingNUL),
                counter("partial", counters.partial, isTrouble: false),
                counter("undated", counters.undated),
                counter("rotations", counters.rotations, isTrouble: false),
                counter("cut in place", counters.truncations, isTrouble: false),
                counter("gaps", counters.gaps),
                counter("damaged files", counters.damaged),
                counter("dropped", counters.dropped),
            ],
            "samples": source.unparsedSamples.enumerated().map { index, line -> PageModel in
                let reasons = source.unparsedReasons
                var sample: PageModel = ["line": line]
                if index < reasons.count, !reasons[index].isEmpty { sample["reason"] = reasons[index] }
                return sample
            },
            "warnings": source.warnings,
            "hasSamples": !source.unparsedSamples.isEmpty,
            "sampleCount": source.unparsedSamples.count,
            "plainSamples": source.plainSamples.map { ["line": $0] as PageModel },
            "hasPlainSamples": !source.plainSamples.isEmpty,
            "plainCount": source.plainSamples.count,
        ]
        if !source.problem.isEmpty { model["problem"] = source.problem }
        if let files = source.files { model["files"] = NumberText.grouped(files) }
        model["last"] = source.lastEvent.map { TimeText.model($0, now: now) }
        return model
    }

    /// What correlations hold; those that have left something out stand first.
    static func detection(_ status: DetectionStatus) -> PageModel {
        let used = status.correlations.filter { $0.groups > 0 || $0.isIncomplete || $0.ignoredValues > 0 || $0.ungrouped > 0 }
        let sorted = used.filter(\.isIncomplete) + used.filter { !$0.isIncomplete }
        return [
            "events": NumberText.grouped(status.events), "matches": NumberText.grouped(status.matches),
            "hasRows": !sorted.isEmpty,
            "bytes": NumberText.bytes(status.correlations.reduce(0) { $0 + $1.bytes }),
            "rows": sorted.map { correlation -> PageModel in
                [
                    "rule": correlation.title, "ruleID": correlation.ruleID, "groups": NumberText.grouped(correlation.groups),
                    "kept": NumberText.grouped(correlation.events), "bytes": NumberText.bytes(correlation.bytes),
                    "counters": [
                        counter("groups given up", correlation.evictedGroups), counter("late", correlation.late),
                        counter("without a value", correlation.ignoredValues, isTrouble: false),
                        counter("without a group", correlation.ungrouped, isTrouble: false),
                    ],
                    "isTroubled": correlation.isIncomplete,
                ]
            },
        ]
    }

    private static func counter(_ label: String, _ count: Int, isTrouble: Bool = true) -> PageModel {
        ["label": label, "value": NumberText.grouped(count), "isZero": count == 0, "isTrouble": isTrouble && count > 0]
    }

    static func rule(_ rule: RuleSummary, now: Timestamp) -> PageModel {
        var model: PageModel = [
            "rule": rule.title, "ruleID": rule.id, "level": rule.level, "category": IncidentModels.words(rule.category),
            "file": rule.file, "hash": rule.hash, "shortHash": String(rule.hash.prefix(12)), "techniques": rule.techniques,
            "requirements": rule.requirements, "logSource": rule.logSource, "isReported": rule.isReported, "text": rule.text,
            "matches": NumberText.grouped(rule.matches), "hasMatches": rule.matches > 0,
        ]
        model["last"] = rule.lastMatch.map { TimeText.model($0, now: now) }
        model["reason"] = rule.problem
        return model
    }
}
