#pragma once

/// How many blocks this thread has asked the heap for since it began; -1 where that cannot be counted (a sanitizer, or a
/// C library other than glibc).
long allocations_of_thread(void);

/// The same of all threads.
long allocations_of_process(void);
