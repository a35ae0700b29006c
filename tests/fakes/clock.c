/* SPDX-License-Identifier: Apache-2.0
 *
 * LD_PRELOAD library: a step of the wall clock, as NTP or a resumed machine makes one.
 *
 * $FAKE_CLOCK_FILE holds "AT OFFSET": from monotonic second AT on CLOCK_REALTIME reads OFFSET seconds
 * more. Without the file nothing is moved. CLOCK_MONOTONIC stays as it is, and so do the times the
 * kernel writes (file stamps). */
#define _GNU_SOURCE
#include "power_signal.h"
#include "watched_file.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>

#define NS 1000000000LL

static int real_clock(clockid_t id, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);   /* not the system call: this one needs none */
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    return real(id, t);
}

static double offset_s(void) {
    static watched_file file;
    static _Atomic double at = INFINITY, offset;
    const char *path = getenv("FAKE_CLOCK_FILE");
    struct timespec t;
    if (!path || real_clock(CLOCK_MONOTONIC, &t)) return 0;
    double now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec, new_at, new_offset;
    char text[128];
    if (!*file.path) watch(&file, path);
    if (watch_acquire(&file, now)) {
        if (!read_small(path, text, sizeof text) && sscanf(text, "%lf %lf", &new_at, &new_offset) == 2) {
            atomic_store(&offset, new_offset);
            atomic_store(&at, new_at);
        }
        watch_release(&file);
    }
    return now >= atomic_load(&at) ? atomic_load(&offset) : 0;
}

int clock_gettime(clockid_t id, struct timespec *t) {
    int ret = real_clock(id, t);
    if (ret || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return ret;
    long long ns = t->tv_sec * NS + t->tv_nsec + (long long)(offset_s() * 1e9);
    t->tv_sec = ns / NS;
    t->tv_nsec = ns % NS;
    return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
    struct timespec t;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &t)) return -1;
    tv->tv_sec = t.tv_sec;
    tv->tv_usec = t.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t)) return (time_t)-1;
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}
