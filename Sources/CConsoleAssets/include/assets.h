#pragma once

#include "embedded_file.h"

/// The first of `console_asset_count()` assets.
const struct embedded_file *console_assets(void);
size_t console_asset_count(void);
