/// What is costly to make, kept under a number; that it cannot be made is kept, too.
struct MadeOnce<Value> {
    private(set) var made: [Int: Value] = [:]
    private var impossible: Set<Int> = []

    mutating func value(of number: Int, make: (Int) -> Value?) -> Value? {
        if let known = made[number] { return known }
        guard !impossible.contains(number) else { return nil }
        guard let value = make(number) else {
            impossible.insert(number)
            return nil
        }
        made[number] = value
        return value
    }
}
