/* SPDX-License-Identifier: Apache-2.0
 *
 * A libhlml.so whose Gaudi accelerators draw a known power. $FAKE_HLML_SPEC names a file with one line for each:
 *
 *     WATTS UUID ENERGY LOST      ENERGY 0: no energy counter; LOST 1: every call says so
 *
 * It is read at each call, so a test may change it under a reader. Without the file there is no driver. */
#define _GNU_SOURCE
#include "power_signal.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, DRIVER_NOT_LOADED = 9, LOST = 11 };
typedef struct { double watts; char uuid[64]; int energy, lost; } hpu;

#define MOST 16
static hpu hpus[MOST];
static int ready;

static unsigned load(void) {
    const char *path = getenv("FAKE_HLML_SPEC");
    FILE *file = path ? fopen(path, "r") : NULL;
    unsigned n = 0;
    if (!file) return 0;
    while (n < MOST && fscanf(file, "%lf %63s %d %d", &hpus[n].watts, hpus[n].uuid, &hpus[n].energy, &hpus[n].lost) == 4) n++;
    fclose(file);
    return n;
}

static int find(void *handle, const hpu **out) {
    unsigned i = (unsigned)(uintptr_t)handle - 1;
    if (!ready) return UNINITIALIZED;
    if (i >= load()) return INVALID_ARGUMENT;
    *out = &hpus[i];
    return hpus[i].lost ? LOST : OK;
}

int hlml_init(void) { return load() ? (ready = 1, OK) : DRIVER_NOT_LOADED; }
int hlml_device_get_count(unsigned *out) { return ready ? (*out = load(), OK) : UNINITIALIZED; }
int hlml_device_get_handle_by_index(unsigned i, void **out) {
    if (!ready) return UNINITIALIZED;
    if (i >= load()) return INVALID_ARGUMENT;
    *out = (void *)(uintptr_t)(i + 1);
    return OK;
}
int hlml_device_get_uuid(void *handle, char *out, unsigned cap) {
    const hpu *h;
    int code = find(handle, &h);
    if (!code) snprintf(out, cap, "%s", h->uuid);
    return code;
}
int hlml_device_get_name(void *handle, char *out, unsigned cap) {
    const hpu *h;
    int code = find(handle, &h);
    if (!code) snprintf(out, cap, "HL-225");
    return code;
}
int hlml_device_get_total_energy_consumption(void *handle, unsigned long long *out) {
    const hpu *h;
    int code = find(handle, &h);
    if (!code && !h->energy) return NOT_SUPPORTED;
    if (!code) *out = (unsigned long long)(h->watts * monotonic_s() * 1000);
    return code;
}
int hlml_device_get_power_usage(void *handle, unsigned *out) {
    const hpu *h;
    int code = find(handle, &h);
    if (!code) *out = (unsigned)(h->watts * 1000);
    return code;
}
