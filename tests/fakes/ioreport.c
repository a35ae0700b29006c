/* SPDX-License-Identifier: Apache-2.0
 *
 * IOReport and as much of Core Foundation as a reader of its energy needs, in one library, with known energies.
 * $FAKE_IOREPORT_SPEC names a file with one line for each channel:
 *
 *     UNIT WATTS START PERIOD NAME      START in UNIT; PERIOD: seconds between two publications, 0 for none;
 *                                       START below 0: an invalid number
 *
 * It is read at each call, so a test may change it under a reader. Ownership is Core Foundation's, and is kept:
 * releasing what is gone ends the program, and fake_live() tells how many objects are left. Loaded before a program,
 * it is also macOS's sysctlbyname, whose processor is called $FAKE_CPU_BRAND. */
#define _GNU_SOURCE
#include "power_signal.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { GONE, STRING, ARRAY, DICTIONARY, CHANNEL, SUBSCRIPTION } kind;
typedef struct object {
    kind kind;
    int refs;
    char text[128];          /* a string */
    struct object *a, *b;    /* a channel's name and unit; a dictionary's key and value; what a subscription owns */
    struct object **items;   /* an array */
    long count;
    int64_t value;           /* a channel in a sample */
} object;

typedef struct { char unit[8], name[128]; double watts, start, period; } row;

#define MOST 512
static long live;
const char kCFTypeArrayCallBacks[40] = "retains what is put in";
long fake_live(void) { return live; }
static long sampled;
long fake_sampled(void) { return sampled; } /* channels of the last sample */

static object *make(kind kind) {
    object *o = calloc(1, sizeof *o);
    o->kind = kind;
    o->refs = 1;
    live++;
    return o;
}
static object *check(const void *p, kind kind) {
    object *o = (object *)p;
    if (!o || o->kind != kind || o->refs < 1) {
        fprintf(stderr, "fake ioreport: not a living object of kind %d\n", kind);
        abort();
    }
    return o;
}
static object *retain(object *o) { return o->refs++, o; }
static object *string(const char *text) {
    object *o = make(STRING);
    memcpy(o->text, text, strnlen(text, sizeof o->text - 1));
    return o;
}

/* ---------------------------------------------------------------- Core Foundation */
void CFRelease(object *o) {
    if (!o || o->kind == GONE || o->refs < 1) {
        fprintf(stderr, "fake ioreport: released once too often\n");
        abort();
    }
    if (--o->refs) return;
    if (o->a) CFRelease(o->a);
    if (o->b) CFRelease(o->b);
    for (long i = 0; i < o->count; i++) CFRelease(o->items[i]);
    free(o->items);
    memset(o, 0, sizeof *o); /* kept as a tombstone, so that a release too many is seen */
    live--;
}
object *CFStringCreateWithCString(void *allocator, const char *text, uint32_t encoding) {
    return allocator || encoding != 0x08000100 ? NULL : string(text);
}
unsigned char CFStringGetCString(const object *o, char *out, long cap, uint32_t encoding) {
    const char *text = check(o, STRING)->text;
    if (encoding != 0x08000100 || (long)strlen(text) >= cap) return 0;
    strcpy(out, text);
    return 1;
}
long CFArrayGetCount(const object *o) { return check(o, ARRAY)->count; }
object *CFArrayGetValueAtIndex(const object *o, long i) {
    if (i < 0 || i >= check(o, ARRAY)->count) abort();
    return o->items[i];
}
object *CFArrayCreateMutable(void *allocator, long capacity, const void *callbacks) {
    if (allocator || capacity || callbacks != kCFTypeArrayCallBacks) return NULL;
    object *o = make(ARRAY);
    o->items = calloc(MOST, sizeof *o->items);
    return o;
}
void CFArrayAppendValue(object *o, object *item) {
    if (check(o, ARRAY)->count == MOST) abort();
    o->items[o->count++] = retain(item);
}
/* A dictionary of IOReport's holds one thing of interest, so this one has room for one. */
object *CFDictionaryGetValue(const object *o, const object *key) {
    check(o, DICTIONARY);
    return o->a && !strcmp(o->a->text, check(key, STRING)->text) ? o->b : NULL;
}
void CFDictionarySetValue(object *o, object *key, object *value) {
    object *was_a = check(o, DICTIONARY)->a, *was_b = o->b;
    o->a = retain(check(key, STRING));
    o->b = retain(value);
    if (was_a) CFRelease(was_a);
    if (was_b) CFRelease(was_b);
}
object *CFDictionaryCreateMutableCopy(void *allocator, long capacity, const object *from) {
    if (allocator || capacity) return NULL;
    object *o = make(DICTIONARY);
    if (check(from, DICTIONARY)->a) CFDictionarySetValue(o, from->a, from->b);
    return o;
}

/* ---------------------------------------------------------------- IOReport */
static int load(row *rows) {
    const char *path = getenv("FAKE_IOREPORT_SPEC");
    FILE *file = path ? fopen(path, "r") : NULL;
    int n = 0;
    if (!file) return 0;
    while (n < MOST && fscanf(file, "%7s %lf %lf %lf %127[^\n]", rows[n].unit, &rows[n].watts, &rows[n].start,
                              &rows[n].period, rows[n].name) == 5) n++;
    fclose(file);
    return n;
}
static double per_joule(const char *unit) {
    return !strcmp(unit, "mJ") ? 1e3 : !strcmp(unit, "nJ") ? 1e9 : !strcmp(unit, "J") ? 1 : 1e6;
}
static object *channel(const row *r, int64_t value) {
    object *o = make(CHANNEL);
    o->a = string(r->name);
    o->b = string(r->unit);
    o->value = value;
    return o;
}
static object *in_dictionary(object *array) {
    object *key = string("IOReportChannels"), *o = make(DICTIONARY);
    CFDictionarySetValue(o, key, array);
    CFRelease(key);
    CFRelease(array);
    return o;
}
object *IOReportCopyChannelsInGroup(const object *group, const object *subgroup, uint64_t a, uint64_t b, uint64_t c) {
    row rows[MOST];
    int n = load(rows);
    if (strcmp(check(group, STRING)->text, "Energy Model") || subgroup || a || b || c || !n) return NULL;
    object *array = CFArrayCreateMutable(NULL, 0, kCFTypeArrayCallBacks);
    for (int i = 0; i < n; i++) {
        object *one = channel(&rows[i], 0);
        CFArrayAppendValue(array, one);
        CFRelease(one);
    }
    return in_dictionary(array);
}
/* What is handed out besides belongs to the subscription here: the stricter of the two readings. */
object *IOReportCreateSubscription(void *a, object *wanted, object **out, uint64_t id, const void *b) {
    if (a || id || b || !out || !CFArrayGetCount(check(wanted, DICTIONARY)->b)) return NULL;
    object *o = make(SUBSCRIPTION);
    o->a = *out = CFDictionaryCreateMutableCopy(NULL, 0, wanted);
    return o;
}
static int64_t shown(const row *r) {
    double t = monotonic_s();
    if (r->start < 0) return INT64_MIN;
    if (r->period > 0) t = floor(t / r->period) * r->period;
    return (int64_t)(r->start + r->watts * t * per_joule(r->unit));
}
object *IOReportCreateSamples(const object *subscription, object *wanted, const void *nothing) {
    row rows[MOST];
    int n = load(rows);
    object *of = check(check(wanted, DICTIONARY)->b, ARRAY);
    check(subscription, SUBSCRIPTION);
    sampled = of->count;
    if (nothing || !n) return NULL;
    object *array = CFArrayCreateMutable(NULL, 0, kCFTypeArrayCallBacks);
    for (long i = of->count; i--;) /* in an order of its own */
        for (int j = 0; j < n; j++)
            if (!strcmp(of->items[i]->a->text, rows[j].name)) {
                object *one = channel(&rows[j], shown(&rows[j]));
                CFArrayAppendValue(array, one);
                CFRelease(one);
            }
    return in_dictionary(array);
}
object *IOReportChannelGetChannelName(const object *o) { return check(o, CHANNEL)->a; }
object *IOReportChannelGetUnitLabel(const object *o) { return check(o, CHANNEL)->b; }
int64_t IOReportSimpleGetIntegerValue(const object *o, void *nothing) {
    return nothing ? INT64_MIN : check(o, CHANNEL)->value;
}

/* ---------------------------------------------------------------- sysctl(3) */
int sysctlbyname(const char *name, void *out, size_t *size_b, void *in, size_t in_b) {
    const char *brand = getenv("FAKE_CPU_BRAND");
    if (!brand || strcmp(name, "machdep.cpu.brand_string") || in || in_b || strlen(brand) >= *size_b) return -1;
    *size_b = strlen(brand) + 1;
    strcpy(out, brand);
    return 0;
}
