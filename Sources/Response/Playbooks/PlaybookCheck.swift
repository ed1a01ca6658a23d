/// Everything that is checked about a playbook; the raw value is what people see and what documentation lists.
package enum PlaybookCheck: String, Hashable, Sendable, CaseIterable {
    // Form: one object at a time.
    case json = "json"
    case valueType = "value-type"
    case missingProperty = "missing-property"
    case unknownProperty = "unknown-property"
    case fixedValue = "fixed-value"
    case vocabulary = "vocabulary"
    case enumeration = "enumeration"
    case numberRange = "number-range"
    case emptyList = "empty-list"
    case identifierForm = "identifier-form"
    case identifierType = "identifier-type"
    case uuidVersion = "uuid-version"
    case timestampForm = "timestamp-form"
    case timestampPrecision = "timestamp-precision"
    case timestampOrder = "timestamp-order"
    case dictionaryKey = "dictionary-key"
    case variableName = "variable-name"
    case base64 = "base64"
    case alternatives = "alternatives"
    case httpStartLine = "http-start-line"
    case keyManagement = "key-management"
    case coordinates = "coordinates"
    case shouldPopulate = "should-populate"
    case plainSecret = "plain-secret"
    case commandEncoding = "command-encoding"

    // References between objects.
    case missingStep = "missing-step"
    case missingDefinition = "missing-definition"
    case duplicateUUID = "duplicate-uuid"
    case transitions = "transitions"
    case requiredSteps = "required-steps"
    case circularMarking = "circular-marking"
    case unlistedActivity = "unlisted-activity"
    case unlistedSector = "unlisted-sector"
    case unlistedReference = "unlisted-reference"

    // Flow: what running it would do.
    case unreachableStep = "unreachable-step"
    case branchWithoutEnd = "branch-without-end"
    case sharedEnd = "shared-end"
    case endlessLoop = "endless-loop"
    case undeclaredVariable = "undeclared-variable"
    case neverSet = "never-set"
    case shadowedVariable = "shadowed-variable"
    case constantChanged = "constant-changed"
    case externalScope = "external-scope"
    case condition = "condition"
    case noDefaultCase = "no-default-case"
    case failureIgnored = "failure-ignored"
    case failureUnhandled = "failure-unhandled"
    case shellVariable = "shell-variable"

    // Safety: what it would do to the platform and its evidence.
    case destructiveBeforeCapture = "destructive-before-capture"
    case containmentWithoutExpiry = "containment-without-expiry"
    case containmentWithoutUndo = "containment-without-undo"
    case extensionForm = "extension-form"

    // Validity.
    case revoked = "revoked"
    case expired = "expired"
    case notYetValid = "not-yet-valid"
    case signature = "signature"

    // What `respond lint --probe` looks for.
    case missingTarget = "missing-target"
}
