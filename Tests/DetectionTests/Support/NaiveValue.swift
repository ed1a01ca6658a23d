import Foundation

@testable import Detection

/// What one value of a rule asks of a text, worked out anew for each text.
struct NaiveValue {
    let modifiers: [String]

    private func has(_ names: String...) -> Bool { names.contains(where: modifiers.contains) }

    func holds(_ value: SigmaValue, _ text: String) -> Bool {
        guard let wanted = value.text else { return false }
        if has("re") { return isFound(expression: wanted, in: text) }
        if has("cidr") { return NaiveAddress.isWithin(wanted, text) }
        if let part = Self.parts.keys.first(where: modifiers.contains) {
            return Self.part(part, of: text).map { isComparable(Double($0), wanted) } ?? false
        }
        if has("lt", "lte", "gt", "gte") { return Double(text).map { isComparable($0, wanted) } ?? false }
        return spellings(wanted).contains { NaiveText.glob(anchored($0), text, isCased: has("cased", "base64", "base64offset")) }
    }

    /// Whether the text of another field stands where the modifiers want it.
    func stands(_ other: String, in text: String) -> Bool {
        NaiveText.glob(anchored(NaiveText.escaped(other)), text, isCased: has("cased"))
    }

    private func anchored(_ pattern: String) -> String {
        let isWithin = has("contains", "base64offset")
        return NaiveText.between(
            isWithin || has("endswith") ? "*" : "", pattern, isWithin || has("startswith") ? "*" : "")
    }

    private func isComparable(_ left: Double, _ wanted: String) -> Bool {
        guard let right = Double(wanted) else { return false }
        if has("lt") { return left < right }
        if has("lte") { return left <= right }
        if has("gt") { return left > right }
        return has("gte") ? left >= right : left == right
    }

    private func isFound(expression: String, in text: String) -> Bool {
        guard let regex = try? Regex(expression) else { return false }
        // Perl's classes, as they are unless told otherwise; characters are scalars.
        return
            text.contains(
                regex.matchingSemantics(.unicodeScalar).asciiOnlyDigits().asciiOnlyWhitespace().asciiOnlyWordCharacters()
                    .ignoresCase(has("i", "ignorecase")).anchorsMatchLineEndings(has("m", "multiline")).dotMatchesNewlines(
                        has("s", "dotall")))
    }

    // MARK: - Texts that a value stands for

    private func spellings(_ wanted: String) -> [String] {
        if has("windash") { return dashed(Array(wanted)) }
        guard let encoded = encoded(NaiveText.meant(wanted)) else { return [wanted] }
        return encoded.map(NaiveText.escaped)
    }

    /// A dash or slash that begins a word and ends none is any of the five.
    private func dashed(_ text: [Character], from place: Int = 0) -> [String] {
        func isWord(_ place: Int) -> Bool {
            text.indices.contains(place) && (text[place].isLetter || text[place].isNumber || text[place] == "_")
        }
        guard place < text.count else { return [String(text)] }
        guard "-/–—―".contains(text[place]), !isWord(place - 1), isWord(place + 1) else { return dashed(text, from: place + 1) }
        return "-/–—―".flatMap { mark in
            var other = text
            other[place] = mark
            return dashed(other, from: place + 1)
        }
    }

    /// By one encoding after the other; `nil` where there is none. What is no text at the end is in no event.
    private func encoded(_ text: String) -> [String]? {
        var data = Data(text.utf8)
        var isEncoded = false
        for modifier in modifiers {
            let wide = String(decoding: data, as: UTF8.self)
            switch modifier {
            case "wide", "utf16le": data = wide.data(using: .utf16LittleEndian) ?? Data()
            case "utf16be": data = wide.data(using: .utf16BigEndian) ?? Data()
            case "utf16": data = Data([0xFF, 0xFE]) + (wide.data(using: .utf16LittleEndian) ?? Data())
            case "base64": data = data.base64EncodedData()
            case "base64offset": return shifted(data)
            default: continue
            }
            isEncoded = true
        }
        return isEncoded ? [String(data: data, encoding: .utf8)].compactMap(\.self) : nil
    }

    /// As it looks inside something longer: behind none, one or two bytes, without what depends on its neighbours.
    private func shifted(_ data: Data) -> [String] {
        (0..<3).map { before in
            let whole = (Data(repeating: 0x20, count: before) + data).base64EncodedString()
            return String(whole.dropFirst([0, 2, 3][before]).dropLast([0, 3, 2][(before + data.count) % 3]))
        }
    }

    // MARK: - Times

    private static let parts: [String: Calendar.Component] = [
        "minute": .minute, "hour": .hour, "day": .day, "week": .weekOfYear, "month": .month, "year": .year,
    ]

    private static func part(_ name: String, of text: String) -> Int? {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = text.contains(".") ? [.withInternetDateTime, .withFractionalSeconds] : .withInternetDateTime
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = .gmt
        guard let date = formatter.date(from: text), let component = parts[name] else { return nil }
        return calendar.component(component, from: date)
    }
}

/// Addresses, digit by digit.
enum NaiveAddress {
    static func isWithin(_ network: String, _ address: String) -> Bool {
        let halves = network.split(separator: "/")
        guard halves.count == 2, let length = Int(halves[1]), let base = bits(String(halves[0])), let own = bits(address),
            base.count == own.count
        else { return false }
        return base.prefix(length) == own.prefix(length)
    }

    private static func bits(_ text: String) -> String? {
        text.contains(":") ? version6(text) : version4(text)
    }

    private static func version4(_ text: String) -> String? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4 else { return nil }
        return joined(parts.map { $0.map(UInt16.init) }, width: 8)
    }

    private static func version6(_ text: String) -> String? {
        let sides = text.components(separatedBy: "::").map { $0.split(separator: ":").map { UInt16($0, radix: 16) } }
        guard let first = sides.first, sides.count <= 2 else { return nil }
        let last = sides.count == 2 ? sides[1] : []
        let missing = 8 - first.count - last.count
        guard missing >= 0, sides.count == 2 || missing == 0 else { return nil }
        return joined(first + Array(repeating: 0, count: missing) + last, width: 16)
    }

    private static func joined(_ parts: [UInt16?], width: Int) -> String? {
        guard !parts.contains(nil) else { return nil }
        return parts.compactMap(\.self).map { part in
            let digits = String(part, radix: 2)
            return String(repeating: "0", count: width - digits.count) + digits
        }.joined()
    }
}
