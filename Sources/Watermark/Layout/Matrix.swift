/// A transformation of the plane as PDF writes it: [a b c d e f], row vectors (ISO 32000-1 §8.3.3).
package struct Matrix: Equatable, Sendable {
    package var a, b, c, d, e, f: Double

    package init(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double) {
        (self.a, self.b, self.c, self.d, self.e, self.f) = (a, b, c, d, e, f)
    }

    package static let identity = Matrix(1, 0, 0, 1, 0, 0)

    init?(_ array: PDFObject) {
        guard array.count == 6 else { return nil }
        var values: [Double] = []
        for index in 0..<6 {
            guard let value = array[index].number else { return nil }
            values.append(value)
        }
        self.init(values[0], values[1], values[2], values[3], values[4], values[5])
    }

    /// First this, then `other`.
    package func then(_ other: Matrix) -> Matrix {
        Matrix(
            a * other.a + b * other.c, a * other.b + b * other.d, c * other.a + d * other.c, c * other.b + d * other.d,
            e * other.a + f * other.c + other.e, e * other.b + f * other.d + other.f)
    }

    package func apply(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        (a * x + c * y + e, b * x + d * y + f)
    }
}
