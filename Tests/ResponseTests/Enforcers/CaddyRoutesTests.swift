import Foundation
import Journal
import Response
import Testing

/// What Caddy 2.6 gives for Caddyfiles that import a deny file, with `GET /config/`.
@Suite struct CaddyRoutesTests {
    private static func configuration(_ routes: [String]) throws -> JSONValue {
        let text = #"{"apps":{"http":{"servers":{"srv0":{"listen":[":80"],"routes":[\#(routes.joined(separator: ","))]}}}}}"#
        return try JSONValue(parsing: Array(text.utf8))
    }

    private static let abort =
        #"{"match":[{"remote_ip":{"ranges":["203.0.113.9/32","2001:db8::/48"]}}],"handle":[{"abort":true,"handler":"static_response"}]}"#
    private static let handle =
        #"{"match":[{"path":["/x"]}],"handle":[{"handler":"subroute","routes":[{"handle":[{"body":"x","handler":"static_response"}]}]}]}"#

    @Test func whatIsAskedFirstCounts() throws {
        let found = CaddyRoutes.aborted(try Self.configuration([Self.abort, Self.handle]))
        #expect(found == ["203.0.113.9/32", "2001:db8::/48"])
    }

    /// `handle` comes before `abort` by Caddy's default order: its paths are served to whom the file blocks.
    @Test func whatIsAskedLaterDoesNot() throws {
        #expect(CaddyRoutes.aborted(try Self.configuration([Self.handle, Self.abort])).isEmpty)
    }

    @Test func aSiteWithAHostIsLookedInto() throws {
        let site =
            #"{"match":[{"host":["a.example"]}],"handle":[{"handler":"subroute","routes":[\#(Self.abort),\#(Self.handle)]}]}"#
        #expect(CaddyRoutes.aborted(try Self.configuration([site])).count == 2)
    }

    @Test(arguments: [
        #"{"match":[{"remote_ip":{"ranges":["203.0.113.9/32"]},"path":["/admin"]}],"handle":[{"abort":true,"handler":"static_response"}]}"#,
        #"{"match":[{"remote_ip":{"ranges":["203.0.113.9/32"]}}],"handle":[{"handler":"static_response","status_code":204}]}"#,
        #"{"handle":[{"abort":true,"handler":"static_response"}]}"#, "null", "[]", #"{"match":7,"handle":{}}"#,
    ])
    func whatBlocksLessDoesNot(_ route: String) throws {
        #expect(CaddyRoutes.aborted(try Self.configuration([route])).isEmpty)
    }
}
