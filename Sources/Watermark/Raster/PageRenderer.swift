import Foundation
import Programs

/// Renders pages by poppler's `pdftoppm`, in a process of its own with limits on time and memory.
///
/// The document stands in a temporary file that only this user can read, for as long as the renderer lives.
package final class PageRenderer: PagePictures {
    private let folder: URL
    private let file: URL

    private let document: [UInt8]

    package init(_ document: [UInt8]) throws(WatermarkError) {
        self.document = document
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("watermark-\(UUID().uuidString)")
        file = folder.appendingPathComponent("document.pdf")
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try Data(document).write(to: file)
        } catch {
            throw WatermarkError(.other, "No temporary file could be written: \(error.localizedDescription)")
        }
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    /// Nil where there is no such page.
    package func page(_ index: Int) throws(WatermarkError) -> GrayImage? {
        try render(index...index, dotsPerInch: PageResolution.measured).first
    }

    /// Grey pictures of pages, counted from 0, both ends included.
    package func render(_ pages: ClosedRange<Int>, dotsPerInch: Double) throws(WatermarkError) -> [GrayImage] {
        let output = try run([
            "pdftoppm", "-gray", "-r", String(dotsPerInch), "-f", String(pages.lowerBound + 1), "-l",
            String(pages.upperBound + 1),
            file.path,
        ])
        let images = PortableGrayMap.images(output, most: pages.count)
        guard images.count == pages.count else {
            throw .badInput("Pages \(pages.lowerBound + 1) to \(pages.upperBound + 1) could not be rendered.")
        }
        return images
    }

    /// Of the first pages; of a document that cannot be rendered, of none.
    package func fingerprint() throws(WatermarkError) -> DocumentFingerprint {
        var fingerprint = DocumentFingerprint()
        do {
            let count = min(try PDFDocument(document).pageCount, DocumentFingerprint.mostPages)
            // Some at a time: a rendering is held in memory whole.
            for first in stride(from: 0, to: count, by: 8) {
                for page in try render(first...min(first + 7, count - 1), dotsPerInch: PageResolution.preview) {
                    fingerprint.add(page)
                }
            }
        } catch  where error.code == .badInput {}
        return fingerprint
    }

    /// 20 s of CPU time and 2 GiB: documents of people need a fraction, bombs end here.
    private static let limits = ["--cpu=20", "--as=2147483648", "--core=0", "--"]
    /// By the clock: what waits for something uses no CPU time.
    private static let seconds = 60.0
    /// Some 60 pages at 300 dots per inch.
    private static let mostBytes = 512 << 20

    private func run(_ arguments: [String]) throws(WatermarkError) -> [UInt8] {
        var program = Subprocess(
            "/usr/bin/prlimit", Self.limits + arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"])
        program.outputLimit = Self.mostBytes
        program.floodLimit = Self.mostBytes
        let outcome: Subprocess.Outcome
        do {
            outcome = try program.runBlocking(seconds: Self.seconds)
        } catch {
            throw WatermarkError(
                .other, "Pages are rendered by pdftoppm and prlimit (Debian: poppler-utils, util-linux): \(error).")
        }
        guard outcome.ending == .exited(0) else {
            throw .badInput("The pages could not be rendered. pdftoppm (Debian: poppler-utils) has to be installed.")
        }
        return outcome.output
    }
}
