/* SPDX-License-Identifier: Apache-2.0
 *
 * A libnvidia-ml.so.1 whose GPUs draw a known power. $FAKE_NVML_SPEC names a file with one line of
 * key=value for each GPU; only signal must be there:
 *
 *     signal=square,100,500,0.5   see power_signal.h
 *     energy=1 power=1            0: no energy counter (before Volta), no power reading
 *     busy=1                      0: no utilisation either
 *     window=0                    the power reading is the mean over this many seconds
 *     update=0                    refresh period of both registers (s), 0: continuous
 *     limit=700                   power limit (W)
 *     fail_at=T back_at=T         from fail_at to back_at every call says GPU_IS_LOST (monotonic seconds)
 *     reset_at=T                  the energy counter starts at zero again at monotonic second T
 *     reload_at=T                 the driver is loaded anew then: nothing answers until the library is
 *                                 shut down by all its users and started again, and old handles never do
 *     module=900                  a superchip: what its module draws besides the GPU (W); scope 1 of the fields
 *     module_energy=1             0: the module tells its power only
 *     mig=3,4 slices=7            MIG is on, with instances of these slice counts, of so many
 *     compute=1,2                 the compute slices of each instance's one device, if not all
 *     mig_on=1                    MIG is on, instances or none
 *     pids=123,456                compute processes, 1 GiB each
 *     sm=60,30                    how busy each of them keeps the SMs (%), all the time; empty: not told
 *     name=NVIDIA_H100 uuid=GPU-  underscores of the name become blanks
 *     hang_s=0                    each reading takes this long
 *     arch=9                      9 Hopper; 4 Pascal when there is no energy counter
 *     chaos=P seed=N              each call of this GPU fails with probability P, in any way there is,
 *                                 and each number or text that it gives is any, with probability P
 *
 * Without the file the driver is not loaded. As with the real library an initialisation does not
 * outlive a fork: the child is told UNINITIALIZED until it has made its own. */
#define _GNU_SOURCE
#include "power_signal.h"
#include "watched_file.h"
#include <stdint.h>
#include <stdlib.h>

enum {
    OK = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15, UNKNOWN = 999,
};
typedef int ret_t;
typedef unsigned long long u64;

#define MAX_GPU 16
#define MAX_MIG 7
#define MAX_PID 16
#define MAX_LOADS 4
#define GIB (1ull << 30)
#define MEMORY (80 * GIB)
#define SM_PER_SLICE 16

typedef struct {
    power_signal signal;
    int energy, power, busy, arch, module_energy;
    double window, update, limit, fail_at, back_at, reset_at, reload_at, hang_s, module, chaos;
    unsigned mig_on, migs, slices[MAX_MIG], computes, compute[MAX_MIG], of_slices, pids, pid[MAX_PID], sms, sm[MAX_PID];
    char name[64], uuid[80];
} gpu;
typedef struct { unsigned count; gpu gpus[MAX_GPU]; } table;

/* A handle is a pointer into this array: its place says which GPU, and which slice of it. Each loading of the
 * driver has handles of its own. */
typedef struct { char unused; } handle;
static handle handles[MAX_LOADS][MAX_GPU][1 + MAX_MIG];

/* ------------------------------------------------------------------ the spec file */
static unsigned numbers(char *text, unsigned *out, unsigned most) {
    unsigned n = 0;
    char *save = NULL;
    for (char *word = strtok_r(text, ",", &save); word && n < most; word = strtok_r(NULL, ",", &save))
        out[n++] = (unsigned)strtoul(word, NULL, 10);
    return n;
}

static void set_name(gpu *g, const char *value) {
    snprintf(g->name, sizeof g->name, "%s", value);
    for (char *c = g->name; *c; c++)
        if (*c == '_') *c = ' ';
}

/* Numbers by chance, the same for the same seed: splitmix64 (Steele, Lea, Flood 2014). */
static _Atomic u64 chance;
static u64 any(void) {
    u64 z = atomic_fetch_add(&chance, 0x9e3779b97f4a7c15ull) + 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}
static int strikes(const gpu *g) { return g->chaos > 0 && (double)(any() >> 11) * 0x1p-53 < g->chaos; }
static u64 any_number(void) {
    static const u64 KNOWN[] = {0, 1, ~0ull, 1ull << 63, 1ull << 62, 0xffffffff, 0x7fffffff};
    u64 z = any();
    return z % 3 ? KNOWN[(z >> 8) % 7] : any() >> (z % 64);
}

static void set_key(gpu *g, const char *key, char *value) {
    if (!strcmp(key, "signal")) power_parse(value, &g->signal);
    else if (!strcmp(key, "energy")) g->energy = atoi(value);
    else if (!strcmp(key, "power")) g->power = atoi(value);
    else if (!strcmp(key, "busy")) g->busy = atoi(value);
    else if (!strcmp(key, "arch")) g->arch = atoi(value);
    else if (!strcmp(key, "window")) g->window = atof(value);
    else if (!strcmp(key, "update")) g->update = atof(value);
    else if (!strcmp(key, "limit")) g->limit = atof(value);
    else if (!strcmp(key, "fail_at")) g->fail_at = atof(value);
    else if (!strcmp(key, "back_at")) g->back_at = atof(value);
    else if (!strcmp(key, "reset_at")) g->reset_at = atof(value);
    else if (!strcmp(key, "reload_at")) g->reload_at = atof(value);
    else if (!strcmp(key, "module")) g->module = atof(value);
    else if (!strcmp(key, "module_energy")) g->module_energy = atoi(value);
    else if (!strcmp(key, "mig_on")) g->mig_on = (unsigned)atoi(value);
    else if (!strcmp(key, "slices")) g->of_slices = (unsigned)atoi(value);
    else if (!strcmp(key, "compute")) g->computes = numbers(value, g->compute, MAX_MIG);
    else if (!strcmp(key, "sm")) g->sms = numbers(value, g->sm, MAX_PID);
    else if (!strcmp(key, "hang_s")) g->hang_s = atof(value);
    else if (!strcmp(key, "chaos")) g->chaos = atof(value);
    else if (!strcmp(key, "seed")) atomic_store(&chance, strtoull(value, NULL, 10));
    else if (!strcmp(key, "mig")) g->migs = numbers(value, g->slices, MAX_MIG);
    else if (!strcmp(key, "pids")) g->pids = numbers(value, g->pid, MAX_PID);
    else if (!strcmp(key, "name")) set_name(g, value);
    else if (!strcmp(key, "uuid")) snprintf(g->uuid, sizeof g->uuid, "%s", value);
}

static void read_gpu(char *line, unsigned index, gpu *g) {
    *g = (gpu){.energy = 1, .power = 1, .busy = 1, .module_energy = 1, .limit = 700, .of_slices = MAX_MIG, .fail_at = INFINITY,
               .back_at = INFINITY, .reset_at = INFINITY, .reload_at = INFINITY};
    set_name(g, "Fake_H100");
    snprintf(g->uuid, sizeof g->uuid, "GPU-00000000-0000-0000-0000-%012u", index);
    char *save = NULL;
    for (char *word = strtok_r(line, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
        char *value = strchr(word, '=');
        if (!value) continue;
        *value++ = 0;
        set_key(g, word, value);
    }
    if (!g->arch) g->arch = g->energy ? 9 : 4;
    if (g->migs) g->mig_on = 1;
}

static table tables[2];             /* a new spec goes to the one that is not in use */
static _Atomic int current;
static watched_file spec;

static void load(table *t) {
    static char text[16384];        /* only whoever holds the watched file comes here */
    if (read_small(spec.path, text, sizeof text)) return;
    t->count = 0;
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (*line == '#' || !strchr(line, '=') || t->count == MAX_GPU) continue;
        read_gpu(line, t->count, &t->gpus[t->count]);
        t->count++;
    }
}

static const table *now_table(double now) {
    int i = atomic_load(&current);
    if (watch_acquire(&spec, now)) {
        load(&tables[1 - i]);
        atomic_store(&current, i = 1 - i);
        watch_release(&spec);
    }
    return &tables[i];
}

/* ------------------------------------------------------------------ library */
static _Atomic int users;
static _Atomic pid_t owner;
static _Atomic unsigned loads;      /* how often the library found a driver that was loaded anew */
static _Atomic double started_s;

static int ready(void) { return users > 0 && owner == getpid(); }

/* Whether the driver was loaded anew after some moment. */
static int reloaded_since(double moment, double now) {
    const table *all = now_table(now);
    for (unsigned i = 0; i < all->count; i++)
        if (all->gpus[i].reload_at > moment && all->gpus[i].reload_at <= now) return 1;
    return 0;
}

ret_t nvmlInitWithFlags(unsigned flags) {
    const char *path = getenv("FAKE_NVML_SPEC");
    (void)flags;
    if (!path || access(path, R_OK)) return DRIVER_NOT_LOADED;
    if (!ready()) {
        double now = monotonic_s();
        users = 0;
        owner = getpid();
        watch(&spec, path);
        if (started_s > 0 && reloaded_since(started_s, now) && loads < MAX_LOADS - 1) loads++;
        started_s = now;
    }
    users++;
    return OK;
}
ret_t nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
ret_t nvmlInit(void) { return nvmlInitWithFlags(0); }
ret_t nvmlShutdown(void) {
    if (!ready()) return UNINITIALIZED;
    users--;
    return OK;
}

const char *nvmlErrorString(ret_t code) {
    switch (code) {
    case OK: return "Success";
    case UNINITIALIZED: return "Uninitialized";
    case INVALID_ARGUMENT: return "Invalid Argument";
    case NOT_SUPPORTED: return "Not Supported";
    case NO_PERMISSION: return "Insufficient Permissions";
    case NOT_FOUND: return "Not Found";
    case INSUFFICIENT_SIZE: return "Insufficient Size";
    case DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case GPU_IS_LOST: return "GPU is lost";
    default: return "Unknown Error";
    }
}

static ret_t give_text(char *out, unsigned cap, const char *text) {
    if (!out) return INVALID_ARGUMENT;
    if (strlen(text) >= cap) return INSUFFICIENT_SIZE;
    strcpy(out, text);
    return OK;
}
static ret_t give_noise(char *out, unsigned cap) {
    unsigned length = (unsigned)(any() % (cap < 40 ? cap : 40));
    for (unsigned i = 0; i < length; i++) out[i] = (char)any();
    out[length] = 0;
    return OK;
}
static ret_t give(unsigned *out, unsigned value) {
    if (!out) return INVALID_ARGUMENT;
    *out = value;
    return OK;
}
ret_t nvmlSystemGetDriverVersion(char *out, unsigned n) { return ready() ? give_text(out, n, "550.54.14") : UNINITIALIZED; }
ret_t nvmlSystemGetNVMLVersion(char *out, unsigned n) { return ready() ? give_text(out, n, "12.550.54.14") : UNINITIALIZED; }
ret_t nvmlSystemGetCudaDriverVersion_v2(unsigned *out) { return ready() ? give(out, 12040) : UNINITIALIZED; }
ret_t nvmlSystemGetCudaDriverVersion(unsigned *out) { return nvmlSystemGetCudaDriverVersion_v2(out); }

/* ------------------------------------------------------------------ handles */
typedef struct { const gpu *g; unsigned index; int mig; double now; } target;   /* mig -1: the whole GPU */

static ret_t find(const handle *h, target *t) {
    if (!ready()) return UNINITIALIZED;
    const handle *first = &handles[loads][0][0];
    t->now = monotonic_s();
    if (reloaded_since(started_s, t->now)) return UNKNOWN;
    if (h < first || h >= first + MAX_GPU * (1 + MAX_MIG)) return INVALID_ARGUMENT;
    size_t place = (size_t)(h - first);
    const table *all = now_table(t->now);
    t->index = (unsigned)(place / (1 + MAX_MIG));
    t->mig = (int)(place % (1 + MAX_MIG)) - 1;
    if (t->index >= all->count) return INVALID_ARGUMENT;
    t->g = &all->gpus[t->index];
    if (t->now >= t->g->fail_at && t->now < t->g->back_at) return GPU_IS_LOST;
    if (strikes(t->g)) {
        static const ret_t CODES[] = {1, 2, 3, 4, 6, 7, 8, 10, 12, 15, 16, 17, 23, 25, 999, -1, 1000};
        return CODES[any() % (sizeof CODES / sizeof *CODES)];
    }
    return t->mig >= (int)t->g->migs ? INVALID_ARGUMENT : OK;
}
#define FIND(h)                                                \
    target t;                                                  \
    do {                                                       \
        ret_t code = find(h, &t);                              \
        if (code) return code;                                 \
    } while (0)
#define WHOLE(h)                                               \
    FIND(h);                                                   \
    if (t.mig >= 0) return NOT_SUPPORTED

static ret_t give_handle(handle *h, handle **out) {
    target t;
    ret_t code = find(h, &t);
    if (!code) *out = h;
    return code;
}

ret_t nvmlDeviceGetCount_v2(unsigned *out) {
    return ready() ? give(out, now_table(monotonic_s())->count) : UNINITIALIZED;
}
ret_t nvmlDeviceGetHandleByIndex_v2(unsigned i, handle **out) {
    return i < MAX_GPU ? give_handle(&handles[loads][i][0], out) : INVALID_ARGUMENT;
}

/* MIG-<8 hex digits from the GPU's uuid and the place>-<the rest of the GPU's uuid> */
static void mig_uuid(const gpu *g, unsigned mig, char out[96]) {
    uint32_t hash = 2166136261u;    /* FNV-1a, as meters.py */
    for (const char *c = g->uuid; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    const char *rest = strlen(g->uuid) > 4 ? strchr(g->uuid + 4, '-') : NULL;
    snprintf(out, 96, "MIG-%08x%s", hash + mig, rest ? rest : "");
}

ret_t nvmlDeviceGetHandleByUUID(const char *uuid, handle **out) {
    char text[96];
    if (!ready()) return UNINITIALIZED;
    const table *all = now_table(monotonic_s());
    for (unsigned i = 0; i < all->count; i++) {
        if (!strcmp(all->gpus[i].uuid, uuid)) return give_handle(&handles[loads][i][0], out);
        for (unsigned m = 0; m < all->gpus[i].migs; m++) {
            mig_uuid(&all->gpus[i], m, text);
            if (!strcmp(text, uuid)) return give_handle(&handles[loads][i][1 + m], out);
        }
    }
    return NOT_FOUND;
}
ret_t nvmlDeviceGetHandleByPciBusId_v2(const char *id, handle **out) {
    unsigned domain, bus, device;
    if (!ready()) return UNINITIALIZED;
    if (sscanf(id, "%x:%x:%x", &domain, &bus, &device) != 3) return INVALID_ARGUMENT;
    if (domain || device || !bus || bus > now_table(monotonic_s())->count) return NOT_FOUND;
    return give_handle(&handles[loads][bus - 1][0], out);
}

/* ------------------------------------------------------------------ what a device is */
ret_t nvmlDeviceGetIndex(handle *h, unsigned *out) { FIND(h); return give(out, t.mig < 0 ? t.index : (unsigned)t.mig); }
ret_t nvmlDeviceGetMinorNumber(handle *h, unsigned *out) { WHOLE(h); return give(out, t.index); }
ret_t nvmlDeviceGetArchitecture(handle *h, unsigned *out) { FIND(h); return give(out, (unsigned)t.g->arch); }
ret_t nvmlDeviceGetName(handle *h, char *out, unsigned n) {
    char text[96];
    FIND(h);
    if (strikes(t.g)) return give_noise(out, n);
    if (t.mig < 0) return give_text(out, n, t.g->name);
    snprintf(text, sizeof text, "%s MIG %ug", t.g->name, t.g->slices[t.mig]);
    return give_text(out, n, text);
}
ret_t nvmlDeviceGetUUID(handle *h, char *out, unsigned n) {
    char text[96];
    FIND(h);
    if (strikes(t.g)) return give_noise(out, n);
    if (t.mig < 0) return give_text(out, n, t.g->uuid);
    mig_uuid(t.g, (unsigned)t.mig, text);
    return give_text(out, n, text);
}

typedef struct {
    char legacy_id[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char id[32];
} pci_info;
ret_t nvmlDeviceGetPciInfo_v3(handle *h, pci_info *out) {
    FIND(h);
    memset(out, 0, sizeof *out);
    out->bus = t.index + 1;
    out->device_id = 0x233010de;
    snprintf(out->legacy_id, sizeof out->legacy_id, "0000:%02X:00.0", (out->bus & 0xff));
    snprintf(out->id, sizeof out->id, "00000000:%02X:00.0", (out->bus & 0xff));
    return OK;
}

/* ------------------------------------------------------------------ readings */
static void hang(const target *t) {
    if (t->g->hang_s > 0) usleep((useconds_t)(1e6 * t->g->hang_s));
}
static double watts(const target *t) {
    const gpu *g = t->g;
    double at = refreshed_at(monotonic_s(), g->update);
    if (g->window <= 0) return power_watts(&g->signal, at);
    return (power_joules(&g->signal, at) - power_joules(&g->signal, at - g->window)) / g->window;
}

ret_t nvmlDeviceGetTotalEnergyConsumption(handle *h, u64 *mj) {
    WHOLE(h);
    hang(&t);
    if (!t.g->energy) return NOT_SUPPORTED;
    double at = refreshed_at(monotonic_s(), t.g->update);
    double from = at >= t.g->reset_at ? t.g->reset_at : 0;
    *mj = strikes(t.g) ? any_number() : (u64)(1e3 * (power_joules(&t.g->signal, at) - power_joules(&t.g->signal, from)));
    return OK;
}
ret_t nvmlDeviceGetPowerUsage(handle *h, unsigned *mw) {
    WHOLE(h);
    hang(&t);
    if (strikes(t.g)) return give(mw, (unsigned)any_number());
    return t.g->power ? give(mw, (unsigned)(1e3 * watts(&t))) : NOT_SUPPORTED;
}

typedef struct {
    unsigned id, scope;
    int64_t stamp_us, latency_us;
    unsigned type;
    ret_t code;
    union { unsigned u; u64 ull; } value;
} field;
enum { TOTAL_ENERGY = 83, POWER_AVERAGE = 185, POWER_INSTANT = 186, ENERGY = 191, TYPE_UINT = 1, TYPE_ULL = 3 };
enum { SCOPE_GPU = 0, SCOPE_MODULE = 1 };

/* The module holds the GPU and a CPU; only a superchip tells it. */
static ret_t read_module(handle *h, field *f) {
    WHOLE(h);
    if (t.g->module <= 0) return NOT_SUPPORTED;
    if (f->id == ENERGY && !t.g->module_energy) return NOT_SUPPORTED;
    if (f->id == ENERGY) {
        ret_t code = nvmlDeviceGetTotalEnergyConsumption(h, &f->value.ull);
        f->value.ull += (u64)(1e3 * t.g->module * refreshed_at(monotonic_s(), t.g->update));
        return code;
    }
    if (f->id != POWER_AVERAGE && f->id != POWER_INSTANT) return NOT_SUPPORTED;
    return give(&f->value.u, (unsigned)(1e3 * (watts(&t) + t.g->module)));
}

static ret_t read_field(handle *h, field *f) {
    f->type = f->id == TOTAL_ENERGY || f->id == ENERGY ? TYPE_ULL : TYPE_UINT;
    if (f->scope == SCOPE_MODULE) return read_module(h, f);
    if (f->scope != SCOPE_GPU) return NOT_SUPPORTED;
    if (f->id == TOTAL_ENERGY || f->id == ENERGY) return nvmlDeviceGetTotalEnergyConsumption(h, &f->value.ull);
    if (f->id == POWER_AVERAGE) return nvmlDeviceGetPowerUsage(h, &f->value.u);
    if (f->id != POWER_INSTANT) return NOT_SUPPORTED;
    WHOLE(h);
    hang(&t);
    return t.g->power ? give(&f->value.u, (unsigned)(1e3 * power_watts(&t.g->signal, monotonic_s()))) : NOT_SUPPORTED;
}
ret_t nvmlDeviceGetFieldValues(handle *h, int n, field *fields) {
    struct timespec wall;
    FIND(h);
    for (field *f = fields; f < fields + n; f++) {
        f->value.ull = 0;
        f->latency_us = 0;
        f->code = read_field(h, f);
        clock_gettime(CLOCK_REALTIME, &wall);
        f->stamp_us = (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000;
    }
    return OK;
}

ret_t nvmlDeviceGetEnforcedPowerLimit(handle *h, unsigned *mw) { WHOLE(h); return give(mw, (unsigned)(1e3 * t.g->limit)); }
ret_t nvmlDeviceGetPowerManagementLimit(handle *h, unsigned *mw) { return nvmlDeviceGetEnforcedPowerLimit(h, mw); }
ret_t nvmlDeviceGetPowerManagementDefaultLimit(handle *h, unsigned *mw) { return nvmlDeviceGetEnforcedPowerLimit(h, mw); }
ret_t nvmlDeviceGetPowerManagementLimitConstraints(handle *h, unsigned *least, unsigned *most) {
    WHOLE(h);
    *least = (unsigned)(300 * t.g->limit);
    return give(most, (unsigned)(1e3 * t.g->limit));
}
ret_t nvmlDeviceGetPowerManagementMode(handle *h, unsigned *out) { WHOLE(h); return give(out, 1); }

ret_t nvmlDeviceGetUtilizationRates(handle *h, unsigned out[2]) {
    WHOLE(h);
    hang(&t);
    if (!t.g->busy) return NOT_SUPPORTED;
    double share = t.g->limit > 0 ? watts(&t) / t.g->limit : 0;   /* as busy as its power says */
    out[0] = (unsigned)(100 * (share > 1 ? 1 : share));
    out[1] = out[0] / 2;
    return OK;
}
ret_t nvmlDeviceGetTemperature(handle *h, unsigned sensor, unsigned *out) { (void)sensor; FIND(h); return give(out, 55); }
typedef struct { unsigned version, sensor; int celsius; } temperature;
ret_t nvmlDeviceGetTemperatureV(handle *h, temperature *out) { FIND(h); out->celsius = 55; return OK; }

typedef struct { u64 total, free, used; } memory;
typedef struct { unsigned version; u64 total, reserved, free, used; } memory_v2;
static void memory_of(const target *t, memory *out) {
    out->total = t->mig < 0 ? MEMORY : MEMORY / 8 * t->g->slices[t->mig];
    out->used = t->mig < 0 ? t->g->pids * GIB : 0;
    out->free = out->total - out->used;
}
ret_t nvmlDeviceGetMemoryInfo(handle *h, memory *out) { FIND(h); memory_of(&t, out); return OK; }
ret_t nvmlDeviceGetMemoryInfo_v2(handle *h, memory_v2 *out) {
    memory m;
    FIND(h);
    memory_of(&t, &m);
    *out = (memory_v2){out->version, m.total, 0, m.free, m.used};
    return OK;
}

/* ------------------------------------------------------------------ processes */
typedef struct { unsigned pid; u64 used; unsigned gpu_instance, compute_instance; } process;
ret_t nvmlDeviceGetComputeRunningProcesses_v3(handle *h, unsigned *n, process *out) {
    FIND(h);
    unsigned room = *n;
    *n = t.mig < 0 ? t.g->pids : 0;
    if (room < *n) return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < *n; i++) out[i] = (process){t.g->pid[i], GIB, ~0u, ~0u};
    return OK;
}
ret_t nvmlDeviceGetGraphicsRunningProcesses_v3(handle *h, unsigned *n, process *out) { (void)out; FIND(h); return give(n, 0); }
typedef struct { unsigned pid; u64 stamp_us; unsigned sm, memory, encoder, decoder; } utilization;
/* One sample for each process that was busy at all; as with the real one none at all is an error. */
ret_t nvmlDeviceGetProcessUtilization(handle *h, utilization *out, unsigned *n, u64 since) {
    struct timespec wall;
    WHOLE(h);
    if (!t.g->sms || t.g->mig_on) return NOT_SUPPORTED;
    clock_gettime(CLOCK_REALTIME, &wall);
    u64 now_us = (u64)wall.tv_sec * 1000000 + (u64)wall.tv_nsec / 1000;
    unsigned room = out ? *n : 0, busy = 0;
    for (unsigned i = 0; i < t.g->pids && i < t.g->sms; i++) {
        if (!t.g->sm[i]) continue;
        if (busy < room) out[busy] = (utilization){t.g->pid[i], now_us, t.g->sm[i], t.g->sm[i] / 2, 0, 0};
        busy++;
    }
    *n = busy;
    if (!busy || now_us <= since) return NOT_FOUND;
    return busy > room ? INSUFFICIENT_SIZE : OK;
}

/* ------------------------------------------------------------------ MIG */
enum { AMPERE = 7 };
ret_t nvmlDeviceGetMigMode(handle *h, unsigned *now, unsigned *pending) {
    WHOLE(h);
    if (t.g->arch < AMPERE) return NOT_SUPPORTED;
    *now = *pending = t.g->mig_on;
    return OK;
}
ret_t nvmlDeviceGetMaxMigDeviceCount(handle *h, unsigned *out) { WHOLE(h); return give(out, t.g->mig_on ? t.g->of_slices : 0); }
ret_t nvmlDeviceGetMigDeviceHandleByIndex(handle *h, unsigned i, handle **out) {
    WHOLE(h);
    if (!t.g->mig_on) return NOT_SUPPORTED;
    if (i >= MAX_MIG) return INVALID_ARGUMENT;
    return i < t.g->migs ? give_handle(&handles[loads][t.index][1 + i], out) : NOT_FOUND;
}
ret_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle *h, handle **out) {
    FIND(h);
    return t.mig < 0 ? INVALID_ARGUMENT : give_handle(&handles[loads][t.index][0], out);
}
ret_t nvmlDeviceIsMigDeviceHandle(handle *h, unsigned *out) { FIND(h); return give(out, t.mig >= 0); }
ret_t nvmlDeviceGetGpuInstanceId(handle *h, unsigned *out) { FIND(h); return t.mig < 0 ? INVALID_ARGUMENT : give(out, (unsigned)t.mig + 1); }
ret_t nvmlDeviceGetComputeInstanceId(handle *h, unsigned *out) { FIND(h); return t.mig < 0 ? INVALID_ARGUMENT : give(out, 0); }

typedef struct {
    unsigned multiprocessors, copy_engines, decoders, encoders, jpegs, ofas, gpu_slices, compute_slices;
    u64 memory_mb;
} attributes;
ret_t nvmlDeviceGetAttributes_v2(handle *h, attributes *out) {
    FIND(h);
    if (t.mig < 0) return NOT_SUPPORTED;
    unsigned slices = t.g->slices[t.mig];
    unsigned compute = (unsigned)t.mig < t.g->computes ? t.g->compute[t.mig] : slices;
    *out = (attributes){.multiprocessors = compute * SM_PER_SLICE, .copy_engines = 1, .gpu_slices = slices,
                        .compute_slices = compute, .memory_mb = (MEMORY / 8 * slices) >> 20};
    return OK;
}
