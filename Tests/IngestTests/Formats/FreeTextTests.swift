import Ingest
import Testing

@Suite("Whom a message is about that no format knows")
struct FreeTextTests {
    private func user(_ message: String) -> String? {
        Reading("Mar  1 10:00:00 web app: \(message)", .syslog).events.first?["user.name"]
    }

    @Test(
        "words that English puts behind user and login name nobody",
        arguments: [
            "Invalid username or password", "Invalid username or password from 192.0.2.7", "invalid user name or password",
            "completed POST /user/login for 192.0.2.7:0, 200 OK", "Login attempt for jane", "Login from 192.0.2.7",
            "user agent Mozilla", "Unknown user: not found", "account locked", "The user has no mailbox", "user=- denied",
            "user=-- denied", "user=false denied", "user= denied",
        ])
    func nobody(_ message: String) { #expect(user(message) == nil) }

    @Test(
        "names are found in quotes, behind a colon or an equals sign, and as a word",
        arguments: [
            ("denied user bob", "bob"), ("denied user 'for'", "for"), ("denied user \"or\"", "or"),
            ("user=from ip=192.0.2.7", "from"),
            ("Invalid username or password, user=jane", "jane"), ("Login failed for user bob.", "bob"), ("user: jane", "jane"),
            ("Login attempt for user jane", "jane"), ("bad login for account jane", "jane"), ("login bob refused", "bob"),
            ("user failed; retried user <bob>", "bob"),
        ])
    func somebody(_ message: String, _ name: String) { #expect(user(message) == name) }
}
