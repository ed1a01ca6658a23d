import Events
import Testing

@Suite("Field table and log sources")
struct BatchTests {
    @Test("well-known fields have the names that rules use for them")
    func wellKnown() {
        let table = FieldTable()
        for (field, name) in [
            (FieldID.message, "message"), (.sourceIP, "source.ip"), (.userName, "user.name"), (.requestLine, "http.request.line"),
            (.urlOriginal, "url.original"), (.statusCode, "http.response.status_code"), (.userAgent, "user_agent.original"),
            (.decodedRequest, "vigie.request.decoded"), (.decodedURL, "vigie.url.decoded"), (.decodedPath, "vigie.path.decoded"),
            (.sourcePrefix, "vigie.source.prefix"), (.logLevel, "log.level"), (.urlDomain, "url.domain"),
            (.timestamp, "@timestamp"), (.forwardedFor, "http.request.forwarded_for"),
        ] {
            #expect(table[field] == name)
            #expect(table.find(name) == field)
        }
        #expect(table.count == 30)
        #expect(Set(table.names).count == table.count)
    }

    @Test("interning is stable and ends before the numbers do")
    func interning() {
        var table = FieldTable()
        let first = table.intern("tenant.id")
        #expect(first != nil && table.intern("tenant.id") == first && table.find("tenant.id") == first)
        #expect(table.find("unheard.of") == nil)
        for number in 0..<70_000 { _ = table.intern("f\(number)") }
        #expect(table.count == Int(UInt16.max))
        #expect(table.intern("one too many") == nil)
        #expect(table.intern("tenant.id") == first)
    }

    @Test("an application's event may be a request, a sign-in, both or neither")
    func applications() {
        let table = LogSourceTable()
        for isRequest in [false, true] {
            for isAuthentication in [false, true] {
                let source = table[.application(isRequest: isRequest, isAuthentication: isAuthentication)]
                #expect(source.categories.contains("application"))
                #expect(source.categories.contains("webserver") == isRequest)
                #expect(source.categories.contains("authentication") == isAuthentication)
            }
        }
        #expect(table[.sshd] == LogSource(categories: ["authentication"], product: "linux", service: "sshd"))
        #expect(table[.unknown] == LogSource())
    }

    @Test("a log source that is known keeps its number, a new one gets the next")
    func internedSources() {
        var table = LogSourceTable()
        #expect(table.intern(LogSource(categories: ["webserver"])) == .webserver)
        let made = table.intern(LogSource(product: "windows", service: "sysmon"))
        #expect(made == LogSourceID(rawValue: UInt16(LogSourceTable().count)))
        #expect(table.intern(LogSource(product: "windows", service: "sysmon")) == made)
        #expect(made.map { table[$0].service } == "sysmon")
    }
}
