import Events
import Testing

@Suite("Refusals of orders")
struct OrderRefusalTests {
    private enum ParcelCode: String, RefusalCode {
        case tooHeavy = "too_heavy"
        case lost

        var kind: RefusalKind { self == .lost ? .unknown : .invalid }
    }

    /// One that says more than others.
    private struct Wait: OrderRefusing {
        enum Code: String, RefusalCode {
            case often

            var kind: RefusalKind { .limited }
        }

        var code = Code.often
        var reason = "that was often"
        var advice = "wait"
        var retryAfter: Int64? = 7
    }

    private func thrown(_ error: any Error) -> (any OrderRefusing)? {
        do {
            throw error
        } catch let refusal as any OrderRefusing {
            return refusal
        } catch {
            return nil
        }
    }

    @Test("is one sentence of what happened and what to do")
    func sentence() {
        let refusal = OrderRefusal(ParcelCode.tooHeavy, "it weighs 40 kg", "send two")
        #expect("\(refusal)" == "it weighs 40 kg; send two")
        #expect("\(Wait())" == "that was often; wait")
    }

    @Test("whoever serves orders tells it by what all have, and by its own code for programs")
    func caught() throws {
        let refusal = try #require(thrown(OrderRefusal(ParcelCode.tooHeavy, "it weighs 40 kg", "send two")))
        #expect(refusal.code.rawValue == "too_heavy" && refusal.code.kind == .invalid && refusal.retryAfter == nil)
        #expect(refusal.reason == "it weighs 40 kg" && refusal.advice == "send two")
        let wait = try #require(thrown(Wait()))
        #expect(wait.code.rawValue == "often" && wait.code.kind == .limited && wait.retryAfter == 7)
        #expect(thrown(CancellationError()) == nil)
    }

    @Test("those of another kind of order are another type, whatever they say")
    func apart() {
        let error: any Error = OrderRefusal(ParcelCode.lost, "it is gone", "look for it")
        #expect(error is OrderRefusal<ParcelCode> && !(error is OrderRefusal<Wait.Code>))
        #expect(OrderRefusal(ParcelCode.lost, "a", "b") != OrderRefusal(ParcelCode.tooHeavy, "a", "b"))
    }
}
