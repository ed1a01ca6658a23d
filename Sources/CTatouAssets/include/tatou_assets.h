#pragma once

#include "embedded_file.h"

/// The first of `tatou_asset_count()` files of Tatou's pages.
const struct embedded_file *tatou_assets(void);
size_t tatou_asset_count(void);
