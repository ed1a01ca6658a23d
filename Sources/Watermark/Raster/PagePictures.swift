/// Pages of an original as pictures: rendered when asked for, or beforehand by somebody who may start programs.
package protocol PagePictures {
    /// At ``PageResolution/measured``; nil where there is no picture of this page, counted from 0.
    func page(_ index: Int) throws(WatermarkError) -> GrayImage?
}

/// Dots per inch at which pages are rendered.
package enum PageResolution {
    /// Of originals against which words are measured: finer, they are not measured any better.
    package static let measured = 170.0
    /// At which pictures and pages are compared to find each other.
    package static let preview = 100.0
    /// Of leaks that are documents.
    package static let leaked = 150.0
}

/// Pages that were rendered beforehand, one behind the other, as ``PortableGrayMap`` says.
package struct RenderedPages: PagePictures {
    private let bytes: [UInt8]
    private var starts: [Int: Int] = [:]

    /// - Parameter pages: numbers of the pages that stand in `bytes`, in that order.
    package init(_ bytes: [UInt8], pages: [Int]) {
        self.bytes = bytes
        var position = 0
        for page in pages {
            guard let header = PortableGrayMap.header(bytes, from: position) else { break }
            starts[page] = position
            position = header.end
        }
    }

    package func page(_ index: Int) throws(WatermarkError) -> GrayImage? {
        starts[index].flatMap { PortableGrayMap.read(bytes, from: $0)?.image }
    }
}
