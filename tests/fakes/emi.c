/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of Windows' cfgmgr32 and kernel32 that find and ask energy meters, with meters of known power.
 * $FAKE_EMI_SPEC names a file with one line for each channel; lines of one device follow each other:
 *
 *     DEVICE VERSION NAME WATTS START STATE     START: joules at monotonic second 0
 *         STATE: ok; denied: it cannot be opened; lost: it answers nothing; short: it leaves out the last byte;
 *         zero: a rail that the processor has not
 *
 * It is read at each call, so a test may change it under a reader. */
#define _GNU_SOURCE
#include "power_signal.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { char device[64], name[64], state[16]; int version; double watts, start; } row;

#define MOST 64
static const unsigned char METER[16] = {0x44, 0x83, 0xbd, 0x45, 0xd6, 0x7e, 0xcf, 0x49,
                                        0xa4, 0x40, 0xc2, 0x76, 0xc9, 0x33, 0xb0, 0x53};
static char opened[MOST][64]; /* a handle is its place here, plus one */
static int handles;
int fake_open_handles(void) { return handles; }

static int load(row *rows) {
    const char *path = getenv("FAKE_EMI_SPEC");
    FILE *file = path ? fopen(path, "r") : NULL;
    int n = 0;
    if (!file) return 0;
    while (n < MOST && fscanf(file, "%63s %d %63s %lf %lf %15s", rows[n].device, &rows[n].version, rows[n].name,
                              &rows[n].watts, &rows[n].start, rows[n].state) == 6) n++;
    fclose(file);
    return n;
}
static int of_device(const char *device, row *out) {
    row rows[MOST];
    int n = load(rows), k = 0;
    for (int i = 0; i < n; i++)
        if (!strcmp(rows[i].device, device)) out[k++] = rows[i];
    return k;
}
static char *put(char *at, const void *what, size_t n) { return (char *)memcpy(at, what, n) + n; }
static char *put16(char *at, unsigned n) { return put(at, &(uint16_t){n}, 2); }
static char *put32(char *at, unsigned n) { return put(at, &(uint32_t){n}, 4); }
static char *put64(char *at, uint64_t n) { return put(at, &n, 8); }
static char *wide(char *at, const char *text) {
    do at = put16(at, (unsigned char)*text); while (*text++);
    return at;
}

/* ---------------------------------------------------------------- cfgmgr32 */
static unsigned paths(char *out) {
    row rows[MOST];
    int n = load(rows);
    char *at = out;
    for (int i = 0; i < n; i++)
        if (!i || strcmp(rows[i].device, rows[i - 1].device)) at = wide(at, rows[i].device);
    return (unsigned)(put16(at, 0) - out) / 2;
}
uint32_t CM_Get_Device_Interface_List_SizeW(uint32_t *letters, const void *guid, const void *id, uint32_t flags) {
    char scratch[MOST * 130];
    if (memcmp(guid, METER, sizeof METER) || id || flags) return 1;
    *letters = paths(scratch);
    return 0;
}
uint32_t CM_Get_Device_Interface_ListW(const void *guid, const void *id, char *out, uint32_t letters, uint32_t flags) {
    char scratch[MOST * 130];
    unsigned n = paths(scratch);
    if (memcmp(guid, METER, sizeof METER) || id || flags || letters < n) return 1;
    memcpy(out, scratch, 2 * n);
    return 0;
}

/* ---------------------------------------------------------------- kernel32 */
void *CreateFileW(const uint16_t *path, uint32_t access, uint32_t share, void *security, uint32_t how, uint32_t flags,
                  void *template) {
    row rows[MOST];
    char name[64] = "";
    for (int i = 0; i < 63 && path[i]; i++) name[i] = (char)path[i];
    if (access != 0x80000000u || share != 3 || security || how != 3 || flags != 0x80 || template) return (void *)-1;
    if (!of_device(name, rows) || !strcmp(rows[0].state, "denied")) return (void *)-1;
    for (int i = 0; i < MOST; i++)
        if (!*opened[i]) {
            strcpy(opened[i], name);
            handles++;
            return (void *)(uintptr_t)(i + 1);
        }
    return (void *)-1;
}
int CloseHandle(void *handle) {
    uintptr_t i = (uintptr_t)handle - 1;
    if (i >= MOST || !*opened[i]) abort(); /* closed once too often */
    *opened[i] = 0;
    handles--;
    return 1;
}
static char *metadata(const row *rows, int n, char *at) {
    static const char nobody[64];
    if (rows[0].version == 1) {
        at = put16(put(put32(at, 0), nobody, 64), 7);
        return wide(put16(at, 2 * (unsigned)strlen(rows[0].name) + 2), rows[0].name);
    }
    at = put16(put16(put(at, nobody, 64), 7), n);
    for (int i = 0; i < n; i++)
        at = wide(put16(put32(at, 0), 2 * (unsigned)strlen(rows[i].name) + 2), rows[i].name);
    return at;
}
static char *measurement(const row *rows, int n, char *at) {
    for (int i = 0; i < n; i++) {
        double joules = strcmp(rows[i].state, "zero") ? rows[i].start + rows[i].watts * monotonic_s() : 0;
        at = put64(put64(at, (uint64_t)(joules / 3.6e-9)), (uint64_t)(monotonic_s() * 1e7));
    }
    return at;
}
int DeviceIoControl(void *handle, uint32_t code, void *in, uint32_t in_b, char *out, uint32_t out_b, uint32_t *told_b,
                    void *overlapped) {
    row rows[MOST];
    char answer[MOST * 200], *end = answer;
    uintptr_t i = (uintptr_t)handle - 1;
    int n = i < MOST && *opened[i] ? of_device(opened[i], rows) : 0;
    if (!n || in || in_b || overlapped || !strcmp(rows[0].state, "lost")) return 0;
    if (code == 0x224000) end = put16(answer, rows[0].version);
    else if (code == 0x224004) end = put32(answer, (unsigned)(metadata(rows, n, answer) - answer));
    else if (code == 0x224008) end = metadata(rows, n, answer);
    else if (code == 0x22400C) end = measurement(rows, n, answer);
    else return 0;
    *told_b = (uint32_t)(end - answer) - (code >= 0x224008 && !strcmp(rows[0].state, "short"));
    if (*told_b > out_b) return 0;
    memcpy(out, answer, *told_b);
    return 1;
}
