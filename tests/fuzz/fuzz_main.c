/* A driver for scan_fuzz.c where there is no libFuzzer: mutates the files named on the command
 * line for some seconds. usage: fuzz SECONDS SEED FILE… */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LONGEST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static uint64_t state;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

static size_t mutated(uint8_t *data, size_t size)
{
    static const char *hurts[] = {"\n", "\n\t", "\"", "''", "\\", "\0", "\xff", "\xe9", "$$", "/*", "*/", "--",
                                  "IN (1, 2, 3)", "VALUES (1), (1), (1)", ";", "{", "\\u0000", "\\ud83d\\ude00",
                                  "traceparent='00-", "duration: 1.5 ms  statement: SELECT 1", "E'\\", "[", "99999999999999999999"};
    for (uint32_t times = 1 + chance(4); times--;) {
        size_t at = chance((uint32_t)size + 1), n = chance(32);
        switch (chance(4)) {
        case 0:
            if (at < size)
                data[at] = (uint8_t)chance(256);
            break;
        case 1: /* cut out */
            n = at + n > size ? size - at : n;
            memmove(data + at, data + at + n, size - at - n);
            size -= n;
            break;
        case 2: { /* put in */
            const char *hurt = hurts[chance(sizeof hurts / sizeof *hurts)];
            n = *hurt ? strlen(hurt) : 1;
            if (size + n <= LONGEST) {
                memmove(data + at + n, data + at, size - at);
                memcpy(data + at, hurt, n);
                size += n;
            }
            break;
        }
        default: /* cut off */
            if (chance(4) == 0)
                size = at;
        }
    }
    return size;
}

int main(int count, char **words)
{
    if (count < 4)
        return 2;
    time_t end = time(NULL) + atoi(words[1]);
    static uint8_t seed[LONGEST], data[LONGEST];
    long runs = 0;
    state = strtoull(words[2], NULL, 10) * 2654435761u + 88172645463325252u;
    while (time(NULL) < end) {
        FILE *file = fopen(words[3 + chance((uint32_t)count - 3)], "rb");
        if (!file)
            return 2;
        fseek(file, 0, SEEK_END);
        long whole = ftell(file);
        fseek(file, whole > 4096 ? (long)chance((uint32_t)whole - 4096) & ~63L : 0, SEEK_SET);
        size_t size = 2 + fread(seed + 2, 1, 4096, file);
        fclose(file);
        for (int i = 0; i < 200; i++, runs++) {
            seed[0] = (uint8_t)chance(256);
            seed[1] = (uint8_t)chance(256);
            memcpy(data, seed, size);
            LLVMFuzzerTestOneInput(data, mutated(data + 2, size - 2) + 2);
        }
    }
    printf("%ld runs, nothing found\n", runs);
    return 0;
}
