// Preloaded into a program that writes a journal: kills it, as kill -9 does, right before it would write the n-th entry about a run.
// Everything before is durable, and what follows from it has begun. No part of the product knows of it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int seen;

static void look(int descriptor, const void *bytes, size_t count) {
    static const char mark[] = "\"type\":\"run.";
    const char *wanted = getenv("DIE_AT_ENTRY");
    if (wanted == NULL) return;
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    if (strstr(path, "/journal/") == NULL || strstr(path, ".log") == NULL) return;
    const char *place = bytes, *end = place + count;
    while ((place = memmem(place, (size_t)(end - place), mark, sizeof mark - 1)) != NULL) {
        place += sizeof mark - 1;
        if (atomic_fetch_add(&seen, 1) + 1 == atoi(wanted)) kill(getpid(), SIGKILL);
    }
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (real == NULL) real = dlsym(RTLD_NEXT, "pwrite");
    look(descriptor, bytes, count);
    return real(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (real == NULL) real = dlsym(RTLD_NEXT, "pwrite64");
    look(descriptor, bytes, count);
    return real(descriptor, bytes, count, offset);
}
