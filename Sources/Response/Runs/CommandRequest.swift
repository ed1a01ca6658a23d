package import Events
import Journal

/// One command to be carried out: values put in, quoted for where they stand.
package struct CommandRequest: Sendable, Hashable {
    package var command: CommandRun
    /// The same at every attempt, also after a crash: the target's idempotency key.
    package var key: String
    package var kind: Command.Kind
    package var step: Identifier
    package var title: String
    package var text: String
    package var headers: [String: [String]]
    package var content: [UInt8]?
    package var agent: AgentTarget
    package var target: AgentTarget?
    package var authentication: AuthenticationInfo?
    /// Names of variables the command may give values to.
    package var results: [String]
    package var deadline: Timestamp
    package var isDryRun: Bool
    /// Whether asking again under the same key does no harm.
    package var isRepeatable: Bool
}

/// What an executor is doing in this process, which no journal can know.
package struct CommandsInHand: Sendable, Hashable {
    /// Their start was recorded by this process, and they have not been carried out.
    package var fresh: Set<CommandRun>
    /// They are being carried out.
    package var running: Set<CommandRun>

    package init(fresh: Set<CommandRun> = [], running: Set<CommandRun> = []) {
        self.fresh = fresh
        self.running = running
    }
}

/// What is to be done next.
package enum RunIntent: Sendable, Hashable {
    /// Append this to the journal, apply it, ask again.
    case record(RunEvent)
    case perform(CommandRequest)
    case wait(RunWait)
}

package struct RunWait: Sendable, Hashable {
    package enum Reason: Sendable, Hashable {
        case delay
        case approval(ApprovalRequest)
        /// A manual command, with what to do.
        case person(CommandRequest)
        /// A command of which nobody knows whether it was carried out.
        case unknownOutcome(CommandRun)
        /// A machine is at work.
        case command(CommandRun)
    }

    package var execution: Int
    package var step: Identifier
    package var reason: Reason
    /// When to ask again at the latest; `nil` for as long as it takes.
    package var until: Timestamp?
}
