import Dispatch
import Foundation

/// Renders pages by poppler's `pdftoppm`, in a process of its own with limits on time and memory.
///
/// The document stands in a temporary file that only this user can read, for as long as the renderer lives.
package final class PageRenderer: Sendable {
    private let folder: URL
    private let file: URL

    package init(_ document: [UInt8]) throws(WatermarkError) {
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

    /// Grey pictures of pages, counted from 0, both ends included.
    package func render(_ pages: ClosedRange<Int>, dotsPerInch: Double) throws(WatermarkError) -> [GrayImage] {
        let output = try run([
            "pdftoppm", "-gray", "-r", String(dotsPerInch), "-f", String(pages.lowerBound + 1), "-l",
            String(pages.upperBound + 1),
            file.path,
        ])
        var images: [GrayImage] = []
        var position = 0
        while images.count < pages.count, let (image, end) = PortableGrayMap.read(output, from: position) {
            images.append(image)
            position = end
        }
        guard images.count == pages.count else {
            throw .badInput("Pages \(pages.lowerBound + 1) to \(pages.upperBound + 1) could not be rendered.")
        }
        return images
    }

    /// 20 s of CPU time and 2 GiB: documents of people need a fraction, bombs end here.
    private static let limits = ["--cpu=20", "--as=2147483648", "--core=0", "--"]

    private func run(_ arguments: [String]) throws(WatermarkError) -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
        process.arguments = Self.limits + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
            // A process that waits for something uses no CPU time: it is ended by the clock.
            let watchdog = DispatchWorkItem { process.terminate() }
            DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: watchdog)
            let data = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            watchdog.cancel()
            guard process.terminationReason == .exit, process.terminationStatus == 0 else {
                throw WatermarkError.badInput(
                    "The pages could not be rendered. pdftoppm (Debian: poppler-utils) has to be installed.")
            }
            return [UInt8](data)
        } catch let error as WatermarkError {
            throw error
        } catch {
            throw WatermarkError(
                .other, "Pages are rendered by pdftoppm and prlimit (Debian: poppler-utils, util-linux): not found.")
        }
    }
}

/// The format of `pdftoppm -gray`: P5, width, height, 255, then bytes.
enum PortableGrayMap {
    static func read(_ bytes: [UInt8], from start: Int) -> (image: GrayImage, end: Int)? {
        var position = start
        func word() -> String? {
            while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
            let begin = position
            while position < bytes.count, bytes[position] > 0x20 { position += 1 }
            return String(validating: bytes[begin..<position], as: UTF8.self)
        }
        guard word() == "P5", let width = word().flatMap(Int.init), let height = word().flatMap(Int.init), word() == "255",
            width > 0, height > 0, width <= 30_000, height <= 30_000, position + 1 + width * height <= bytes.count
        else { return nil }
        position += 1
        let pixels = bytes[position..<(position + width * height)].map { Float($0) }
        return (GrayImage(width: width, height: height, pixels: pixels), position + width * height)
    }
}
