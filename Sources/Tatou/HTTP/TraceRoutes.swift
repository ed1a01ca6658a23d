import Events
import Guard
import HTTPTypes
import Hummingbird

/// Whose copy a leaked file is. Beyond the documented API; its pages need it.
struct TraceRoutes {
    static let path = "/api/trace-leak"

    let platform: Platform

    func add(to router: Router<TatouContext>) {
        router.post(RouterPath(Self.path), use: trace)
    }

    private struct Answer: Encodable {
        struct Accused: Encodable {
            var version: Int64
            var documentid: Int64
            var document: String
            var intended_for: String
            var method: String
            var created: String
            var score: Double
            var false_positive_bound: Double
        }
        struct Page: Encodable {
            var page: Int
            var words: Int
            var is_picture: Bool
            var of_spots: Bool
        }
        /// The page that said most: each word or spot as x and y in points from the top left, and whether it is as in the first accused
        /// copy.
        struct Evidence: Encodable {
            struct Word: Encodable {
                var x: Double
                var y: Double
                var agrees: Bool
            }
            var page: Int
            var width: Double
            var height: Double
            var words: [Word]
            var of_spots: Bool
        }
        var accused: [Accused]
        var pages: [Page]
        var evidence: Evidence?
        var decoys: Int
        var highest_decoy: Double
        /// Why nobody is accused.
        var reason: String?
    }

    /// The file is compared and forgotten: it becomes no document.
    private func trace(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        try platform.protection.limit(platform.rates.trace, account: caller.account.subject, in: context)
        var form = UploadForm(documents: platform.documents, kind: .leak)
        let leak: StagedFile
        do {
            leak = try await form.read(request).file
        } catch let refusal as DocumentRefusal {
            throw platform.answer(to: refusal, action: "leak_trace", file: form.clientName, context)
        }
        do {
            let (trace, versions) = try await platform.versions.trace(leak.opened(), owner: caller.account.id)
            await platform.documents.discard(leak)
            for (_, version) in versions {
                context.record(
                    .watermark(.read, resource: version.resource).with {
                        $0.details["labels.correlation_id"] = version.correlation
                        $0.details["tatou.version.id"] = String(version.id)
                    })
            }
            return try JSONAnswer.response(Self.answer(trace, versions))
        } catch let failure as ProcessingFailure {
            await platform.documents.discard(leak)
            throw platform.answer(to: DocumentRefusal(failure), action: "leak_trace", file: form.clientName, context)
        } catch {
            await platform.documents.discard(leak)
            throw error
        }
    }

    private static func answer(_ trace: TraceVerdict, _ versions: [(accused: TraceVerdict.Accused, version: Version)]) -> Answer {
        Answer(
            accused: versions.map { accused, version in
                .init(
                    version: version.id, documentid: version.document, document: version.documentName,
                    intended_for: version.intendedFor, method: version.method, created: version.createdAt.rfc3339,
                    score: accused.score, false_positive_bound: accused.falsePositiveBound)
            },
            pages: trace.pages.map { .init(page: $0.number, words: $0.words, is_picture: $0.isPicture, of_spots: $0.isOfSpots) },
            // Drawn only for a copy that is the caller's own.
            evidence: versions.isEmpty
                ? nil
                : trace.evidence.map { page in
                    .init(
                        page: page.number, width: page.width, height: page.height,
                        words: page.words.map { .init(x: $0.x, y: $0.y, agrees: $0.agrees) }, of_spots: page.isOfSpots)
                },
            decoys: trace.decoys, highest_decoy: trace.highestDecoyScore, reason: versions.isEmpty ? reason(trace) : nil)
    }

    private static func reason(_ trace: TraceVerdict) -> String {
        trace.isRecognised
            ? "It looks like one of your documents, but its marks do not say certainly enough that it is one of its copies. Nobody is accused."
            : "None of your documents with copies was recognised in it."
    }
}
