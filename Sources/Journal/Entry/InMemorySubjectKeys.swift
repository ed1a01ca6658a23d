/// Subject keys that live as long as the process: for tests and for reading without a key store. Not for a journal that is kept.
package actor InMemorySubjectKeys: SubjectKeyStore {
    private var bySubject: [Subject: SubjectKey] = [:]
    private var byID: [String: SubjectKey] = [:]
    private let random: RandomSource

    package init(random: RandomSource = .system) {
        self.random = random
    }

    package func keys(for subjects: [Subject]) -> [SubjectKey] {
        subjects.map { subject in
            if let key = bySubject[subject] { return key }
            let key = SubjectKey(random: random)
            bySubject[subject] = key
            byID[key.id] = key
            return key
        }
    }

    package func key(id: String) -> SubjectKey? {
        byID[id]
    }

    package func existingKey(of subject: Subject) -> SubjectKey? {
        bySubject[subject]
    }

    package func erase(_ subject: Subject) {
        guard let key = bySubject.removeValue(forKey: subject) else { return }
        byID[key.id] = nil
    }
}
