import Events

/// A file of a pattern that is not open: where reading goes on, and what it looked like then.
struct ParkedFile {
    var positions: [FilePosition]
    var lastTime: Timestamp?
    var state: FileState?
}
