/* SPDX-License-Identifier: Apache-2.0
 *
 * LD_PRELOAD library: a RAPL powercap tree for one process tree, without root and without FUSE.
 *
 * Paths below /sys/class/powercap and /sys/devices/virtual/powercap are looked up below
 * $FAKE_POWERCAP_ROOT/class/powercap and $FAKE_POWERCAP_ROOT/devices/virtual/powercap, plain folders
 * and links that tree.py lays out. Reading a file named energy_uj gives a number computed from the
 * file `model` beside it, one key=value a line:
 *
 *     signal=square 50 200 0.5      see power_signal.h
 *     max_uj=262143328850           the largest value; the counter then starts at 0 again
 *     offset_uj=0                   added to the counter
 *     update_s=0.001                refresh period of the register, 0: continuous
 *     fail_at=12345.6               from this monotonic second on open and read fail ...
 *     fail_errno=13                 ... with this errno
 *
 * The power PMU is there too: its folder below /sys/bus/event_source/devices, the CPUs' places and
 * perf_event_open. An event of the type that the folder names is looked up as counters/CONFIG-CPU/count
 * in it, with a model beside it; a read gives 8 bytes of 2^-32 J since the event was opened.
 *
 * On disk energy_uj holds words, no number: a reader that got past this library fails loudly.
 * A descriptor made by dup() is not followed. */
#define _GNU_SOURCE
#include "power_signal.h"
#include "watched_file.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>

#define REAL(ret, name, ...)                                   \
    static ret (*real)(__VA_ARGS__);                           \
    if (!real) real = (ret (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* ------------------------------------------------------------------ which file is meant */
#define PMU "/bus/event_source/devices/power"
#define CPUS "/devices/system/cpu"
static const char *const MAPPED[] = {"/class/powercap", "/devices/virtual/powercap", PMU, CPUS};

/* Programs ask for the machine's CPUs for reasons of their own: ours hide them only where there are any. */
static int is_hidden(const char *root, const char *prefix) {
    char cpus[PATH_MAX];
    REAL(int, "access", const char *, int);
    if (strcmp(prefix, CPUS)) return 1;
    return snprintf(cpus, sizeof cpus, "%s" CPUS, root) < (int)sizeof cpus && !real(cpus, F_OK);
}

static const char *mapped(const char *path, char out[PATH_MAX]) {
    if (!path || strncmp(path, "/sys/", 5)) return path;
    const char *root = getenv("FAKE_POWERCAP_ROOT");
    for (size_t i = 0; root && i < sizeof MAPPED / sizeof *MAPPED; i++) {
        size_t n = strlen(MAPPED[i]);
        const char *rest = path + 4 + n;
        if (strncmp(path + 4, MAPPED[i], n) || (*rest && *rest != '/')) continue;
        if (!is_hidden(root, MAPPED[i])) return path;
        if (snprintf(out, PATH_MAX, "%s%s", root, path + 4) >= PATH_MAX) return path;
        return out;
    }
    return path;
}

static int names_counter(const char *path) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    return path && getenv("FAKE_POWERCAP_ROOT") && !strcmp(slash ? slash + 1 : path, "energy_uj");
}

/* ------------------------------------------------------------------ the counter */
typedef struct {
    power_signal signal;
    double max_uj, offset_uj, update_s, fail_at;
    int fail_errno;
} zone;

typedef struct {
    dev_t device;                   /* of the file on disk: tells whether a descriptor is still this one */
    ino_t inode;
    watched_file file;
    zone slots[2];                  /* a new model goes to the slot that is not in use */
    _Atomic int slot;
    char text[32];                  /* what a read() from the start saw, for the reads after it */
    int length;
    int is_event;
    double born;                    /* monotonic second at which an event was opened */
} counter;

#define MAX_FD 65536
static counter *counters[MAX_FD];

static int zone_load(const char *path, zone *out) {
    char text[1024];
    if (read_small(path, text, sizeof text)) return -1;
    zone z = {.max_uj = 262143328850.0, .fail_at = INFINITY, .fail_errno = EACCES};
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *value = strchr(line, '=');
        if (!value) continue;
        *value++ = 0;
        if (!strcmp(line, "signal")) power_parse(value, &z.signal);
        else if (!strcmp(line, "max_uj")) z.max_uj = atof(value);
        else if (!strcmp(line, "offset_uj")) z.offset_uj = atof(value);
        else if (!strcmp(line, "update_s")) z.update_s = atof(value);
        else if (!strcmp(line, "fail_at")) z.fail_at = atof(value);
        else if (!strcmp(line, "fail_errno")) z.fail_errno = atoi(value);
    }
    *out = z;
    return z.signal.kind == POWER_NONE ? -1 : 0;
}

static const zone *zone_now(counter *c, double now) {
    int slot = atomic_load(&c->slot);
    if (watch_acquire(&c->file, now)) {
        if (!zone_load(c->file.path, &c->slots[1 - slot])) atomic_store(&c->slot, slot = 1 - slot);
        watch_release(&c->file);
    }
    return &c->slots[slot];
}

/* The model of a counter that answers at a moment, or NULL with errno set. */
static const zone *answering(counter *c, double now) {
    const zone *z = zone_now(c, now);
    if (now < z->fail_at) return z;
    errno = z->fail_errno;
    return NULL;
}

/* The text of the counter now: its length, or -1 with errno set. */
static int counter_text(counter *c, char out[32]) {
    double now = monotonic_s();
    const zone *z = answering(c, now);
    if (!z) return -1;
    double uj = 1e6 * power_joules(&z->signal, refreshed_at(now, z->update_s)) + z->offset_uj;
    return snprintf(out, 32, "%llu\n", (unsigned long long)floor(fmod(uj, z->max_uj + 1)));
}

/* The counter behind a descriptor. close() is not watched: after a vfork it would run in the parent's
 * memory. So a number may have been given to another file since; the inode tells. */
static counter *counter_of(int fd) {
    struct stat st;
    counter *c = fd >= 0 && fd < MAX_FD ? counters[fd] : NULL;
    return c && !fstat(fd, &st) && st.st_ino == c->inode && st.st_dev == c->device ? c : NULL;
}

/* Make a descriptor just opened on an energy_uj file a counter. A file without a model stays as it is. */
static int adopt(int fd) {
    char link[64], path[PATH_MAX];
    struct stat st;
    zone z;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0 || fd >= MAX_FD || fstat(fd, &st)) return fd;
    path[n] = 0;
    char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) + sizeof "/model" > sizeof path) return fd;
    strcpy(slash, "/model");
    if (zone_load(path, &z)) return fd;
    if (monotonic_s() >= z.fail_at) {
        close(fd);
        errno = z.fail_errno;
        return -1;
    }
    counter *c = counters[fd] ? counters[fd] : malloc(sizeof *c);
    if (!c) return fd;
    c->device = st.st_dev;
    c->inode = st.st_ino;
    c->length = c->is_event = 0;
    c->slots[0] = z;
    atomic_store(&c->slot, 0);
    watch(&c->file, path);
    counters[fd] = c;
    return fd;
}

static int opened(int fd, const char *path, int flags) {
    return fd >= 0 && (flags & O_ACCMODE) == O_RDONLY && names_counter(path) ? adopt(fd) : fd;
}

/* ------------------------------------------------------------------ opening */
#define MODE_OF(flags)                                         \
    mode_t mode = 0;                                           \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list ap;                                            \
        va_start(ap, flags);                                   \
        mode = va_arg(ap, mode_t);                             \
        va_end(ap);                                            \
    }

#define OPEN(name)                                             \
    int name(const char *path, int flags, ...) {               \
        char buf[PATH_MAX];                                    \
        MODE_OF(flags)                                         \
        REAL(int, #name, const char *, int, ...);              \
        return opened(real(mapped(path, buf), flags, mode), path, flags); \
    }
#define OPENAT(name)                                           \
    int name(int dir, const char *path, int flags, ...) {      \
        char buf[PATH_MAX];                                    \
        MODE_OF(flags)                                         \
        REAL(int, #name, int, const char *, int, ...);         \
        return opened(real(dir, mapped(path, buf), flags, mode), path, flags); \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

/* what callers built with _FORTIFY_SOURCE use */
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open64(path, flags); }
int __openat_2(int dir, const char *path, int flags) { return openat(dir, path, flags); }
int __openat64_2(int dir, const char *path, int flags) { return openat64(dir, path, flags); }

/* ------------------------------------------------------------------ reading */
static ssize_t part(const char *text, int length, void *out, size_t n, off_t at) {
    if (at >= length) return 0;
    size_t left = (size_t)(length - at);
    memcpy(out, text + at, n < left ? n : left);
    return (ssize_t)(n < left ? n : left);
}

/* What an event has counted; as the kernel does, nothing fits into less than 8 bytes. */
static ssize_t event_read(counter *c, void *out, size_t n) {
    double now = monotonic_s();
    const zone *z = answering(c, now);
    if (!z) return -1;
    if (n < sizeof(uint64_t)) {
        errno = ENOSPC;
        return -1;
    }
    double joules = power_joules(&z->signal, refreshed_at(now, z->update_s));
    joules -= power_joules(&z->signal, refreshed_at(c->born, z->update_s));
    uint64_t count = (uint64_t)ldexp(joules, 32);
    memcpy(out, &count, sizeof count);
    return sizeof count;
}

ssize_t read(int fd, void *out, size_t n) {
    REAL(ssize_t, "read", int, void *, size_t);
    counter *c = counter_of(fd);
    if (!c) return real(fd, out, n);
    if (c->is_event) return event_read(c, out, n);
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at == 0 && (c->length = counter_text(c, c->text)) < 0) return -1;
    ssize_t got = part(c->text, c->length, out, n, at);
    lseek(fd, at + got, SEEK_SET);
    return got;
}

static ssize_t pread_counter(counter *c, void *out, size_t n, off_t at) {
    char text[32];                  /* not c->text: any number of threads may be here */
    int length = counter_text(c, text);
    return length < 0 ? -1 : part(text, length, out, n, at);
}
ssize_t pread(int fd, void *out, size_t n, off_t at) {
    REAL(ssize_t, "pread", int, void *, size_t, off_t);
    counter *c = counter_of(fd);
    return c ? pread_counter(c, out, n, at) : real(fd, out, n, at);
}
ssize_t pread64(int fd, void *out, size_t n, off64_t at) {
    REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
    counter *c = counter_of(fd);
    return c ? pread_counter(c, out, n, at) : real(fd, out, n, at);
}
ssize_t __read_chk(int fd, void *out, size_t n, size_t cap) { return read(fd, out, n < cap ? n : cap); }
ssize_t __pread_chk(int fd, void *out, size_t n, off_t at, size_t cap) {
    return pread(fd, out, n < cap ? n : cap, at);
}
ssize_t __pread64_chk(int fd, void *out, size_t n, off64_t at, size_t cap) {
    return pread64(fd, out, n < cap ? n : cap, at);
}

/* a copy inside the kernel would see the file on disk; refused so, callers (cat) read instead */
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags) {
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    if (!counter_of(in)) return real(in, in_at, out, out_at, n, flags);
    errno = EXDEV;
    return -1;
}

/* stdio reads inside the C library, past read() above: give it a stream that comes back here */
static ssize_t stream_read(void *cookie, char *out, size_t n) { return read((int)(long)cookie, out, n); }
static int stream_seek(void *cookie, off64_t *at, int whence) {
    *at = lseek((int)(long)cookie, *at, whence);
    return *at < 0 ? -1 : 0;
}
static int stream_close(void *cookie) { return close((int)(long)cookie); }

static FILE *open_stream(const char *path, const char *how) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    if (!counter_of(fd)) return fdopen(fd, how);
    cookie_io_functions_t calls = {.read = stream_read, .seek = stream_seek, .close = stream_close};
    return fopencookie((void *)(long)fd, how, calls);
}
#define FOPEN(name)                                            \
    FILE *name(const char *path, const char *how) {            \
        char buf[PATH_MAX];                                    \
        REAL(FILE *, #name, const char *, const char *);       \
        if (names_counter(path) && *how == 'r') return open_stream(path, how); \
        return real(mapped(path, buf), how);                   \
    }
FOPEN(fopen)
FOPEN(fopen64)

/* ------------------------------------------------------------------ events */
static long event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, unsigned long flags) {
    char type[32], path[PATH_MAX];
    const char *root = getenv("FAKE_POWERCAP_ROOT");
    snprintf(path, sizeof path, "%s" PMU "/type", root);
    errno = ENOENT;
    if (read_small(path, type, sizeof type) || attr->type != strtoul(type, NULL, 10)) return -1;
    errno = EINVAL;
    if (attr->size < PERF_ATTR_SIZE_VER0 || pid != -1 || cpu < 0 || attr->sample_period) return -1;
    snprintf(path, sizeof path, "%s" PMU "/counters/%llu-%d/count", root, (unsigned long long)attr->config, cpu);
    int fd = open(path, O_RDONLY | (flags & PERF_FLAG_FD_CLOEXEC ? O_CLOEXEC : 0));
    if (fd < 0) {
        errno = EINVAL;
        return -1;
    }
    fd = adopt(fd);
    if (fd < 0 || !counters[fd]) return -1;
    counters[fd]->born = monotonic_s();
    counters[fd]->is_event = !attr->disabled;
    return fd;
}

long syscall(long number, ...) {
    REAL(long, "syscall", long, ...);
    long a[6];
    va_list ap;
    va_start(ap, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(ap, long);
    va_end(ap);
    if (number == SYS_perf_event_open && getenv("FAKE_POWERCAP_ROOT"))
        return event_open((const struct perf_event_attr *)a[0], (pid_t)a[1], (int)a[2], (unsigned long)a[4]);
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ------------------------------------------------------------------ looking around */
#define MAP(ret, name, args, call, ...)                        \
    ret name args {                                            \
        char buf[PATH_MAX];                                    \
        REAL(ret, #name, __VA_ARGS__);                         \
        path = mapped(path, buf);                              \
        return real call;                                      \
    }
#define PATH const char *path
MAP(int, stat, (PATH, struct stat *s), (path, s), const char *, struct stat *)
MAP(int, lstat, (PATH, struct stat *s), (path, s), const char *, struct stat *)
MAP(int, fstatat, (int d, PATH, struct stat *s, int f), (d, path, s, f), int, const char *, struct stat *, int)
MAP(int, stat64, (PATH, struct stat64 *s), (path, s), const char *, struct stat64 *)
MAP(int, lstat64, (PATH, struct stat64 *s), (path, s), const char *, struct stat64 *)
MAP(int, fstatat64, (int d, PATH, struct stat64 *s, int f), (d, path, s, f), int, const char *, struct stat64 *, int)
MAP(int, statx, (int d, PATH, int f, unsigned m, struct statx *s), (d, path, f, m, s),
    int, const char *, int, unsigned, struct statx *)
MAP(DIR *, opendir, (PATH), (path), const char *)
MAP(ssize_t, readlink, (PATH, char *o, size_t n), (path, o, n), const char *, char *, size_t)
MAP(ssize_t, readlinkat, (int d, PATH, char *o, size_t n), (d, path, o, n), int, const char *, char *, size_t)
ssize_t __readlink_chk(PATH, char *o, size_t n, size_t cap) { return readlink(path, o, n < cap ? n : cap); }
ssize_t __readlinkat_chk(int d, PATH, char *o, size_t n, size_t cap) {
    return readlinkat(d, path, o, n < cap ? n : cap);
}

/* programs built against a C library before 2.33 call these for the stat family */
int __xstat(int v, PATH, struct stat *s) { (void)v; return stat(path, s); }
int __lxstat(int v, PATH, struct stat *s) { (void)v; return lstat(path, s); }
int __fxstatat(int v, int d, PATH, struct stat *s, int f) { (void)v; return fstatat(d, path, s, f); }
int __xstat64(int v, PATH, struct stat64 *s) { (void)v; return stat64(path, s); }
int __lxstat64(int v, PATH, struct stat64 *s) { (void)v; return lstat64(path, s); }
int __fxstatat64(int v, int d, PATH, struct stat64 *s, int f) { (void)v; return fstatat64(d, path, s, f); }

/* Whether a counter may be read is the model's to say: opening it tells. */
static int refused(int dir, const char *path, int how) {
    if (!(how & R_OK) || !names_counter(path)) return 0;
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 1;
    close(fd);
    return 0;
}
int access(const char *path, int how) {
    char buf[PATH_MAX];
    REAL(int, "access", const char *, int);
    return refused(AT_FDCWD, path, how) ? -1 : real(mapped(path, buf), how);
}
int faccessat(int dir, const char *path, int how, int flags) {
    char buf[PATH_MAX];
    REAL(int, "faccessat", int, const char *, int, int);
    return refused(dir, path, how) ? -1 : real(dir, mapped(path, buf), how, flags);
}
