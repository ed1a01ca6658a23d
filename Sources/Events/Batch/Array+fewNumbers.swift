extension [Int32] {
    /// Sorts in place, for the few numbers that one line mostly leaves: insertion needs neither a buffer nor a comparison by call.
    package mutating func sortFew() {
        // Whoever writes the line could make it many.
        guard count <= 32 else { return sort() }
        var sorted = 1
        while sorted < count {
            let number = self[sorted]
            var place = sorted
            while place > 0, self[place - 1] > number {
                self[place] = self[place - 1]
                place -= 1
            }
            self[place] = number
            sorted += 1
        }
    }
}
