/* SPDX-License-Identifier: Apache-2.0
 *
 * A libze_loader.so.1 (Level Zero, Sysman) whose cards draw a known power. $FAKE_ZE_SPEC names a file with one line for
 * each device:
 *
 *     WATTS DOMAIN:BUS:DEVICE.FUNCTION MODEL TILES DOMAINS COUNTER
 *
 * DOMAINS: `card` (the card's own, and one for each tile), `package` (no card's own, but one that is not a tile's),
 * `tiles` (those only, two of each) or `none`. COUNTER: `counts`, `lost`, `half` (all but the first tile are lost),
 * `denied`, `none`, or `dip` (nearly 0, as intel/compute-runtime issue 938 has it). Without the file there is no driver. MODEL `NPU` is no GPU, and
 * `UHD` is integrated. */
#define _GNU_SOURCE
#include "power_signal.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, UNINITIALIZED = 0x78000001, UNSUPPORTED = 0x78000003, INVALID = 0x78000005,
       LOST = 0x70000001, DENIED = 0x70010000 };
enum { DEVICE_PROPERTIES = 1, PCI_PROPERTIES = 2, POWER_PROPERTIES = 0xd, GPU = 1, VPU = 5, MOST = 16, ALL = 99 };

typedef struct {
    int stype; void *next; int type; uint32_t vendor, device, flags, subdevice, clock; uint64_t allocation;
    uint32_t contexts, priority, threads, simd, eus, subslices, slices; uint64_t timer; uint32_t valid, kernel_valid;
    uint8_t uuid[16]; char name[256];
} core_properties;
typedef struct {
    int stype; void *next; core_properties core; uint32_t subdevices;
    char serial[64], board[64], brand[64], model[64], vendor[64], driver[64];
} device_properties;
typedef struct {
    int stype; void *next; uint32_t domain, bus, device, function; int32_t gen, width; int64_t bandwidth;
    uint8_t have_bandwidth, have_packets, have_replays;
} pci_properties;
typedef struct {
    int stype; void *next; uint8_t on_subdevice; uint32_t subdevice; uint8_t can_control, threshold;
    int32_t usual, least, most;
} power_properties;
typedef struct { uint64_t energy, timestamp; } energy_counter;
typedef struct {
    double watts; unsigned domain, bus, device, function; char model[64]; unsigned tiles; char domains[16], counter[16];
} card;

static card cards[MOST];
static int ready;

static uint32_t load(void) {
    const char *path = getenv("FAKE_ZE_SPEC");
    FILE *file = path ? fopen(path, "r") : NULL;
    uint32_t n = 0;
    if (!file) return 0;
    while (n < MOST) {
        card *c = &cards[n];
        if (fscanf(file, "%lf %x:%x:%x.%x %63s %u %15s %15s", &c->watts, &c->domain, &c->bus, &c->device, &c->function,
                   c->model, &c->tiles, c->domains, c->counter) != 9) break;
        n++;
    }
    fclose(file);
    return n;
}

/* a device is 1000 + its number; a power domain 100 x device + ALL for the card, or + 2 x tile, and one more */
static card *find(void *handle) {
    uintptr_t i = (uintptr_t)handle - 1000;
    return ready && i < load() ? &cards[i] : NULL;
}
static card *of_domain(void *power) { return find((void *)((uintptr_t)power / 100)); }
static int list(uint32_t *count, void **out, uint32_t n, uintptr_t first, uintptr_t step) {
    for (uint32_t i = 0; out && i < n && i < *count; i++) out[i] = (void *)(first + step * i);
    *count = n;
    return OK;
}

int zesInit(uint32_t flags) { return flags == 0 && load() ? (ready = 1, OK) : UNINITIALIZED; }
int zesDriverGet(uint32_t *count, void **out) { return ready ? list(count, out, 1, 7, 1) : UNINITIALIZED; }
int zesDeviceGet(void *driver, uint32_t *count, void **out) {
    return driver == (void *)7 ? list(count, out, load(), 1000, 1) : INVALID;
}
int zesDeviceGetProperties(void *device, device_properties *out) {
    card *c = find(device);
    if (!c || out->stype != DEVICE_PROPERTIES || out->next) return INVALID;
    out->core.type = strcmp(c->model, "NPU") ? GPU : VPU;
    out->core.flags = !strcmp(c->model, "UHD");
    out->subdevices = c->tiles > 1 ? c->tiles : 0;
    snprintf(out->model, sizeof out->model, "%s", c->model);
    memset(out->driver, 'x', sizeof out->driver);     /* the last byte of the structure is written, too */
    return OK;
}
int zesDevicePciGetProperties(void *device, pci_properties *out) {
    card *c = find(device);
    if (!c || out->stype != PCI_PROPERTIES || out->next) return INVALID;
    out->domain = c->domain, out->bus = c->bus, out->device = c->device, out->function = c->function;
    out->gen = out->width = -1, out->bandwidth = -1, out->have_replays = 1;
    return OK;
}
int zesDeviceGetCardPowerDomain(void *device, void **out) {
    card *c = find(device);
    if (!c || strcmp(c->domains, "card")) return UNSUPPORTED;
    *out = (void *)((uintptr_t)device * 100 + ALL);
    return OK;
}
int zesDeviceEnumPowerDomains(void *device, uint32_t *count, void **out) {
    card *c = find(device);
    if (!c) return INVALID;
    if (!strcmp(c->domains, "none")) return list(count, out, 0, 0, 0);
    if (!strcmp(c->domains, "package")) return list(count, out, 1, (uintptr_t)device * 100 + ALL, 1);
    return list(count, out, 2 * c->tiles, (uintptr_t)device * 100, 1);
}
int zesPowerGetProperties(void *power, power_properties *out) {
    uint32_t part = (uintptr_t)power % 100;
    if (!of_domain(power) || out->stype != POWER_PROPERTIES || out->next) return INVALID;
    out->on_subdevice = part != ALL;
    out->subdevice = part / 2;      /* two domains a tile: its package, and a part of that */
    out->usual = out->least = out->most = -1;
    return OK;
}
int zesPowerGetEnergyCounter(void *power, energy_counter *out) {
    card *c = of_domain(power);
    uint32_t part = (uintptr_t)power % 100;
    if (!c) return INVALID;
    if (!strcmp(c->counter, "lost") || (!strcmp(c->counter, "half") && part / 2)) return LOST;
    if (!strcmp(c->counter, "denied")) return DENIED;
    if (!strcmp(c->counter, "none")) return UNSUPPORTED;
    double watts = part == ALL ? c->watts : c->watts / c->tiles / (part % 2 ? 2 : 1);
    out->energy = strcmp(c->counter, "dip") ? (uint64_t)(1e6 * watts * monotonic_s()) : 200000000;
    out->timestamp = (uint64_t)(1e6 * monotonic_s());
    return OK;
}
