#pragma once

#include <stddef.h>

/// One embedded file. Read-only memory of the binary: lives as long as the process, safe from every thread.
struct console_asset {
    const char *name;
    const unsigned char *start;
    size_t count;
};

/// The first of `console_asset_count()` assets.
const struct console_asset *console_assets(void);
size_t console_asset_count(void);
