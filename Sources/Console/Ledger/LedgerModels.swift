import Events
import Foundation
import Incidents

/// Turns what the journal says into what the templates show.
enum LedgerModels {
    /// - Parameter names: of accounts, by their ids: entries about sign-ins and accounts say who by the id, which outlives a name.
    static func row(_ entry: LedgerEntry, names: [String: String], now: Timestamp) -> PageModel {
        var model: PageModel = [
            "sequence": entry.sequence, "path": path(entry.sequence), "kind": entry.type,
            "actor": entry.actor == "system" ? "vigie" : names[entry.actor] ?? entry.actor, "isMachine": entry.actor == "system",
            "occurred": TimeText.model(entry.occurredAt, now: now), "recorded": TimeText.model(entry.recordedAt, now: now),
        ]
        if let incident = entry.incident {
            model["incident"] = incident
            model["incidentPath"] = "/incidents/\(FormFields.encode(incident))"
        }
        return model
    }

    static func proof(_ proof: LedgerProof, names: [String: String], now: Timestamp) -> PageModel {
        var model = row(proof.entry, names: names, now: now)
        model["text"] = String(decoding: proof.bytes, as: UTF8.self)
        model["bytes"] = Data(proof.bytes).base64EncodedString()
        model["byteCount"] = NumberText.grouped(proof.bytes.count)
        model["leaf"] = proof.leaf
        model["steps"] = proof.steps.enumerated().map { index, step -> PageModel in
            [
                "number": index + 1, "sibling": step.sibling, "side": step.isSiblingLeft ? "left" : "right",
                "result": step.result,
            ]
        }
        model["root"] = proof.root
        model["size"] = NumberText.grouped(proof.size)
        model["checkpoint"] = proof.checkpoint
        model["key"] = proof.key
        model["isProved"] = proof.problems.isEmpty
        model["problems"] = proof.problems
        model["vouchers"] = proof.vouchers.map { voucher -> PageModel in
            var one: PageModel = ["size": NumberText.grouped(voucher.size), "witnesses": voucher.witnesses]
            one["timestamp"] = voucher.timestamp.map { TimeText.model($0, now: now) }
            return one
        }
        model["isVouched"] = !proof.vouchers.isEmpty
        if proof.entry.sequence > 0 { model["previousPath"] = path(proof.entry.sequence - 1) }
        model["nextPath"] = path(proof.entry.sequence + 1)
        return model
    }

    static func evidence(_ item: EvidenceView, now: Timestamp) -> PageModel {
        var model: PageModel = [
            "evidenceID": item.id, "path": "/evidence/\(item.id)", "proofPath": path(item.sequence), "sequence": item.sequence,
            "incident": item.incident, "incidentPath": "/incidents/\(FormFields.encode(item.incident))", "sha256": item.sha256,
            "size": NumberText.bytes(item.size), "exactSize": NumberText.grouped(item.size), "file": item.name,
            "source": item.source, "collector": item.collector, "host": item.host, "volatility": item.volatility,
            "marking": item.marking, "isSuspicious": item.isSuspicious, "isErased": item.isErased,
            "offset": item.clockOffset.map { "\(NumberText.grouped($0)) ms" } ?? "not known",
            "occurred": TimeText.model(item.occurredAt, now: now), "collected": TimeText.model(item.collectedAt, now: now),
            "hasCustody": !item.custody.isEmpty, "custodyCount": item.custody.count,
        ]
        model["custody"] = item.custody.map { one -> PageModel in
            [
                "sequence": one.sequence, "proofPath": path(one.sequence), "kind": one.kind, "actor": one.actor,
                "words": one.text, "at": TimeText.model(one.at, now: now),
            ]
        }
        return model
    }

    static func path(_ sequence: Int) -> String { "/journal/\(sequence)" }
}
