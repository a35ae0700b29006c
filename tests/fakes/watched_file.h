/* SPDX-License-Identifier: Apache-2.0
 *
 * A small text file that is read again only after it was replaced, and looked at no more than every
 * 50 ms: a fake reading must stay as cheap as a real one, yet a test may change the meter under a
 * running reader. No lock is ever waited for, so a fork in the middle of a check cannot hang the
 * child: whoever finds a check under way goes on with the values it has. */
#ifndef WATCHED_FILE_H
#define WATCHED_FILE_H
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCH_EVERY_S 0.05

typedef struct {
    char path[PATH_MAX];
    _Atomic double due;             /* monotonic second of the next look */
    atomic_flag busy;
    ino_t inode;                    /* a rename over the file changes it even within one clock tick */
    struct timespec changed;
} watched_file;

static inline void watch(watched_file *w, const char *path) {
    snprintf(w->path, sizeof w->path, "%s", path);
    atomic_flag_clear(&w->busy);
    atomic_store(&w->due, 0);
    w->inode = 0;
}

/* The whole file into out, ended with a zero byte. Returns 0, or -1 when it cannot be read. */
static inline int read_small(const char *path, char *out, size_t cap) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t used = 0;
    ssize_t n;
    while (used < cap - 1 && (n = read(fd, out + used, cap - 1 - used)) > 0) used += (size_t)n;
    close(fd);
    out[used] = 0;
    return 0;
}

/* 1: the file is new, and stays held until watch_release; 0: nothing to do. */
static inline int watch_acquire(watched_file *w, double now) {
    struct stat st;
    if (now < atomic_load_explicit(&w->due, memory_order_relaxed)) return 0;
    if (atomic_flag_test_and_set(&w->busy)) return 0;
    atomic_store_explicit(&w->due, now + WATCH_EVERY_S, memory_order_relaxed);
    if (stat(w->path, &st) ||
        (st.st_ino == w->inode && !memcmp(&st.st_mtim, &w->changed, sizeof w->changed))) {
        atomic_flag_clear(&w->busy);
        return 0;
    }
    w->inode = st.st_ino;
    w->changed = st.st_mtim;
    return 1;
}
static inline void watch_release(watched_file *w) { atomic_flag_clear(&w->busy); }
#endif
