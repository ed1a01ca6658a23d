import CQPDF
import Glibc

/// A PDF document, opened from memory by qpdf.
///
/// Not thread-safe: qpdf's handles are not. Decoding is not bounded here: documents of strangers are opened in a process that has
/// limits on memory and CPU time. Limits on what is interpreted are in ``LayoutLimits``.
@safe package final class PDFDocument {
    /// qpdf's `qpdf_data`, released in `deinit`.
    private(set) var handle: qpdf_data?
    /// qpdf reads from these bytes for as long as the handle lives.
    private let buffer: UnsafeMutableBufferPointer<CChar>
    package let pageCount: Int
    package let isEncrypted: Bool
    package let isLinearized: Bool

    /// Opens a document. What has to be guessed to be read (a broken cross-reference table) is guessed by qpdf.
    ///
    /// `password` may be empty: documents that anyone can open but not change are opened so.
    package init(_ bytes: [UInt8], password: String = "") throws(WatermarkError) {
        guard Self.hasHeader(bytes) else {
            throw .badInput("This is not a PDF document: it does not begin with %PDF-. Give a PDF file.")
        }
        unsafe buffer = .allocate(capacity: bytes.count)
        for index in bytes.indices { unsafe buffer[index] = CChar(bitPattern: bytes[index]) }
        unsafe handle = qpdf_init()
        unsafe qpdf_silence_errors(handle)
        unsafe qpdf_set_suppress_warnings(handle, 1)
        let status = unsafe qpdf_read_memory(handle, "document", buffer.baseAddress, UInt64(bytes.count), password)
        var problem: WatermarkError?
        var pages = 0
        var encrypted = false
        var linearized = false
        if status & 2 != 0 {  // QPDF_ERRORS
            problem = unsafe Self.problem(handle, "The document could not be read")
        } else {
            // -1 where the page tree is damaged; a count without pages behind it is not believed either.
            pages = Int(unsafe qpdf_get_num_pages(handle))
            encrypted = unsafe qpdf_is_encrypted(handle) != 0
            linearized = unsafe qpdf_is_linearized(handle) != 0
            if pages <= 0 {
                problem = .badInput("The document has no pages that can be read. Repair it, or export it again, and try again.")
            }
        }
        pageCount = max(pages, 0)
        isEncrypted = encrypted
        isLinearized = linearized
        if let problem { throw problem }
    }

    deinit {
        // An error that nobody asked for would be written to standard error.
        if unsafe qpdf_has_error(handle) != 0 { _ = unsafe qpdf_get_error(handle) }
        unsafe qpdf_cleanup(&handle)
        unsafe buffer.deallocate()
    }

    private static func hasHeader(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: "%PDF-".utf8)
    }

    private static func problem(_ handle: qpdf_data?, _ what: String) -> WatermarkError {
        guard unsafe qpdf_has_error(handle) != 0 else { return .badInput("\(what).") }
        let error = unsafe qpdf_get_error(handle)
        if unsafe qpdf_get_error_code(handle, error) == qpdf_e_password {
            return .badInput("The document is encrypted and needs a password to be opened. Remove the password first.")
        }
        // qpdf's text may quote the document: it is not passed on.
        return .badInput("\(what): it is damaged beyond repair. Export it again from where it came from.")
    }

    package var trailer: PDFObject { unsafe PDFObject(self, qpdf_get_trailer(handle)) }
    package var root: PDFObject { unsafe PDFObject(self, qpdf_get_root(handle)) }

    package func page(_ index: Int) -> PDFObject? {
        guard index >= 0, index < pageCount else { return nil }
        let page = unsafe PDFObject(self, qpdf_get_page_n(handle, index))
        return page.isDictionary ? page : nil
    }

    /// An object by its ``PDFObject/id``.
    package func object(_ id: Int) -> PDFObject? {
        guard let number = Int32(exactly: id >> 16) else { return nil }
        let object = unsafe PDFObject(self, qpdf_get_object_by_id(handle, number, Int32(id & 0xFFFF)))
        return object.isNull ? nil : object
    }

    /// All content streams of a page as one. Empty where they cannot be decoded.
    package func content(ofPage page: PDFObject) -> [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        var length = 0
        let status = unsafe qpdf_oh_get_page_content_data(handle, page.handle, &bytes, &length)
        return unsafe Self.take(bytes, length, status)
    }

    static func take(_ bytes: UnsafeMutablePointer<UInt8>?, _ length: Int, _ status: Int32) -> [UInt8] {
        guard let bytes = unsafe bytes else { return [] }
        defer { unsafe free(bytes) }
        guard status & 2 == 0 else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: length))
    }

    package func dictionary() -> PDFObject { unsafe PDFObject(self, qpdf_oh_new_dictionary(handle)) }
    package func array() -> PDFObject { unsafe PDFObject(self, qpdf_oh_new_array(handle)) }
    package func name(_ name: String) -> PDFObject { unsafe PDFObject(self, qpdf_oh_new_name(handle, name)) }
    package func integer(_ value: Int) -> PDFObject { unsafe PDFObject(self, qpdf_oh_new_integer(handle, Int64(value))) }
    package func real(_ value: Double) -> PDFObject { unsafe PDFObject(self, qpdf_oh_new_real_from_double(handle, value, 6)) }
    package func text(_ value: String) -> PDFObject { unsafe PDFObject(self, qpdf_oh_new_unicode_string(handle, value)) }
    package func string(_ bytes: [UInt8]) -> PDFObject {
        let signed = bytes.map { CChar(bitPattern: $0) }
        return unsafe PDFObject(self, qpdf_oh_new_binary_string(handle, signed, signed.count))
    }

    /// A new stream with these bytes, which qpdf compresses when it writes.
    package func stream(_ bytes: [UInt8]) -> PDFObject {
        let stream = unsafe PDFObject(self, qpdf_oh_new_stream(handle))
        stream.replaceStreamData(bytes)
        return stream
    }

    package func indirect(_ object: PDFObject) -> PDFObject {
        unsafe PDFObject(self, qpdf_make_indirect_object(handle, object.handle))
    }

    /// The document as bytes: linearized and encrypted if it was so when opened.
    ///
    /// The same input and changes give the same bytes, except for encrypted documents: their initialisation vectors are random. qpdf's
    /// deterministic identifier is not asked for there: with AES-256 it ends the process (qpdf issue 1235).
    package func write() throws(WatermarkError) -> [UInt8] {
        try withWritten { bytes in unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) } }
    }

    /// What ``write()`` returns, without one more copy: while qpdf writes a document of fifty megabytes, it stands in memory three times.
    package func withWritten<Result>(_ use: (Span<UInt8>) -> Result) throws(WatermarkError) -> Result {
        let original = unsafe buffer.count
        // What is not compressed yet, our own streams and the original's, is left so where that costs little: fifty megabytes of pictures
        // would be compressed for more than a second, to no end.
        let plain = unsafe try written(compressing: false)
        guard plain.count > original + original / 16 else { return unsafe use(plain.span) }
        let compressed = unsafe try written(compressing: true)
        // Clients of the platform take a copy that is shorter than its original for a broken one: what compresses well stays as it was.
        guard compressed.count < original else { return unsafe use(compressed.span) }
        return unsafe use(try written(compressing: false).span)
    }

    /// qpdf's own bytes, which stand until the document is written again or released.
    private func written(compressing: Bool) throws(WatermarkError) -> UnsafeBufferPointer<UInt8> {
        unsafe qpdf_init_write_memory(handle)
        unsafe qpdf_set_object_stream_mode(handle, qpdf_o_preserve)
        unsafe qpdf_set_compress_streams(handle, compressing ? 1 : 0)
        unsafe qpdf_set_decode_level(handle, qpdf_dl_none)
        if isEncrypted {
            unsafe qpdf_set_preserve_encryption(handle, 1)
        } else {
            unsafe qpdf_set_deterministic_ID(handle, 1)
        }
        if isLinearized { unsafe qpdf_set_linearization(handle, 1) }
        let status = unsafe qpdf_write(handle)
        guard status & 2 == 0, let bytes = unsafe qpdf_get_buffer(handle) else {
            throw unsafe Self.problem(handle, "The marked document could not be written")
        }
        return unsafe UnsafeBufferPointer(start: bytes, count: qpdf_get_buffer_length(handle))
    }
}
