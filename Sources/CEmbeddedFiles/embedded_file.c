#include "embedded_file.h"
