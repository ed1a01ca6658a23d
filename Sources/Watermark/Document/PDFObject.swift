import CQPDF

/// An object of a document: a handle that lives as long as the document does.
///
/// Every accessor takes any object: where the type does not fit, it answers with nil, an empty value or a null object.
package struct PDFObject {
    package let document: PDFDocument
    let handle: qpdf_oh

    init(_ document: PDFDocument, _ handle: qpdf_oh) {
        self.document = document
        self.handle = handle
    }

    private var data: qpdf_data? { unsafe document.handle }

    package var isNull: Bool { unsafe qpdf_oh_is_null(data, handle) != 0 }
    package var isDictionary: Bool { unsafe qpdf_oh_is_dictionary(data, handle) != 0 }
    package var isArray: Bool { unsafe qpdf_oh_is_array(data, handle) != 0 }
    package var isStream: Bool { unsafe qpdf_oh_is_stream(data, handle) != 0 }
    package var isName: Bool { unsafe qpdf_oh_is_name(data, handle) != 0 }
    package var isString: Bool { unsafe qpdf_oh_is_string(data, handle) != 0 }
    package var isIndirect: Bool { unsafe qpdf_oh_is_indirect(data, handle) != 0 }
    /// Object number and generation in one, as qpdf numbers them; 0 for direct objects.
    package var id: Int {
        Int(unsafe qpdf_oh_get_object_id(data, handle)) << 16 | Int(unsafe qpdf_oh_get_generation(data, handle)) & 0xFFFF
    }

    package var number: Double? {
        guard unsafe qpdf_oh_is_number(data, handle) != 0 else { return nil }
        let value = unsafe qpdf_oh_get_numeric_value(data, handle)
        return value.isFinite ? value : nil
    }

    /// Clamped to what fits; reals are cut off.
    package var integer: Int? {
        number.map { Int(max(-9e15, min(9e15, $0))) }
    }

    /// With its slash.
    package var nameText: String? {
        guard isName, let text = unsafe qpdf_oh_get_name(data, handle) else { return nil }
        return unsafe String(cString: text)
    }

    package var stringBytes: [UInt8]? {
        guard isString else { return nil }
        var length = 0
        guard let text = unsafe qpdf_oh_get_binary_string_value(data, handle, &length) else { return nil }
        return unsafe UnsafeBufferPointer(start: text, count: length).map { UInt8(bitPattern: $0) }
    }

    package var count: Int {
        isArray ? max(0, Int(unsafe qpdf_oh_get_array_n_items(data, handle))) : 0
    }

    package subscript(index: Int) -> PDFObject {
        guard index >= 0, index < count else { return null }
        return unsafe PDFObject(document, qpdf_oh_get_array_item(data, handle, Int32(truncatingIfNeeded: index)))
    }

    /// The value of a key, with its slash; of a stream, of its dictionary.
    package subscript(key: String) -> PDFObject {
        if isDictionary { return unsafe PDFObject(document, qpdf_oh_get_key(data, handle, key)) }
        if isStream {
            return unsafe PDFObject(document, qpdf_oh_get_key(data, qpdf_oh_get_dict(data, handle), key))
        }
        return null
    }

    package var keys: [String] {
        guard isDictionary else { return [] }
        unsafe qpdf_oh_begin_dict_key_iter(data, handle)
        var keys: [String] = []
        while unsafe qpdf_oh_dict_more_keys(data) != 0 {
            guard let key = unsafe qpdf_oh_dict_next_key(data) else { break }
            keys.append(unsafe String(cString: key))
        }
        return keys
    }

    package func replaceKey(_ key: String, with value: PDFObject) {
        if isDictionary { unsafe qpdf_oh_replace_key(data, handle, key, value.handle) }
        if isStream { unsafe qpdf_oh_replace_key(data, qpdf_oh_get_dict(data, handle), key, value.handle) }
    }

    package func removeKey(_ key: String) {
        if isDictionary { unsafe qpdf_oh_remove_key(data, handle, key) }
    }

    package func append(_ value: PDFObject) {
        if isArray { unsafe qpdf_oh_append_item(data, handle, value.handle) }
    }

    /// A dictionary of one's own to change: with the same entries, shared with nothing.
    package func shallowCopy() -> PDFObject {
        let copy = document.dictionary()
        for key in keys { copy.replaceKey(key, with: self[key]) }
        return copy
    }

    /// Of a stream, its dictionary.
    package var streamDictionary: PDFObject { isStream ? unsafe PDFObject(document, qpdf_oh_get_dict(data, handle)) : null }

    /// Forgets the handle, which else is kept for as long as the document: for whoever walks through all of it. Nothing may be asked of
    /// this object afterwards.
    package func release() { unsafe qpdf_oh_release(data, handle) }

    /// What a stream decodes to; empty where a filter fails or is one for images.
    package var streamBytes: [UInt8] {
        guard isStream else { return [] }
        var bytes: UnsafeMutablePointer<UInt8>?
        var length = 0
        var filtered: QPDF_BOOL = 0
        let status = unsafe qpdf_oh_get_stream_data(data, handle, qpdf_dl_generalized, &filtered, &bytes, &length)
        return unsafe PDFDocument.take(bytes, length, status)
    }

    package func replaceStreamData(_ bytes: [UInt8]) {
        unsafe qpdf_oh_replace_stream_data(
            data, handle, bytes, bytes.count, qpdf_oh_new_null(data), qpdf_oh_new_null(data))
    }

    /// A stream's bytes as they stand in the file, decrypted, and not decoded.
    package var encodedBytes: [UInt8] {
        guard isStream else { return [] }
        var bytes: UnsafeMutablePointer<UInt8>?
        var length = 0
        var filtered: QPDF_BOOL = 0
        let status = unsafe qpdf_oh_get_stream_data(data, handle, qpdf_dl_none, &filtered, &bytes, &length)
        return unsafe PDFDocument.take(bytes, length, status)
    }

    /// Takes bytes that are encoded already.
    package func replaceStreamData(encoded bytes: [UInt8], filter: String, parameters: PDFObject? = nil) {
        unsafe qpdf_oh_replace_stream_data(
            data, handle, bytes, bytes.count, document.name(filter).handle, parameters?.handle ?? qpdf_oh_new_null(data))
    }

    package var isTrue: Bool { unsafe qpdf_oh_is_bool(data, handle) != 0 && qpdf_oh_get_bool_value(data, handle) != 0 }

    private var null: PDFObject { unsafe PDFObject(document, qpdf_oh_new_null(data)) }

    /// The same value taken up by one's parents where it is inheritable (ISO 32000-1 §7.7.3.4). Bounded: page trees may loop.
    package func inherited(_ key: String) -> PDFObject {
        var node = self
        for _ in 0..<64 {
            let value = node[key]
            if !value.isNull { return value }
            node = node["/Parent"]
            guard node.isDictionary else { break }
        }
        return null
    }
}
