/// Why bytes were refused as JSON, or a value has no canonical form.
package struct JSONError: Error, Hashable, Sendable {
    package enum Code: String, Hashable, Sendable, CaseIterable {
        /// More bytes than the caller's limit.
        case tooLarge = "too-large"
        /// Arrays and objects nested deeper than the caller's limit.
        case tooDeep = "too-deep"
        case unexpectedEnd = "unexpected-end"
        case unexpectedByte = "unexpected-byte"
        /// Something other than white space follows the document.
        case trailingBytes = "trailing-bytes"
        /// Two members of one object have the same name (RFC 7493 §2.3), or names that Unicode takes as equivalent.
        case duplicateKey = "duplicate-key"
        case invalidUTF8 = "invalid-utf8"
        /// Half of a surrogate pair, which no Unicode text can hold (RFC 7493 §2.1).
        case loneSurrogate = "lone-surrogate"
        /// A control character inside a string that is not written as an escape.
        case controlCharacter = "control-character"
        case invalidEscape = "invalid-escape"
        case invalidNumber = "invalid-number"
        /// Beyond what a double holds, not finite, or an integer beyond ±(2^53 − 1) (RFC 8785 §3.2.2.3).
        case numberOutOfRange = "number-out-of-range"
    }

    package var code: Code
    /// Where in the input, in bytes; 0 when a value was written rather than read.
    package var offset: Int

    package init(_ code: Code, at offset: Int = 0) {
        self.code = code
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    package var description: String {
        "JSON refused at byte \(offset): \(what). \(remedy)"
    }

    private var what: String {
        switch code {
        case .tooLarge: "it is larger than the limit"
        case .tooDeep: "it is nested too deeply"
        case .unexpectedEnd: "it ends too early"
        case .unexpectedByte: "this byte cannot stand here"
        case .trailingBytes: "something follows the document"
        case .duplicateKey: "an object names a member twice"
        case .invalidUTF8: "the text is not UTF-8"
        case .loneSurrogate: "half of a surrogate pair"
        case .controlCharacter: "a control character is not escaped"
        case .invalidEscape: "there is no such escape"
        case .invalidNumber: "this is not a number as JSON writes it"
        case .numberOutOfRange: "the number cannot be kept exactly"
        }
    }

    private var remedy: String {
        switch code {
        case .tooLarge, .tooDeep: "Send a smaller document."
        case .numberOutOfRange: "Write large identifiers as strings."
        default: "Correct the document at that place."
        }
    }
}
