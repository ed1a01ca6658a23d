import Glibc

/// What rotation has made of a log: files beside it that have its name and a number or a date, compressed or not.
///
/// `access.log.1`, `access.log.2.gz`, `access.log-20260301`, `access.log.2026-03-01.gz`, `access.log.old`, and, where the number or
/// the date stands in front of the ending, `access-20260301.log`.
enum RotatedFiles {
    /// A date has at least as many, `260301`.
    private static let minimumDigits = 6

    struct File {
        var path: String
        /// The time of its last write is kept by compression.
        var state: FileState
        /// What its name has beside the log's, without `.gz`.
        var mark: String
    }

    /// The folders, each with its closing slash, in which rotated files of a log stand, and the log's name there: its own and, for
    /// a symbolic link, that of the file it names.
    static func places(of path: String) -> [(folder: String, name: String)] {
        var places = [split(path)]
        if let resolved = unsafe realpath(path, nil) {
            defer { unsafe free(resolved) }
            let target = unsafe split(String(cString: resolved))
            if target.name != places[0].name || FileState(target.folder)?.identity != FileState(places[0].folder)?.identity {
                places.append(target)
            }
        }
        return places
    }

    /// Oldest first.
    static func list(_ path: String) -> [File] {
        var files: [File] = []
        for place in places(of: path) {
            eachName(in: place.folder) { name, _ in
                guard let mark = mark(of: name, log: place.name) else { return }
                guard let state = FileState(place.folder + name), state.isRegular else { return }
                files.append(File(path: place.folder + name, state: state, mark: mark))
            }
        }
        return sorted(files)
    }

    /// By number, where all have one: the highest is the oldest. By date, where all have one. Else by the time of the last write.
    ///
    /// A file stands before what is being made of it by compression, which may not be whole: of two that begin alike the first is read.
    private static func sorted(_ files: [File]) -> [File] {
        let numbers = files.map { $0.mark.count <= 4 ? Int($0.mark) : nil }
        if !numbers.contains(nil) { return files.sorted { (Int($1.mark) ?? 0, $0.path) < (Int($0.mark) ?? 0, $1.path) } }
        if numbers.allSatisfy({ $0 == nil }), Set(files.map(\.mark.count)).count == 1 {
            return files.sorted { ($0.mark, $0.path) < ($1.mark, $1.path) }
        }
        return files.sorted { ($0.state.modified, $1.path) < ($1.state.modified, $0.path) }
    }

    /// Whether rotation made that file of a log that is in `names`, too.
    ///
    /// - Parameter orNumbered: files count that are numbered as logs of their own are.
    static func isRotated(_ path: String, amongLogs names: Set<String>, orNumbered: Bool = false) -> Bool {
        let (folder, name) = split(path)
        let place = folder == "./" && !path.hasPrefix("./") ? "" : folder
        let ending = name.lastIndex(of: ".").map { name[$0...] } ?? ""
        // The log's name is shorter by the number or the date: each of its beginnings is tried.
        for index in name.indices.dropFirst() where ".-_".contains(name[index]) {
            for log in [String(name[..<index]), String(name[..<index]) + ending]
            where log.count < name.count && names.contains(place + log) {
                if mark(of: name, log: log, orNumbered: orNumbered) != nil { return true }
            }
        }
        return false
    }

    /// What a rotated file's name has beside that of its log; `nil` for any other file.
    static func mark(of name: String, log: String, orNumbered: Bool = false) -> String? {
        var name = name[...]
        if name.hasSuffix(".gz") { name = name.dropLast(3) }
        if let mark = mark(name, stem: log[...], ending: "", orNumbered) { return mark }
        guard let dot = log.lastIndex(of: "."), dot > log.startIndex else { return nil }
        return mark(name, stem: log[..<dot], ending: log[dot...], orNumbered)
    }

    private static func mark(_ name: Substring, stem: Substring, ending: Substring, _ orNumbered: Bool) -> String? {
        guard name.utf8.count > stem.utf8.count + ending.utf8.count + 1, name.hasPrefix(stem), name.hasSuffix(ending) else {
            return nil
        }
        let rest = name.dropFirst(stem.count).dropLast(ending.count)
        guard let first = rest.first, ".-_".contains(first) else { return nil }
        let mark = rest.dropFirst()
        if mark == "old" || mark == "bak" { return ending.isEmpty ? String(mark) : nil }
        guard mark.utf8.contains(where: { $0 &- 0x30 <= 9 }),
            mark.utf8.allSatisfy({ $0 &- 0x30 <= 9 || "-_.:TZtz".utf8.contains($0) })
        else { return nil }
        // `web-1.log` is the log of another process more often than an old `web.log`.
        let digits = mark.utf8.count { $0 &- 0x30 <= 9 }
        let isNumber = !ending.isEmpty && first != "." && digits < minimumDigits
        return isNumber && !orNumbered ? nil : String(mark)
    }

    /// Every name in a folder, with its inode; a name that is not UTF-8 is left out: no path could be made of it.
    static func eachName(in folder: String, _ body: (String, UInt64) -> Void) {
        guard let listing = unsafe opendir(folder) else { return }
        defer { unsafe closedir(listing) }
        while let entry = unsafe readdir(listing) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(validatingCString: $0) }
            }
            if let name, name != ".", name != ".." { unsafe body(name, UInt64(entry.pointee.d_ino)) }
        }
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("./", path) }
        return (String(path[...slash]), String(path[path.index(after: slash)...]))
    }
}
