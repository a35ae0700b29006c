/* SPDX-License-Identifier: Apache-2.0
 *
 * A libamd_smi.so whose cards draw a known power. $FAKE_AMDSMI_SPEC names a file with one line for each processor,
 * which is a card or a partition of one; those of one PCI device (without its function) share a socket:
 *
 *     WATTS DOMAIN:BUS:DEVICE.FUNCTION UUID COUNTER RESOLUTION
 *
 * COUNTER is what the energy counter does: `counts`, `lost` (no answer), `none` (not supported), `ones` (all ones, as
 * the driver shows a counter that is not there), `zero` (the second die of an MI250X), `frozen` (it never moves) or
 * `slow` (it counts a thousandth). RESOLUTION is what the library tells, in microjoules; it counts in 2^-16 J.
 * The file is read at each call, so a test may change it under a reader. Without the file there is no driver. */
#define _GNU_SOURCE
#include "power_signal.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, INVALID = 1, NOT_SUPPORTED = 2, IO = 12, NOT_INIT = 32, NO_DRIVER = 34 };
enum { GPUS = 1 << 1, UUID_SIZE = 38, MOST = 32 };
typedef struct { double watts, resolution; unsigned domain, bus, device, function; char uuid[64], counter[16]; } gpu;

static gpu gpus[MOST];
static int ready;

static uint32_t load(void) {
    const char *path = getenv("FAKE_AMDSMI_SPEC");
    FILE *file = path ? fopen(path, "r") : NULL;
    uint32_t n = 0;
    if (!file) return 0;
    while (n < MOST) {
        gpu *g = &gpus[n];
        if (fscanf(file, "%lf %x:%x:%x.%x %63s %15s %lf", &g->watts, &g->domain, &g->bus, &g->device, &g->function,
                   g->uuid, g->counter, &g->resolution) != 8) break;
        n++;
    }
    fclose(file);
    return n;
}

static int same_socket(const gpu *a, const gpu *b) {
    return a->domain == b->domain && a->bus == b->bus && a->device == b->device;
}
static int is_first(uint32_t i) {
    for (uint32_t j = 0; j < i; j++) if (same_socket(&gpus[i], &gpus[j])) return 0;
    return 1;
}
static int find(void *handle, const gpu **out) {
    uint32_t i = (uint32_t)((uintptr_t)handle - 1);
    if (!ready) return NOT_INIT;
    if (i >= load()) return INVALID;
    *out = &gpus[i];
    return OK;
}

int amdsmi_init(uint64_t flags) {
    if (flags != GPUS) return INVALID;      /* with CPUs it prints where their driver is not there */
    return load() ? (ready = 1, OK) : NO_DRIVER;
}
int amdsmi_get_socket_handles(uint32_t *count, void **out) {
    uint32_t all = load(), n = 0;
    if (!ready) return NOT_INIT;
    for (uint32_t i = 0; i < all; i++)
        if (is_first(i)) {
            if (out && n < *count) out[n] = (void *)(uintptr_t)(i + 1);
            n++;
        }
    *count = n;
    return OK;
}
int amdsmi_get_processor_handles(void *socket, uint32_t *count, void **out) {
    const gpu *first;
    int code = find(socket, &first);
    uint32_t all = load(), n = 0;
    for (uint32_t i = 0; !code && i < all; i++)
        if (same_socket(&gpus[i], first)) {
            if (out && n < *count) out[n] = (void *)(uintptr_t)(i + 1);
            n++;
        }
    if (!code) *count = n;
    return code;
}
int amdsmi_get_gpu_device_bdf(void *handle, uint64_t *out) {
    const gpu *g;
    int code = find(handle, &g);
    if (!code) *out = (uint64_t)g->domain << 16 | g->bus << 8 | g->device << 3 | g->function;
    return code;
}
int amdsmi_get_gpu_device_uuid(void *handle, unsigned *length, char *out) {
    const gpu *g;
    int code = find(handle, &g);
    if (!code && *length < UUID_SIZE) code = INVALID;
    if (!code) snprintf(out, *length, "%s", g->uuid);
    return code;
}
int amdsmi_get_energy_count(void *handle, uint64_t *count, float *resolution, uint64_t *timestamp) {
    const gpu *g;
    int code = find(handle, &g);
    if (code) return code;
    if (!strcmp(g->counter, "lost")) return IO;
    if (!strcmp(g->counter, "none")) return NOT_SUPPORTED;
    double scale = !strcmp(g->counter, "slow") ? 1e-3 : 1;
    *count = 1 + (uint64_t)(scale * g->watts * monotonic_s() * 65536);
    if (!strcmp(g->counter, "ones")) *count = UINT64_MAX;
    if (!strcmp(g->counter, "zero")) *count = 0;
    if (!strcmp(g->counter, "frozen")) *count = 8152136;
    *resolution = (float)g->resolution;
    *timestamp = (uint64_t)(monotonic_s() * 1e9);
    return OK;
}
