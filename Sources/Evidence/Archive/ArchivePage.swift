import Events
import Journal

/// The page that a person reads first: no script, nothing loaded from anywhere, prints on paper.
struct ArchivePage {
    var request: ArchiveExporter.Request
    var entries: [Entry]
    var items: [EvidenceItem]
    var erased: Set<String>

    var bytes: [UInt8] {
        let rows = items.map { item in
            let state =
                erased.contains(item.id)
                ? "erased"
                : item.marking > request.marking
                    ? "withheld: \(item.marking.rawValue)" : item.isSuspicious ? "encrypted: suspicious" : "included"
            return row([
                item.id, item.name, String(item.size), item.sha256, item.source, "\(item.collector) on \(item.host)",
                item.occurredAt.rfc3339,
                item.collectedAt.rfc3339, item.clockOffset.map { "\($0) ms" } ?? "not known", item.marking.rawValue, state,
            ])
        }
        let timeline = entries.map { entry in
            row([
                String(entry.sequence), entry.occurredAt.rfc3339, entry.recordedAt.rfc3339, entry.type, entry.actor,
                Self.summary(entry),
            ])
        }
        let name = HTMLText.escaped(request.incident)
        let page = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(name): evidence</title>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <style>body{font:16px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;width:100%;font-size:.8em}
            th,td{border:1px solid #999;padding:.3em;text-align:left;vertical-align:top;overflow-wrap:anywhere}code{background:#eee}</style></head>
            <body><h1>\(name)</h1>
            <p><strong>\(HTMLText.escaped(request.marking.rawValue))</strong>. Made on \(HTMLText.escaped(request.now.rfc3339)) for \(HTMLText.escaped(request.recipient)).
            Whoever hands this on has to keep to the marking.</p>
            <h2>Check it</h2>
            <p>Get the log's public key from somebody you trust, by another way than this archive. Then, on any machine, without a network:</p>
            <pre><code>vigie evidence verify ARCHIVE.tar --key KEY</code></pre>
            <p>It names everything that is not as it was recorded. By hand: every file under <code>files/</code> has the SHA-256 below; every line of
            <code>journal.ndjson</code> has a proof under <code>proofs/</code> (C2SP tlog-proof).</p>
            <h2>Evidence</h2>
            <table><thead>\(row(["Id", "Name", "Bytes", "SHA-256", "Source", "Collected by", "Occurred", "Collected", "Source's clock ahead", "Marking", "State"], cell: "th"))</thead>
            <tbody>\(rows.joined())</tbody></table>
            <h2>What was recorded</h2>
            <table><thead>\(row(["Entry", "Occurred", "Recorded", "What", "Who", "Details"], cell: "th"))</thead>
            <tbody>\(timeline.joined())</tbody></table>
            </body></html>

            """
        return Array(page.utf8)
    }

    /// What is not sealed; personal fields are in the journal only for those who hold their keys.
    private static func summary(_ entry: Entry) -> String {
        entry.data.keys.sorted().filter { $0 != "incident" }.compactMap { name in
            switch entry.data[name] {
            case .string(let text): "\(name): \(text.prefix(200))"
            case .integer(let number): "\(name): \(number)"
            case .bool(let flag): "\(name): \(flag ? "yes" : "no")"
            default: nil
            }
        }.joined(separator: "; ")
    }

    private func row(_ cells: [String], cell: String = "td") -> String {
        "<tr>" + cells.map { "<\(cell)>\(HTMLText.escaped($0))</\(cell)>" }.joined() + "</tr>\n"
    }
}
