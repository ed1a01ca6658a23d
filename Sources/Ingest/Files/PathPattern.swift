import Glibc

/// A path with `*`, `?` or `[…]` in it, as the shell has them: `/var/log/nginx/*.access.log`, `/srv/*/logs/app.log`.
package enum PathPattern {
    package static func isPattern(_ path: String) -> Bool { path.utf8.contains { "*?[".utf8.contains($0) } }

    /// The paths that match now, in the order of their bytes; one that is not UTF-8 is left out.
    package static func matches(_ pattern: String) -> [String] {
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        // Sorting by the locale's rules costs seconds for a hundred thousand names.
        guard unsafe glob(pattern, GLOB_NOSORT, nil, &found) == 0 else { return [] }
        var paths: [String] = []
        paths.reserveCapacity(Int(unsafe found.gl_pathc))
        for index in 0..<Int(unsafe found.gl_pathc) {
            if let path = unsafe found.gl_pathv[index].flatMap({ unsafe String(validatingCString: $0) }) { paths.append(path) }
        }
        paths.sort()
        return paths
    }
}
