/* SPDX-License-Identifier: Apache-2.0
 *
 * A power signal whose energy integral has a closed form, over CLOCK_MONOTONIC:
 *
 *     const W               W watts
 *     square LO HI HZ       LO in the first half of every period, HI in the second
 *     sine MEAN AMP HZ      MEAN + AMP * sin(2 pi HZ t)
 *     step W0 W1 T          W0 before monotonic second T, W1 from then on
 *
 * A fake counter is computed at the moment it is read. So no background writer is needed, every
 * process sees the same meter, and the truth of a window is energy(t1) - energy(t0) to rounding.
 * meters.py has the same formulas in Python. */
#ifndef POWER_SIGNAL_H
#define POWER_SIGNAL_H
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef enum { POWER_NONE, POWER_CONST, POWER_SQUARE, POWER_SINE, POWER_STEP } power_kind;
typedef struct { power_kind kind; double a, b, c; } power_signal;

static inline double monotonic_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Text to signal; separators are blanks or commas. Returns 0, or -1 and a signal of kind NONE. */
static inline int power_parse(const char *text, power_signal *out) {
    static const struct { const char *word; power_kind kind; int numbers; } KINDS[] = {
        {"const", POWER_CONST, 1}, {"square", POWER_SQUARE, 3}, {"sine", POWER_SINE, 3}, {"step", POWER_STEP, 3},
    };
    char word[16] = "";
    power_signal s = {POWER_NONE, 0, 0, 0};
    int got = sscanf(text, " %15[a-z]%*[ ,]%lf%*[ ,]%lf%*[ ,]%lf", word, &s.a, &s.b, &s.c);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (!strcmp(word, KINDS[i].word) && got - 1 >= KINDS[i].numbers) s.kind = KINDS[i].kind;
    *out = s;
    return s.kind == POWER_NONE ? -1 : 0;
}

static inline double power_watts(const power_signal *s, double t) {
    switch (s->kind) {
    case POWER_CONST: return s->a;
    case POWER_SQUARE: return t * s->c - floor(t * s->c) < 0.5 ? s->a : s->b;
    case POWER_SINE: return s->a + s->b * sin(2 * M_PI * s->c * t);
    case POWER_STEP: return t < s->c ? s->a : s->b;
    default: return 0;
    }
}

/* Joules from monotonic second 0 to t. */
static inline double power_joules(const power_signal *s, double t) {
    switch (s->kind) {
    case POWER_CONST: return s->a * t;
    case POWER_SQUARE: {
        double half = 0.5 / s->c, periods = floor(t * s->c), rest = t - periods * 2 * half;
        double low = rest < half ? rest : half;
        return periods * half * (s->a + s->b) + low * s->a + (rest - low) * s->b;
    }
    case POWER_SINE: return s->a * t + s->b * (1 - cos(2 * M_PI * s->c * t)) / (2 * M_PI * s->c);
    case POWER_STEP: return t < s->c ? s->a * t : s->a * s->c + s->b * (t - s->c);
    default: return 0;
    }
}

/* The time a register refreshed every `period` seconds was last refreshed; period 0: continuously. */
static inline double refreshed_at(double t, double period) {
    return period > 0 ? floor(t / period) * period : t;
}
#endif
