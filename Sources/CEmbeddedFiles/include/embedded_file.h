#pragma once

#include <stddef.h>

/// One file inside the binary. Read-only memory: lives as long as the process, safe from every thread.
struct embedded_file {
    const char *name;
    const unsigned char *start;
    size_t count;
};

/// Begins the bytes of a file; `#embed` and a closing brace follow.
#define EMBEDDED(identifier, name) \
    static const char identifier##_name[] = name; \
    static const unsigned char identifier[]

/// Its line in the table of all files.
#define ASSET(identifier) {identifier##_name, identifier, sizeof identifier}
