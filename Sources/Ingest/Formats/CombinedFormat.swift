import Events

/// nginx's and Apache's access log: `host ident user [time] "request" status bytes "referrer" "user agent"`.
///
/// Referrer and user agent may be missing (the `common` format), a virtual host may stand in front, and whatever
/// follows is ignored. Quotes inside quoted parts are escaped by both servers, as `\x22` or `\"`.
enum CombinedFormat {
    static func parse(_ bytes: Span<UInt8>, _ line: ByteRange, into sink: inout FieldSink) -> ParsedLine? {
        let end = line.end
        let start = Int(line.start)
        guard let clientEnd = bytes.firstIndex(of: 0x20, from: start, to: end) else { return nil }
        let time: Timestamp
        let close: Int
        if isPlainClient(bytes, start, clientEnd), let known = plainTime(bytes, clientEnd, end, &sink.recentTime) {
            time = known
            close = clientEnd + 32
            // The word behind the client is `-`, so what stands in front is no virtual host; and there is no user.
            sink.add(.sourceIP, start, clientEnd)
        } else {
            guard let open = timeStart(bytes, from: clientEnd, to: end),
                let bracket = bytes.firstIndex(of: UInt8(ascii: "]"), from: open, to: min(end, open + 40)),
                let read = self.time(bytes.extracting(open..<bracket)),
                addClient(bytes, start, clientEnd, timeBracket: open - 1, into: &sink)
            else { return nil }
            if bracket - open == 26 { sink.recentTime.remember(combined: bytes, at: open, read) }
            time = read
            close = bracket
        }
        guard let request = quoted(bytes, from: close + 1, to: end) else { return nil }
        addRequest(bytes, request, into: &sink)
        var index = request.upperBound + 1
        if let status = field(bytes, from: &index, to: end), bytes.decimal(from: status.lowerBound, to: status.upperBound) != nil
        {
            sink.add(.statusCode, status.lowerBound, status.upperBound)
            if let size = field(bytes, from: &index, to: end), bytes[size.lowerBound] != UInt8(ascii: "-") {
                sink.add(.responseBytes, size.lowerBound, size.upperBound)
            }
        }
        if let referrer = quoted(bytes, from: index, to: end) {
            add(.referrer, bytes, referrer, into: &sink)
            if let agent = quoted(bytes, from: referrer.upperBound + 1, to: end) {
                add(.userAgent, bytes, agent, into: &sink)
                sink.tail = agent.upperBound + 1
            }
        }
        sink.addDecodedRequest()
        return ParsedLine(time: time, logSource: .webserver)
    }

    /// The time of a line that goes on ` - - [time] "` behind its client, as nearly all do, when its date is the one that
    /// the line before had.
    @inline(__always)
    private static func plainTime(
        _ bytes: Span<UInt8>, _ clientEnd: Int, _ end: Int, _ recent: inout RecentTime
    ) -> Timestamp? {
        guard end &- clientEnd >= 35, bytes.word(uncheckedAt: clientEnd) & ByteWord.mask(6) == plainUser,
            bytes.word(uncheckedAt: clientEnd + 27) >> 40 == plainClose
        else { return nil }
        return recent.combined(bytes, at: clientEnd + 6)
    }

    /// ` - - [` and `] "`, the first byte lowest.
    private static let plainUser: UInt64 = 0x5B20_2D20_2D20
    private static let plainClose: UInt64 = 0x22_205D

    /// Just after the ` [` that opens the time: the last one before `] "`, since the user name in front of it is the
    /// client's own text. A raw quote cannot stand in that name: both servers escape it.
    private static func timeStart(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        guard let close = bytes.firstIndex(of: "] \"", from: start, to: end),
            let open = bytes.lastIndex(of: " [", from: start, to: close)
        else { return nil }
        return open + 2
    }

    /// The client and the user in front of the time.
    private static func addClient(
        _ bytes: Span<UInt8>, _ start: Int, _ firstEnd: Int, timeBracket: Int, into sink: inout FieldSink
    ) -> Bool {
        var start = start
        var end = firstEnd
        if IPAddress(bytes.extracting(start..<end)) == nil {
            // `vhost:port client ident user`: taken so only where the second word is an address.
            if let second = bytes.firstIndex(of: 0x20, from: end + 1, to: timeBracket), second > end + 1,
                IPAddress(bytes.extracting(end + 1..<second)) != nil
            {
                sink.add(.urlDomain, start, end)
                start = end + 1
                end = second
            } else if !isNamedClient(bytes, start, end, timeBracket: timeBracket) {
                return false
            }
        }
        // `-`: the client came by a socket that has no addresses.
        add(.sourceIP, bytes, start..<end, into: &sink)
        // `ident user`: the user is what follows the second space.
        guard let identEnd = bytes.firstIndex(of: 0x20, from: end + 1, to: timeBracket) else { return timeBracket > end }
        let user = identEnd + 1..<max(identEnd + 1, timeBracket - 1)
        if !user.isEmpty, !(user.count == 1 && bytes[user.lowerBound] == UInt8(ascii: "-")) {
            sink.add(.userName, user.lowerBound, user.upperBound)
        }
        return true
    }

    /// Enough to tell a client in front of ` - - [`: no syslog header ends so, and what priority or tag might stand there
    /// begins with `<` or ends in a colon.
    @inline(__always)
    private static func isPlainClient(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let byte = bytes[start]
        return (byte &- 0x30 <= 10 || (byte | 0x20) &- 0x61 < 26) && bytes[end &- 1] != UInt8(ascii: ":")
    }

    /// Whether a first word that is no address stands for the client: a host name (Apache's `HostnameLookups`), nginx's
    /// `unix:`, or `-`, with nothing but ident and user behind it.
    ///
    /// A syslog header's first word is a part of a priority or a date, and more than two words follow it.
    private static func isNamedClient(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, timeBracket: Int) -> Bool {
        guard end > start, let identEnd = bytes.firstIndex(of: 0x20, from: end + 1, to: timeBracket), identEnd > end + 1 else {
            return false
        }
        let isIdentEmpty = identEnd == end + 2 && bytes[end + 1] == UInt8(ascii: "-")
        let user = identEnd + 1..<max(identEnd + 1, timeBracket - 1)
        if isIdentEmpty, user.count == 1, bytes[user.lowerBound] == UInt8(ascii: "-"), isPlainClient(bytes, start, end) {
            return true
        }
        let last = bytes[end - 1] == UInt8(ascii: ":") ? end - 1 : end
        var hasDot = false
        for index in start..<last {
            let byte = bytes[index]
            if byte == UInt8(ascii: ".") { hasDot = true }
            guard byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 < 26 || "._-".utf8.contains(byte) else { return false }
        }
        guard let space = bytes.firstIndex(of: 0x20, from: user.lowerBound, to: user.upperBound) else { return true }
        // A user's name may have spaces; but `host - 192.0.2.1 - - [` is a format of somebody's own.
        return hasDot && isIdentEmpty && IPAddress(bytes.extracting(user.lowerBound..<space)) == nil
    }

    /// `METHOD target HTTP/x`, or, where the request is not that, the request as it is.
    private static func addRequest(_ bytes: Span<UInt8>, _ request: Range<Int>, into sink: inout FieldSink) {
        guard let parts = self.request(bytes, request) else {
            if !request.isEmpty, !(request.count == 1 && bytes[request.lowerBound] == UInt8(ascii: "-")) {
                sink.add(.requestLine, request.lowerBound, request.upperBound)
            }
            return
        }
        if parts.version < request.upperBound { sink.add(.httpVersion, parts.version, request.upperBound) }
        sink.add(.requestMethod, request.lowerBound, parts.methodEnd)
        sink.addRequestTarget(bytes, parts.methodEnd + 1, parts.targetEnd)
    }

    /// Where method and target of a request line end, and its version begins: at its end where there is none. `nil` where it is no
    /// request line.
    @inline(__always)
    static func request(_ bytes: Span<UInt8>, _ line: Range<Int>) -> (methodEnd: Int, targetEnd: Int, version: Int)? {
        let start = line.lowerBound
        let end = line.upperBound
        guard let methodEnd = bytes.firstIndex(of: 0x20, from: start, to: min(end, start + 25)), methodEnd > start,
            isMethod(bytes, start, methodEnd)
        else { return nil }
        if end - methodEnd > 9, bytes.word(uncheckedAt: end - 9) == plainVersion, bytes[end - 1] != 0x20 {
            return (methodEnd, end - 9, end - 3)
        }
        if let version = bytes.lastIndex(of: 0x20, from: methodEnd + 1, to: end),
            bytes.hasPrefix("HTTP", from: version + 1, to: end),
            // Some encoders of JSON write it as `\/`.
            let slash = bytes.lastIndex(of: UInt8(ascii: "/"), from: version + 5, to: end)
        {
            return (methodEnd, version, slash + 1)
        }
        guard methodEnd + 1 < end, bytes[methodEnd + 1] == UInt8(ascii: "/") else { return nil }
        return (methodEnd, end, end)
    }

    /// ` HTTP/1.`, the first byte lowest.
    private static let plainVersion: UInt64 = 0x2E31_2F50_5454_4820

    private static func isMethod(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        for index in start..<end {
            let byte = bytes[index]
            guard byte &- 0x41 < 26 || byte &- 0x61 < 26 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") else {
                return false
            }
        }
        return true
    }

    private static func add(_ field: FieldID, _ bytes: Span<UInt8>, _ range: Range<Int>, into sink: inout FieldSink) {
        guard !AbsentValue.isBlank(bytes, range.lowerBound, range.upperBound) else { return }
        sink.add(field, range.lowerBound, range.upperBound)
    }

    /// The inside of the next quoted part, which must follow at once, spaces aside.
    private static func quoted(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Range<Int>? {
        var index = start
        while index < end, bytes[index] == 0x20 { index += 1 }
        guard index < end, bytes[index] == UInt8(ascii: "\"") else { return nil }
        let first = index + 1
        index = first
        while let found = bytes.firstIndex(of: UInt8(ascii: "\""), or: UInt8(ascii: "\\"), from: index, to: end) {
            if bytes[found] == UInt8(ascii: "\"") { return first..<found }
            index = found + 2
        }
        // A line cut short by the length limit: what there is of the part is better seen than lost.
        return end - first > 1024 ? first..<end : nil
    }

    /// The next word; moves `index` behind it.
    private static func field(_ bytes: Span<UInt8>, from index: inout Int, to end: Int) -> Range<Int>? {
        while index < end, bytes[index] == 0x20 { index += 1 }
        let start = index
        while index < end, bytes[index] != 0x20 { index += 1 }
        return index > start ? start..<index : nil
    }

    /// `10/Oct/2000:13:55:36 -0700`.
    static func time(_ bytes: Span<UInt8>) -> Timestamp? {
        var scanner = DigitScanner(bytes)
        guard let day = scanner.number(digits: 2), scanner.take(UInt8(ascii: "/")), scanner.index + 3 < bytes.count,
            let month = MonthName.number(bytes, at: scanner.index)
        else { return nil }
        scanner.skip(3)
        guard scanner.take(UInt8(ascii: "/")), let year = scanner.number(digits: 4), scanner.take(UInt8(ascii: ":")),
            let hour = scanner.number(digits: 2), scanner.take(UInt8(ascii: ":")),
            let minute = scanner.number(digits: 2), scanner.take(UInt8(ascii: ":")),
            let second = scanner.number(digits: 2)
        else { return nil }
        var nanosecond = 0
        if scanner.take(UInt8(ascii: ".")) {
            guard let fraction = scanner.fraction() else { return nil }
            nanosecond = fraction
        }
        var offset = 0
        if scanner.take(0x20) {
            guard let named = scanner.offset() else { return nil }
            offset = named
        }
        guard scanner.isAtEnd else { return nil }
        return Timestamp(
            CivilDate(year: year, month: month, day: day), hour: hour, minute: minute, second: second, nanosecond: nanosecond,
            offsetSeconds: offset)
    }
}

/// English month abbreviations, as every log format writes them.
enum MonthName {
    /// 1 to 12 for the three letters at `index`, in any case.
    static func number(_ bytes: Span<UInt8>, at index: Int) -> Int? {
        guard index + 3 <= bytes.count else { return nil }
        let key = UInt32(bytes[index] | 0x20) << 16 | UInt32(bytes[index + 1] | 0x20) << 8 | UInt32(bytes[index + 2] | 0x20)
        switch key {
        case 0x6A616E: return 1
        case 0x666562: return 2
        case 0x6D6172: return 3
        case 0x617072: return 4
        case 0x6D6179: return 5
        case 0x6A756E: return 6
        case 0x6A756C: return 7
        case 0x617567: return 8
        case 0x736570: return 9
        case 0x6F6374: return 10
        case 0x6E6F76: return 11
        case 0x646563: return 12
        default: return nil
        }
    }
}
