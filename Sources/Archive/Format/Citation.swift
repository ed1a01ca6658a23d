package import Events

/// Names a line that a finding rests on: security events are kept longer.
package struct Citation: Sendable, Hashable {
    package var origin: BatchOrigin
    package var offset: Int64

    package init(origin: BatchOrigin, offset: Int64) {
        self.origin = origin
        self.offset = offset
    }

    static func payload(of citations: [Citation]) -> [UInt8] {
        var writer = NumberWriter()
        writer.number(citations.count)
        for citation in citations {
            writer.text(citation.origin.source)
            writer.number(citation.origin.generation)
            writer.signed(citation.offset)
        }
        return writer.bytes
    }

    static func read(payload: [UInt8]) -> [Citation]? {
        var reader = NumberReader(payload)
        guard let count = reader.count(limit: payload.count) else { return nil }
        var citations: [Citation] = []
        for _ in 0..<count {
            guard let source = reader.text(limit: LineBlock.maximumName),
                let generation = reader.count(limit: Int(Int32.max)), let offset = reader.signed()
            else { return nil }
            citations.append(Citation(origin: BatchOrigin(source: source, generation: generation), offset: offset))
        }
        return reader.left == 0 ? citations : nil
    }
}
