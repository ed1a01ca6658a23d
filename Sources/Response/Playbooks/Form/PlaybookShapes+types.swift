import Events
import Journal

extension PlaybookShapes {
    // MARK: §8 extensions

    static let extensionDefinition = ObjectShape(properties: [
        "type": .must(.fixed("extension-definition")), "name": .must(.text), "description": .should(.text),
        "created_by": .must(identity), "schema": .must(.text), "version": .must(.text),
        "external_references": .may(.list(.object(externalReference), minimum: 1)),
    ])

    // MARK: §9 data markings

    static let markingBase = ObjectShape(
        properties: [
            "type": .must(.closed(Vocabulary.markingTypes)), "id": .must(.identifier(Vocabulary.markingTypes.sorted())),
            "name": .may(.text), "description": .may(.text), "created_by": .must(identity), "created": .must(moment),
            "revoked": .may(.flag), "valid_from": .may(.timestamp(milliseconds: false)),
            "valid_until": .may(.timestamp(milliseconds: false)), "labels": .may(.list(.text, minimum: 1)),
            "external_references": .may(.list(.object(externalReference), minimum: 1)),
            "marking_extensions": .may(.dictionary(extensionKey, .any)),
        ],
        rules: [{ ShapeRules.validityInOrder($0, $1) }])
    static let marking: Shape = .chosen(
        [
            "marking-tlp": markingBase.adding(["tlpv2_level": .must(.closed(Vocabulary.trafficLights))]),
            "marking-statement": markingBase.adding(["statement": .must(.text)]),
            "marking-iep": markingBase.adding([
                "name": .must(.text), "description": .must(.text), "tlp": .must(.text), "iep_version": .must(.whole(0...1_000)),
                "start_date": .must(.timestamp(milliseconds: false)), "end_date": .must(.timestamp(milliseconds: false)),
                "encrypt_in_transit": .must(.text), "permitted_actions": .must(.text),
                "affected_party_notifications": .must(.text), "attribution": .must(.text), "unmodified_resale": .must(.text),
                "external_references": .must(.list(.object(externalReference), minimum: 0)),
            ]),
        ], other: markingBase)

    // MARK: §10 data types

    static let location = ObjectShape(
        properties: [
            "name": .may(.text), "description": .may(.text), "building_details": .may(.text), "network_details": .may(.text),
            "region": .may(.closed(Vocabulary.regions)), "country": .may(.text), "administrative_area": .may(.text),
            "city": .may(.text), "street_address": .may(.text), "postal_code": .may(.text), "latitude": .may(.text),
            "longitude": .may(.text), "precision": .may(.text),
        ],
        rules: [{ ShapeRules.coordinates($0, $1) }])

    static let externalReference = ObjectShape(
        properties: [
            "name": .must(.text), "description": .may(.text), "source": .may(.text), "url": .may(.text),
            "external_id": .may(.text), "reference_id": .may(.text),
        ],
        rules: [{ ShapeRules.atLeastOne(["description", "source", "url", "external_id", "reference_id"], $0, $1) }])

    static let signature = ObjectShape(
        properties: [
            "type": .must(.fixed("jss")), "id": .must(.identifier(["jss"])), "created_by": .may(identity),
            "created": .must(moment), "modified": .must(moment), "revoked": .may(.flag), "signee": .must(.text),
            "valid_from": .may(.timestamp(milliseconds: false)), "valid_until": .may(.timestamp(milliseconds: false)),
            "related_to": .must(.identifier(["playbook"])), "related_version": .must(moment), "hash_algorithm": .must(.text),
            "algorithm": .must(.open(Vocabulary.signatureAlgorithms)), "public_key": .may(.text),
            "public_cert_chain": .may(.list(.text, minimum: 1)), "cert_url": .may(.text), "thumbprint": .may(.text),
            "value": .must(.text), "signature": .may(.any),
        ],
        rules: [
            { ShapeRules.exactlyOne(["public_key", "public_cert_chain", "cert_url", "thumbprint"], $0, $1) },
            { ShapeRules.inOrder($0, "created", "modified", strictly: false, $1) },
            { ShapeRules.validityInOrder($0, $1) },
            { object, path in
                guard let algorithm = object["algorithm"]?.stringValue, algorithm.hasPrefix("HS") else { return [] }
                return [
                    PlaybookProblem(
                        .warning, .signature, at: path + "/algorithm",
                        "a shared secret proves nothing to others; use RS256 or ES256")
                ]
            },
        ])

    static let variable = ObjectShape(
        properties: [
            "type": .must(.open(Vocabulary.variableTypes)), "description": .may(.text), "value": .may(.any),
            "constant": .may(.flag), "external": .may(.flag),
        ],
        rules: [
            { object, path in
                switch object["value"] {
                case nil, .null, .string, .object: []
                case .some(let value):
                    [
                        PlaybookProblem(
                            .error, .valueType, at: path + "/value",
                            "a variable's value is a string, null or an object, not \(value.kindName)")
                    ]
                }
            }
        ])
}
