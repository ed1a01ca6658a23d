/// Where a page's words lie on its picture.
struct PageGeometry {
    let box: Box
    let rotation: Int
    let pixelsPerPoint: Double

    init(_ page: PageLayout, dotsPerInch: Double) {
        box = page.box
        rotation = page.rotation
        pixelsPerPoint = dotsPerInch / 72
    }

    /// A point of the page in pixels of its picture, from the top left.
    func pixel(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        let left = (x - box.minX) * pixelsPerPoint
        let bottom = (y - box.minY) * pixelsPerPoint
        let width = box.width * pixelsPerPoint
        let height = box.height * pixelsPerPoint
        return switch rotation {
        case 90: (bottom, left)
        case 180: (width - left, bottom)
        case 270: (height - bottom, width - left)
        default: (left, height - bottom)
        }
    }

    /// A direction of the page on its picture.
    func direction(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        switch rotation {
        case 90: (y, x)
        case 180: (-x, y)
        case 270: (-y, -x)
        default: (x, -y)
        }
    }
}

/// A word on the picture of its page, in pixels.
struct WordRegion {
    var place: Int
    var minX, minY, maxX, maxY: Int
    /// Direction of writing.
    var directionX, directionY: Double
    /// Pixels that the mark moves it by.
    var amplitude: Double
    /// In points from the top left of the page as it is shown.
    var pointX, pointY: Double

    var centreX: Double { Double(minX + maxX) / 2 }
    var centreY: Double { Double(minY + maxY) / 2 }

    init?(_ word: PlacedWord, _ geometry: PageGeometry, amplitude: Double, limitX: Int, limitY: Int) {
        let normalX = -word.directionY
        let normalY = word.directionX
        let margin = 0.08 * word.em
        var xs: [Double] = []
        var ys: [Double] = []
        for along in [-margin, word.width + margin] {
            for up in [-0.26 * word.height, 0.80 * word.height] {
                let (x, y) = geometry.pixel(
                    word.x + along * word.directionX + up * normalX, word.y + along * word.directionY + up * normalY)
                xs.append(x)
                ys.append(y)
            }
        }
        guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max(),
            left.isFinite, right.isFinite, top.isFinite, bottom.isFinite,
            left > 2, top > 2, right < Double(limitX - 3), bottom < Double(limitY - 3)
        else { return nil }
        place = word.carrier
        minX = Int(left.rounded())
        maxX = Int(right.rounded())
        minY = Int(top.rounded())
        maxY = Int(bottom.rounded())
        guard maxX - minX >= 4, maxY - minY >= 4, maxX - minX < 4_000, maxY - minY < 4_000 else { return nil }
        (directionX, directionY) = geometry.direction(word.directionX, word.directionY)
        self.amplitude = amplitude / 1000 * word.em * geometry.pixelsPerPoint
        pointX = centre(left, right) / geometry.pixelsPerPoint
        pointY = centre(top, bottom) / geometry.pixelsPerPoint
        func centre(_ least: Double, _ most: Double) -> Double { (least + most) / 2 }
    }
}

extension WordRegion {
    /// Squares all over a picture, for pictures that have no words.
    static func patches(width: Int, height: Int, side: Int, margin: Int) -> [WordRegion] {
        var patches: [WordRegion] = []
        for top in stride(from: margin, to: height - margin - side, by: side) {
            for left in stride(from: margin, to: width - margin - side, by: side) {
                patches.append(WordRegion(minX: left, minY: top, side: side))
            }
        }
        return patches
    }

    private init(minX: Int, minY: Int, side: Int) {
        place = 0
        (self.minX, self.minY) = (minX, minY)
        (maxX, maxY) = (minX + side, minY + side)
        (directionX, directionY) = (1, 0)
        amplitude = 1
        (pointX, pointY) = (0, 0)
    }
}
