import Crypto
import Events
import Journal

/// The items as CASE 1.x / UCO 1.x JSON-LD, for forensic tools: files with their hashes, and the action that collected each.
struct CASEDocument {
    var request: ArchiveExporter.Request
    var items: [EvidenceItem]

    func bytes() throws -> [UInt8] {
        var objects: [JSONValue] = []
        for item in items {
            let file = identifier("file", item.id)
            objects.append([
                "@id": .string(file), "@type": "uco-observable:File",
                "uco-core:hasFacet": [
                    [
                        "@id": .string(identifier("file-facet", item.id)), "@type": "uco-observable:FileFacet",
                        "uco-observable:fileName": .string(item.name),
                        "uco-observable:sizeInBytes": .integer(Int64(clamping: item.size)),
                    ],
                    [
                        "@id": .string(identifier("content-facet", item.id)), "@type": "uco-observable:ContentDataFacet",
                        "uco-observable:sizeInBytes": .integer(Int64(clamping: item.size)),
                        "uco-observable:hash": [
                            [
                                "@id": .string(identifier("hash", item.id)), "@type": "uco-types:Hash",
                                // UCO 1.4 has strings here, and typed names of the vocabulary only with a warning.
                                "uco-types:hashMethod": "SHA256",
                                "uco-types:hashValue": ["@type": "xsd:hexBinary", "@value": .string(item.sha256)],
                            ]
                        ],
                    ],
                ],
            ])
            objects.append([
                "@id": .string(identifier("provenance", item.id)), "@type": "case-investigation:ProvenanceRecord",
                "case-investigation:exhibitNumber": .string(item.id),
                "uco-core:description": .string("\(item.source) on \(item.host)"),
                "uco-core:object": [["@id": .string(file)]],
            ])
            objects.append([
                "@id": .string(identifier("action", item.id)), "@type": "case-investigation:InvestigativeAction",
                "uco-core:name": "collection", "uco-core:description": .string("by \(item.collector)"),
                "uco-action:endTime": ["@type": "xsd:dateTime", "@value": .string(item.collectedAt.rfc3339)],
                "uco-action:result": [["@id": .string(identifier("provenance", item.id))]],
            ])
        }
        objects.append([
            "@id": .string(identifier("investigation", request.incident)), "@type": "case-investigation:Investigation",
            "uco-core:name": .string(request.incident),
            "uco-core:description": .string("\(request.marking.rawValue); for \(request.recipient)"),
            "uco-core:object": .array(items.map { ["@id": .string(identifier("file", $0.id))] }),
        ])
        let document: JSONValue = [
            "@context": [
                "case-investigation": "https://ontology.caseontology.org/case/investigation/", "kb": "http://example.org/kb/",
                "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
                "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
                "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
                "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
                "xsd": "http://www.w3.org/2001/XMLSchema#",
            ],
            "@graph": .array(objects),
        ]
        return try document.canonicalBytes()
    }

    /// Names end in a UUID, as UCO asks for: version 5 (RFC 9562 §5.5) of what they name, so that an export can be repeated.
    private func identifier(_ kind: String, _ name: String) -> String {
        let space: [UInt8] = [0x6B, 0xA7, 0xB8, 0x11, 0x9D, 0xAD, 0x11, 0xD1, 0x80, 0xB4, 0x00, 0xC0, 0x4F, 0xD4, 0x30, 0xC8]
        var bytes = Array(Insecure.SHA1.hash(data: space + Array("vigie:\(request.incident)/\(kind)/\(name)".utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x50
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array(bytes.hexadecimal)
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
        return "kb:\(kind)-\(groups.joined(separator: "-"))"
    }
}
