import Events
import Foundation
package import Incidents
import Journal

/// Policy files beside what a server has in force, by the journal.
package struct PolicyCheck: Sendable {
    package var policies: Policies?
    /// Why the files cannot be in force as they are.
    package var problem: PolicyError?
    /// What the newest entry about policies says; `nil` where there is no journal, or no such entry.
    package var journalled: Journalled?

    package struct Journalled: Sendable, Equatable {
        /// `nil` where there were none.
        package var hash: String?
        package var at: String
        /// A change since then was refused.
        package var isRefused: Bool
    }

    /// The journal is read from its first entry: which policies were the last is nowhere else.
    package init(folder: String?, data: DataFolder) throws {
        do throws(PolicyError) {
            policies = try PolicyFolder.load(folder)
        } catch {
            problem = error
        }
        guard FileManager.default.fileExists(atPath: data.journal) else { return }
        let reader = try JournalReader(directory: data.journal)
        while case let entries = try reader.next(), !entries.isEmpty {
            for entry in entries {
                switch entry.type {
                case PolicyEntry.loadedType:
                    journalled = Journalled(
                        hash: entry.data["hash"]?.stringValue, at: entry.occurredAt.rfc3339, isRefused: false)
                case PolicyEntry.refusedType: journalled?.isRefused = true
                default: continue
                }
            }
        }
    }

    /// The files are right, and nothing else is in force.
    package var isFine: Bool {
        guard problem == nil else { return false }
        return journalled.map { $0.hash == policies?.hash } ?? true
    }
}
