/*
 * Module for Redis (6.2 and later) and Valkey: keeps tensors, models and scripts as values, answers AI.TENSORSET and AI.TENSORGET, and hands
 * every other AI command to a worker process over a Unix socket, in the frames that docs/engine-protocol.md describes.
 *
 * Contents, in this order; each section uses those above it:
 *
 *   Values                            tensors, models and scripts: counted, never changed, let go of on the main thread
 *   Persistence                       RDB, the append-only file, copies, sizes and digests of values
 *   Words of commands                 numbers and names as clients write them
 *   AI.TENSORSET and AI.TENSORGET     the whole of both, and of AI._RESTORE
 *   Keys of commands                  a table of all other AI commands, and where their keys are
 *   Requests                          commands that the worker answers: what they hold, which of them wait, and how they end
 *   Frames to the worker              what is sent, and when
 *   Commands that the worker answers  from a client's command to a request
 *   Replies of the worker             from bytes that nobody trusts to writes, all or none, and a client's reply
 *   The worker's connection           comes, is replaced, and ends
 *   Peers                             whose a connection is, and who is let in
 *   Cluster                           a bus that is closed, or that the cluster's own servers alone reach
 *   Clients that believe in a cluster what a single server answers them
 *   Start                             options, commands, INFO, and what happens ten times a second
 *
 * Everything happens on the server's main thread. Only values may be released on another one (FLUSHALL ASYNC): they are put on a list, and
 * the main thread lets go of what they refer to, since the server counts references to strings without atomic operations.
 */
#define _GNU_SOURCE
#include "module-api.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == 8, "only for 64-bit systems");
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors and frames are little-endian"
#endif

enum { MODULE_VERSION = 10207, PROTOCOL = 1 };
/* RedisAI has types of the same names: its encodings are small numbers. */
enum { ENCODING = 900 };
enum { MAX_RANK = 65536, MAX_DEPTH = 32, MAX_ALLOWED = 1024, MAX_BUS_PEERS = 1024, NODE_ID = 40, FRAME_HEADER = 32, RECORD = 32, BUFFER = 64 * 1024 };
/* Bytes that are read from the worker, or sent to it, before other clients have their turn. */
enum { BUDGET = 1024 * 1024 };
/* Bytes of the records of a reply and of a request. */
enum { MAX_META = 16 * 1024 * 1024, MAX_RECORDS = 64 * 1024 * 1024 };
/* Bytes up to which a word or a value is copied into a frame, and bytes of frames that are sent together. */
enum { MAX_COPIED = 4096, GATHERED = 64 * 1024 };

static const char wrong_type[] = "WRONGTYPE Operation against a key holding the wrong kind of value";
static const char in_transaction[] = "ERR Cannot run RedisAI command within a transaction or a LUA script";
static const char no_worker[] = "ERR this store runs no models and scripts: it was started without its AI layer";

static struct {
    const char *socket;
    pid_t parent;
    bool peer_check;
    /* Other modules have the types and commands: this one looks at clients, and no more. */
    bool guards_only;
    const char *allow_folder;
    struct in6_addr allowed[MAX_ALLOWED];
    int allowed_count;
    long long worker_wait_ms;
    /* Port of the cluster's bus, which this server does without; 0 where it is used, or there is none. */
    uint16_t closed_bus_port;
    /* Port of the bus of a cluster with replicas, whose servers are on these hosts; 0 if there is none. */
    uint16_t guarded_bus_port;
    struct in6_addr bus_peers[MAX_BUS_PEERS];
    int bus_peer_count;
    /* Names of these servers. */
    const char *bus_servers[MAX_BUS_PEERS];
    int bus_server_count;
    /* TCP port of the server; 0 if it has none. */
    long long port;
    uint64_t max_bulk_bytes;
    uint64_t max_frame_bytes;
} settings = {.peer_check = true, .worker_wait_ms = 10000, .max_bulk_bytes = 512ULL << 20, .max_frame_bytes = 8ULL << 30};

/* Context outside of any command. */
static Ctx *home;
static Type *tensor_type, *model_type, *script_type;
static _Thread_local bool is_main_thread;

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* ---------------------------------------------------------------- Values */

/* One more reference to a string. */
static Str *kept(Str *string) {
    api_RetainString(NULL, string);
    return string;
}

/* Bytes of a string; 0 if there is none. */
static size_t length_of(const Str *string) {
    size_t length = 0;
    if (string != NULL) api_StringPtrLen(string, &length);
    return length;
}

enum Kind { NOTHING = 0, TENSOR = 1, MODEL = 2, SCRIPT = 3, STRING_KEY = 4, HASH_KEY = 5, LIST_KEY = 6, OTHER_KEY = 7 };

static const struct {
    const char *name;
    uint8_t bytes;
} dtypes[] = {{"", 0},      {"FLOAT", 4}, {"DOUBLE", 8}, {"INT8", 1},   {"INT16", 2}, {"INT32", 4},
              {"INT64", 8}, {"UINT8", 1}, {"UINT16", 2}, {"BOOL", 1}, {"STRING", 0}};
enum { FLOAT = 1, DOUBLE, INT8, INT16, INT32, INT64, UINT8, UINT16, BOOL, STRING, DTYPES };

/* A value at a key: a tensor, a model or a script. It never changes. */
typedef struct Value {
    struct Value *next_released;
    /* The key that holds it counts, and each request that uses it. */
    uint32_t references;
    uint8_t kind;
    uint8_t dtype;
    uint32_t rank;
    /* Models and scripts: tells it from all other values, and the connection of the worker that knows it. */
    uint64_t serial;
    uint64_t sent_to;
    /* Bytes of the tensor or model, or text of the script. */
    Str *data;
    /* Properties of the model or script, which the worker alone reads. */
    Str *meta;
    int64_t shape[];
} Value;

static _Atomic(Value *) released_elsewhere;
static uint64_t next_counter = 1;

static uint64_t new_serial(void) { return next_counter++ << 24 | 0xffffff; }

/* Values of each kind that there are. */
static uint64_t alive[SCRIPT + 1];

static Value *new_value(int kind, uint32_t rank) {
    Value *value = api_Calloc(1, sizeof *value + rank * sizeof(int64_t));
    value->kind = (uint8_t)kind;
    value->references = 1;
    value->rank = rank;
    alive[kind]++;
    return value;
}

static void worker_forgets(uint64_t serial, uint64_t sent_to);

static void let_go(Value *value) {
    if (--value->references > 0) return;
    alive[value->kind]--;
    if (value->kind != TENSOR) worker_forgets(value->serial, value->sent_to);
    if (value->data != NULL) api_FreeString(NULL, value->data);
    if (value->meta != NULL) api_FreeString(NULL, value->meta);
    api_Free(value);
}

static void release(void *data) {
    Value *value = data;
    if (is_main_thread) {
        let_go(value);
        return;
    }
    value->next_released = atomic_load(&released_elsewhere);
    while (!atomic_compare_exchange_weak(&released_elsewhere, &value->next_released, value)) continue;
}

static void let_go_of_released(void) {
    /* Reading costs less than exchanging, and commands come here. */
    if (atomic_load_explicit(&released_elsewhere, memory_order_relaxed) == NULL) return;
    Value *value = atomic_exchange(&released_elsewhere, NULL);
    while (value != NULL) {
        Value *next = value->next_released;
        let_go(value);
        value = next;
    }
}

/* Number of elements; false if it is too large for any tensor. */
static bool count_elements(const int64_t *shape, uint32_t rank, uint64_t *count) {
    *count = 1;
    for (uint32_t at = 0; at < rank; at++) {
        if (shape[at] < 1 || __builtin_mul_overflow(*count, (uint64_t)shape[at], count)) return false;
        if (*count > UINT64_MAX / 16) return false;
    }
    return true;
}

enum Fit { FITS, WRONG_LENGTH, NOT_BOOLEAN, WRONG_STRINGS };

/* True content of a tensor has the length of its shape, only 0 and 1 in a BOOL, and a NUL after each string. */
static enum Fit fit(int dtype, const int64_t *shape, uint32_t rank, const char *bytes, size_t length) {
    uint64_t elements;
    if (!count_elements(shape, rank, &elements)) return dtype == STRING ? WRONG_STRINGS : WRONG_LENGTH;
    if (dtype != STRING && length != elements * dtypes[dtype].bytes) return WRONG_LENGTH;
    if (dtype == BOOL) {
        unsigned char others = 0;
        for (size_t at = 0; at < length; at++) others |= (unsigned char)bytes[at];
        return (others & 0xfe) == 0 ? FITS : NOT_BOOLEAN;
    }
    if (dtype == STRING) {
        uint64_t ends = 0;
        for (const char *at = bytes; (at = memchr(at, 0, (size_t)(bytes + length - at))) != NULL; at++) ends++;
        return ends == elements && length > 0 && bytes[length - 1] == 0 ? FITS : WRONG_STRINGS;
    }
    return FITS;
}

/* ---------------------------------------------------------------- Persistence */

static void save_value(IO *io, void *data) {
    const Value *value = data;
    if (value->kind == TENSOR) {
        api_SaveUnsigned(io, value->dtype);
        api_SaveUnsigned(io, value->rank);
        for (uint32_t at = 0; at < value->rank; at++) api_SaveUnsigned(io, (uint64_t)value->shape[at]);
    } else {
        api_SaveString(io, value->meta);
    }
    api_SaveString(io, value->data);
}

/* True for values as this module writes them. Others are told to whoever has to find out why the server does not start. */
static bool is_readable(const char *type, int encoding) {
    if (encoding == ENCODING) return true;
    const char *writer = encoding < ENCODING ? "RedisAI" : "another version of the module";
    api_Log(home, "warning", "a value of the type %s was written by %s, in encoding %d instead of %d", type, writer, encoding, ENCODING);
    return false;
}

/* Content of a dump may come from a client (RESTORE): nothing of it is trusted. */
static void *load_tensor(IO *io, int encoding) {
    if (!is_readable("AI_TENSOR", encoding)) return NULL;
    uint64_t dtype = api_LoadUnsigned(io);
    uint64_t rank = api_LoadUnsigned(io);
    if (api_IsIOError(io) || dtype == 0 || dtype >= DTYPES || rank > MAX_RANK) return NULL;
    Value *value = new_value(TENSOR, (uint32_t)rank);
    value->dtype = (uint8_t)dtype;
    for (uint64_t at = 0; at < rank && !api_IsIOError(io); at++) value->shape[at] = (int64_t)api_LoadUnsigned(io);
    if (!api_IsIOError(io)) value->data = api_LoadString(io);
    if (value->data != NULL && !api_IsIOError(io)) {
        size_t length;
        const char *bytes = api_StringPtrLen(value->data, &length);
        if (fit(value->dtype, value->shape, value->rank, bytes, length) == FITS) return value;
    }
    release(value);
    return NULL;
}

static void *load_program(IO *io, int encoding, int kind) {
    if (!is_readable(kind == MODEL ? "AI__MODEL" : "AI_SCRIPT", encoding)) return NULL;
    Value *value = new_value(kind, 0);
    value->serial = new_serial();
    value->meta = api_LoadString(io);
    if (!api_IsIOError(io)) value->data = api_LoadString(io);
    if (!api_IsIOError(io) && value->meta != NULL && value->data != NULL && length_of(value->meta) <= MAX_META) return value;
    release(value);
    return NULL;
}

static void *load_model(IO *io, int encoding) { return load_program(io, encoding, MODEL); }
static void *load_script(IO *io, int encoding) { return load_program(io, encoding, SCRIPT); }

static Str *string_of(const char *text) { return api_CreateString(NULL, text, strlen(text)); }

/* The command that makes a value again, as words after its name. */
static Str **words_of(Str *key, const Value *value, size_t *count) {
    Str **words = api_Alloc((value->rank + 5) * sizeof *words);
    size_t at = 0;
    words[at++] = key;
    if (value->kind == TENSOR) {
        char text[24];
        words[at++] = string_of(dtypes[value->dtype].name);
        for (uint32_t axis = 0; axis < value->rank; axis++) {
            snprintf(text, sizeof text, "%lld", (long long)value->shape[axis]);
            words[at++] = string_of(text);
        }
        words[at++] = string_of("BLOB");
    } else {
        words[at++] = string_of(value->kind == MODEL ? "MODEL" : "SCRIPT");
        words[at++] = kept(value->meta);
    }
    words[at++] = value->data;
    *count = at;
    return words;
}

static void free_words(Str **words, size_t count) {
    for (size_t at = 1; at + 1 < count; at++) api_FreeString(NULL, words[at]);
    api_Free(words);
}

static const char *command_of(const Value *value) { return value->kind == TENSOR ? "AI.TENSORSET" : "AI._RESTORE"; }

static void rewrite_value(IO *io, Str *key, void *data) {
    size_t count;
    Str **words = words_of(key, data, &count);
    api_EmitAOF(io, command_of(data), "v", words, count);
    free_words(words, count);
}

static size_t memory_of_string(Str *string) {
    if (string == NULL) return 0;
    return api_MallocSizeString != NULL ? api_MallocSizeString(string) : length_of(string) + 16;
}

static size_t memory_of_value(const void *data) {
    const Value *value = data;
    return sizeof *value + value->rank * sizeof(int64_t) + memory_of_string(value->data) + memory_of_string(value->meta);
}

static void digest_value(Digest *digest, void *data) {
    const Value *value = data;
    size_t length;
    const char *bytes;
    api_DigestAddLongLong(digest, value->kind);
    api_DigestAddLongLong(digest, value->dtype);
    for (uint32_t at = 0; at < value->rank; at++) api_DigestAddLongLong(digest, value->shape[at]);
    if (value->meta != NULL) {
        bytes = api_StringPtrLen(value->meta, &length);
        api_DigestAddStringBuffer(digest, bytes, length);
    }
    bytes = api_StringPtrLen(value->data, &length);
    api_DigestAddStringBuffer(digest, bytes, length);
    api_DigestEndSequence(digest);
}

static void *copy_value(Str *from, Str *to, const void *data) {
    (void)from;
    (void)to;
    const Value *value = data;
    Value *copy = new_value(value->kind, value->rank);
    copy->dtype = value->dtype;
    memcpy(copy->shape, value->shape, value->rank * sizeof(int64_t));
    if (copy->kind != TENSOR) copy->serial = new_serial();
    copy->data = kept(value->data);
    if (value->meta != NULL) copy->meta = kept(value->meta);
    return copy;
}

static Type *type_of(int kind) { return kind == TENSOR ? tensor_type : kind == MODEL ? model_type : script_type; }

/* The kind of what an open key holds, and the value if it is one of ours. */
static int kind_at(Key *key, Value **value) {
    *value = NULL;
    switch (key == NULL ? KEY_EMPTY : api_KeyType(key)) {
    case KEY_EMPTY: return NOTHING;
    case KEY_STRING: return STRING_KEY;
    case KEY_HASH: return HASH_KEY;
    case KEY_LIST: return LIST_KEY;
    case KEY_MODULE: {
        Type *type = api_ModuleTypeGetType(key);
        if (type != tensor_type && type != model_type && type != script_type) return OTHER_KEY;
        *value = api_ModuleTypeGetValue(key);
        return (*value)->kind;
    }
    default: return OTHER_KEY;
    }
}

/* The kind of what a key holds, and the value, which stays while the command runs. */
static int look_at(Ctx *ctx, Str *name, int flags, Value **value) {
    Key *key = api_OpenKey(ctx, name, OPEN_READ | flags);
    int kind = kind_at(key, value);
    api_CloseKey(key);
    return kind;
}

/*
 * Puts a value at an open key that holds nothing or a value of the same kind. In the place of an old one it costs the server no new object;
 * as after SET, the key does not expire.
 */
static void put_value(Key *key, Value *value) {
    Type *type = type_of(value->kind);
    void *old;
    if (api_ModuleTypeReplaceValue(key, type, value, &old) != API_OK) {
        api_ModuleTypeSetValue(key, type, value);
        return;
    }
    if (api_GetExpire(key) != NO_EXPIRE) api_SetExpire(key, NO_EXPIRE);
    let_go(old);
}

/* ---------------------------------------------------------------- Words of commands */

static bool is_word(const Str *word, const char *name) {
    size_t length;
    const char *text = api_StringPtrLen(word, &length);
    return length == strlen(name) && strncasecmp(text, name, length) == 0;
}

/* The number in a word of at most 16 digits, the first no 0; 0 if it is none. */
static int64_t dimension_of(const Str *word) {
    size_t length;
    const char *text = api_StringPtrLen(word, &length);
    if (length == 0 || length > 16 || text[0] == '0') return 0;
    int64_t number = 0;
    for (size_t at = 0; at < length; at++) {
        if (text[at] < '0' || text[at] > '9') return 0;
        number = number * 10 + (text[at] - '0');
    }
    return number;
}

static int dtype_of(const Str *word) {
    for (int dtype = 1; dtype < DTYPES; dtype++)
        if (is_word(word, dtypes[dtype].name)) return dtype;
    return 0;
}

static bool is_integer(const char *text, size_t length) {
    size_t at = length > 0 && (text[0] == '+' || text[0] == '-');
    if (length - at < 1 || length - at > 20) return false;
    for (; at < length; at++)
        if (text[at] < '0' || text[at] > '9') return false;
    return true;
}

static bool write_integer(int dtype, const char *text, size_t length, char *to) {
    static const struct {
        long long low, high;
    } limits[DTYPES] = {[INT8] = {INT8_MIN, INT8_MAX},    [INT16] = {INT16_MIN, INT16_MAX}, [INT32] = {INT32_MIN, INT32_MAX},
                        [INT64] = {INT64_MIN, INT64_MAX}, [UINT8] = {0, UINT8_MAX},         [UINT16] = {0, UINT16_MAX},
                        [BOOL] = {0, 1}};
    char word[32];
    if (!is_integer(text, length)) return false;
    memcpy(word, text, length);
    word[length] = 0;
    errno = 0;
    long long number = strtoll(word, NULL, 10);
    if (errno != 0 || number < limits[dtype].low || number > limits[dtype].high) return false;
    memcpy(to, &number, dtypes[dtype].bytes);
    return true;
}

/* A decimal number, inf, infinity or nan, as a whole: strtod alone takes hexadecimal ones and blanks, too. */
static bool is_float(const char *text) {
    size_t at = text[0] == '+' || text[0] == '-';
    if (strcasecmp(text + at, "inf") == 0 || strcasecmp(text + at, "infinity") == 0 || strcasecmp(text + at, "nan") == 0) return true;
    size_t digits = strspn(text + at, "0123456789");
    at += digits;
    if (text[at] == '.') {
        size_t more = strspn(text + at + 1, "0123456789");
        digits += more;
        at += 1 + more;
    }
    if (digits == 0) return false;
    if (text[at] == 'e' || text[at] == 'E') {
        at++;
        if (text[at] == '+' || text[at] == '-') at++;
        size_t exponent = strspn(text + at, "0123456789");
        if (exponent == 0) return false;
        at += exponent;
    }
    return text[at] == 0;
}

static bool write_float(int dtype, const char *text, size_t length, char *to) {
    /* Strings of the server end with a NUL that they do not count. */
    if (strlen(text) != length || !is_float(text)) return false;
    double number = strtod(text, NULL);
    if (dtype == DOUBLE) {
        memcpy(to, &number, sizeof number);
        return true;
    }
    if (isfinite(number) && fabs(number) > (double)FLT_MAX) return false;
    float narrow = (float)number;
    memcpy(to, &narrow, sizeof narrow);
    return true;
}

/* A number as JavaScript writes it: the fewest digits that tell it from all others. */
static int float_text(double number, char *text, size_t size) {
    if (isnan(number)) return snprintf(text, size, "nan");
    if (isinf(number)) return snprintf(text, size, number > 0 ? "inf" : "-inf");
    if (number == 0) return snprintf(text, size, signbit(number) ? "-0" : "0");
    char digits[32];
    int precision = fabs(number) < DBL_MIN ? 1 : 15;
    for (;; precision++) {
        snprintf(digits, sizeof digits, "%.*e", precision - 1, fabs(number));
        if (precision == 17 || strtod(digits, NULL) == fabs(number)) break;
    }
    char *mark = strchr(digits, 'e');
    int point = atoi(mark + 1) + 1;
    int count = 0;
    for (char *at = digits; at < mark; at++)
        if (*at != '.') digits[count++] = *at;
    while (count > 1 && digits[count - 1] == '0') count--;
    digits[count] = 0;
    const char *sign = number < 0 ? "-" : "";
    if (count <= point && point <= 21) return snprintf(text, size, "%s%s%.*s", sign, digits, point - count, "000000000000000000000");
    if (point > 0 && point <= 21) return snprintf(text, size, "%s%.*s.%s", sign, point, digits, digits + point);
    if (point > -6 && point <= 0) return snprintf(text, size, "%s0.%.*s%s", sign, -point, "000000", digits);
    const char *plus = point - 1 < 0 ? "-" : "+";
    return snprintf(text, size, "%s%c%s%se%s%d", sign, digits[0], count > 1 ? "." : "", digits + 1, plus, abs(point - 1));
}

/* ---------------------------------------------------------------- AI.TENSORSET and AI.TENSORGET */

static int wrong_arity(Ctx *ctx, const char *name) {
    char text[128];
    snprintf(text, sizeof text, "ERR wrong number of arguments for '%s' command", name);
    return api_ReplyWithError(ctx, text);
}

/* A string of zeros, and the place of its bytes, for its maker to fill. */
static Str *blank(size_t bytes, char **place) {
    static char short_zeros[4096];
    /* Short strings may lie beside their header: these the server copies. */
    Str *string = api_CreateString(NULL, bytes < sizeof short_zeros ? short_zeros : NULL, bytes);
    size_t length;
    *place = (char *)api_StringPtrLen(string, &length);
    return string;
}

/* A string of a tensor, which may bring the NUL that ends it. */
static const char *text_in(const Str *word, size_t *bytes) {
    const char *text = api_StringPtrLen(word, bytes);
    if (*bytes > 0 && text[*bytes - 1] == 0) --*bytes;
    return text;
}

/* Content of a tensor that is given as words. Null, with the error, if they are not right. */
static Str *data_of_values(int dtype, uint64_t elements, Str **words, size_t count, const char **error) {
    if (count != elements) {
        *error = "ERR wrong number of values was given in 'AI.TENSORSET' command";
        return NULL;
    }
    size_t length = 0;
    for (size_t at = 0; at < count && dtype == STRING; at++) {
        size_t bytes;
        const char *text = text_in(words[at], &bytes);
        if (memchr(text, 0, bytes) != NULL) {
            *error = "ERR C-string value contains null character";
            return NULL;
        }
        length += bytes + 1;
    }
    if (dtype != STRING) length = elements * dtypes[dtype].bytes;
    char *end;
    Str *data = blank(length, &end);
    for (size_t at = 0; at < count; at++) {
        size_t bytes;
        if (dtype == STRING) {
            const char *text = text_in(words[at], &bytes);
            memcpy(end, text, bytes);
            end += bytes + 1;
            continue;
        }
        const char *text = api_StringPtrLen(words[at], &bytes);
        bool is_right = dtype <= DOUBLE ? write_float(dtype, text, bytes, end) : write_integer(dtype, text, bytes, end);
        if (!is_right) {
            *error = "ERR invalid value";
            api_FreeString(NULL, data);
            return NULL;
        }
        end += dtypes[dtype].bytes;
    }
    return data;
}

static Str *zeros(int dtype, uint64_t elements, const char **error) {
    uint64_t length = elements * (dtype == STRING ? 1 : dtypes[dtype].bytes);
    if (length > settings.max_bulk_bytes) {
        *error = "ERR invalid or negative value found in tensor shape";
        return NULL;
    }
    char *place;
    return blank(length, &place);
}

/* The tensor from the third word on. Null, with the error, if the words are not right. */
static Value *parse_tensor(Str **argv, int argc, const char **error) {
    int dtype = dtype_of(argv[2]);
    if (dtype == 0) {
        *error = "ERR invalid data type";
        return NULL;
    }
    int at = 3;
    bool is_blob = false, is_values = false;
    for (; at < argc && dimension_of(argv[at]) != 0; at++) continue;
    uint32_t rank = (uint32_t)(at - 3);
    if (at < argc) {
        is_blob = is_word(argv[at], "BLOB");
        is_values = !is_blob && is_word(argv[at], "VALUES");
    }
    if ((at < argc && !is_blob && !is_values) || rank > MAX_RANK) {
        *error = "ERR invalid or negative value found in tensor shape";
        return NULL;
    }
    Value *tensor = new_value(TENSOR, rank);
    tensor->dtype = (uint8_t)dtype;
    for (uint32_t axis = 0; axis < rank; axis++) tensor->shape[axis] = dimension_of(argv[3 + axis]);
    uint64_t elements;
    bool is_countable = count_elements(tensor->shape, rank, &elements);
    if (is_blob) {
        size_t length;
        const char *bytes = at + 2 == argc ? api_StringPtrLen(argv[at + 1], &length) : NULL;
        if (bytes == NULL) {
            *error = "ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command";
        } else {
            switch (fit(dtype, tensor->shape, rank, bytes, length)) {
            case WRONG_LENGTH: *error = "ERR data length does not match tensor shape and type"; break;
            case NOT_BOOLEAN: *error = "ERR BOOL tensor elements must be 0 or 1"; break;
            case WRONG_STRINGS: *error = "ERR Number of string elements in data blob does not match tensor length"; break;
            case FITS: tensor->data = kept(argv[at + 1]); break;
            }
        }
    } else if (is_values) {
        tensor->data = data_of_values(dtype, is_countable ? elements : UINT64_MAX, argv + at + 1, (size_t)(argc - at - 1), error);
    } else if (is_countable) {
        tensor->data = zeros(dtype, elements, error);
    } else {
        *error = "ERR invalid or negative value found in tensor shape";
    }
    if (tensor->data != NULL) return tensor;
    release(tensor);
    return NULL;
}

static int tensor_set(Ctx *ctx, Str **argv, int argc) {
    let_go_of_released();
    if (argc < 4) return wrong_arity(ctx, "ai.tensorset");
    Key *key = api_OpenKey(ctx, argv[1], OPEN_READ | OPEN_WRITE);
    Value *old;
    int kind = kind_at(key, &old);
    const char *error = wrong_type;
    Value *tensor = kind == NOTHING || kind == TENSOR ? parse_tensor(argv, argc, &error) : NULL;
    if (tensor == NULL) {
        api_CloseKey(key);
        return api_ReplyWithError(ctx, error);
    }
    put_value(key, tensor);
    api_CloseKey(key);
    api_ReplicateVerbatim(ctx);
    return api_ReplyWithSimpleString(ctx, "OK");
}

static void reply_text(Ctx *ctx, const char *text) { api_ReplyWithStringBuffer(ctx, text, strlen(text)); }

/* A map: in servers that lack it, its names and values in turn. */
static void begin_map(Ctx *ctx, long pairs) {
    if (api_ReplyWithMap != NULL) api_ReplyWithMap(ctx, pairs);
    else api_ReplyWithArray(ctx, 2 * pairs);
}

/* A floating-point number: a double in RESP3, its text in RESP2. */
static void reply_float(Ctx *ctx, double number, bool is_new) {
    char text[64];
    if (is_new) {
        api_ReplyWithDouble(ctx, number);
        return;
    }
    float_text(number, text, sizeof text);
    reply_text(ctx, text);
}

static bool speaks_resp3(Ctx *ctx) { return (api_GetContextFlags(ctx) & IN_RESP3) != 0; }

static void reply_values(Ctx *ctx, const Value *tensor) {
    size_t length;
    const char *bytes = api_StringPtrLen(tensor->data, &length);
    uint64_t elements;
    count_elements(tensor->shape, tensor->rank, &elements);
    api_ReplyWithArray(ctx, (long)elements);
    bool is_new = speaks_resp3(ctx);
    for (uint64_t at = 0; at < elements; at++) {
        const char *from = bytes + at * dtypes[tensor->dtype].bytes;
        switch (tensor->dtype) {
#define ELEMENT(name, type, reply) \
    case name: { \
        type element; \
        memcpy(&element, from, sizeof element); \
        reply; \
        break; \
    }
            ELEMENT(FLOAT, float, reply_float(ctx, (double)element, is_new))
            ELEMENT(DOUBLE, double, reply_float(ctx, element, is_new))
            ELEMENT(INT8, int8_t, api_ReplyWithLongLong(ctx, element))
            ELEMENT(INT16, int16_t, api_ReplyWithLongLong(ctx, element))
            ELEMENT(INT32, int32_t, api_ReplyWithLongLong(ctx, element))
            ELEMENT(INT64, int64_t, api_ReplyWithLongLong(ctx, element))
            ELEMENT(UINT8, uint8_t, api_ReplyWithLongLong(ctx, element))
            ELEMENT(UINT16, uint16_t, api_ReplyWithLongLong(ctx, element))
            ELEMENT(BOOL, uint8_t, api_ReplyWithLongLong(ctx, element))
#undef ELEMENT
        default: {
            /* Each string ends with a NUL: that was checked when it came. */
            size_t size = strlen(bytes);
            api_ReplyWithStringBuffer(ctx, bytes, size);
            bytes += size + 1;
        }
        }
    }
}

static int tensor_get(Ctx *ctx, Str **argv, int argc) {
    let_go_of_released();
    if (argc < 2 || argc > 4) return wrong_arity(ctx, "ai.tensorget");
    Value *tensor;
    int kind = look_at(ctx, argv[1], 0, &tensor);
    if (kind == NOTHING) return api_ReplyWithError(ctx, "ERR tensor key is empty or in a different shard");
    if (kind != TENSOR) return api_ReplyWithError(ctx, wrong_type);
    bool meta = argc == 2, blob = argc == 2, values = false;
    for (int at = 2; at < argc; at++) {
        if (is_word(argv[at], "META")) meta = true;
        else if (is_word(argv[at], "BLOB")) blob = true;
        else if (is_word(argv[at], "VALUES")) values = true;
        else return api_ReplyWithError(ctx, "ERR unsupported data format");
    }
    if (blob && values) return api_ReplyWithError(ctx, "ERR both BLOB and VALUES specified");
    if (meta) {
        api_ReplyWithArray(ctx, blob || values ? 6 : 4);
        reply_text(ctx, "dtype");
        reply_text(ctx, dtypes[tensor->dtype].name);
        reply_text(ctx, "shape");
        api_ReplyWithArray(ctx, tensor->rank);
        for (uint32_t at = 0; at < tensor->rank; at++) api_ReplyWithLongLong(ctx, tensor->shape[at]);
        if (blob || values) reply_text(ctx, blob ? "blob" : "values");
    }
    /* A string that the server counts is sent without a copy where the server can. */
    if (blob) api_ReplyWithString(ctx, tensor->data);
    else if (values) reply_values(ctx, tensor);
    return API_OK;
}

/* AI._RESTORE key MODEL|SCRIPT properties data: what the log and replicas get in the place of AI.MODELSTORE and its like. */
static int restore(Ctx *ctx, Str **argv, int argc) {
    if (argc != 5) return wrong_arity(ctx, "ai._restore");
    int kind = is_word(argv[2], "MODEL") ? MODEL : is_word(argv[2], "SCRIPT") ? SCRIPT : NOTHING;
    if (kind == NOTHING || length_of(argv[3]) > MAX_META) return api_ReplyWithError(ctx, "ERR syntax error");
    Key *key = api_OpenKey(ctx, argv[1], OPEN_READ | OPEN_WRITE);
    Value *old;
    int before = kind_at(key, &old);
    if (before != NOTHING && before != kind) {
        api_CloseKey(key);
        return api_ReplyWithError(ctx, wrong_type);
    }
    Value *value = new_value(kind, 0);
    value->serial = new_serial();
    value->meta = kept(argv[3]);
    value->data = kept(argv[4]);
    put_value(key, value);
    api_CloseKey(key);
    api_ReplicateVerbatim(ctx);
    return api_ReplyWithSimpleString(ctx, "OK");
}

/* ---------------------------------------------------------------- Keys of commands */

enum Form { NO_KEYS, FIRST, EXECUTE, RUN, SCRIPT_EXECUTE, SCRIPT_RUN, DAG, SCAN_MODELS, SCAN_SCRIPTS };
/* A worker needs the value at a key, or no more than its kind. */
enum Need { WHOLE, KIND_ONLY };

typedef struct {
    const char *name;
    int least_words, most_words;
    const char *flags;
    enum Form form;
    bool runs_programs;
} AiCommand;

static const AiCommand commands[] = {
    {"ai.modelstore", 6, 0, "write deny-oom", FIRST, false},
    {"ai.modelset", 4, 0, "write deny-oom", FIRST, false},
    {"ai.modelget", 2, 0, "readonly", FIRST, false},
    {"ai.modeldel", 2, 2, "write", FIRST, false},
    {"ai.modelexecute", 2, 0, "write deny-oom getkeys-api", EXECUTE, true},
    {"ai.modelrun", 2, 0, "write deny-oom getkeys-api", RUN, true},
    {"ai._modelscan", 1, 1, "readonly", SCAN_MODELS, false},
    {"ai.scriptstore", 8, 0, "write deny-oom", FIRST, false},
    {"ai.scriptset", 5, 0, "write deny-oom", FIRST, false},
    {"ai.scriptget", 2, 0, "readonly", FIRST, false},
    {"ai.scriptdel", 2, 2, "write", FIRST, false},
    {"ai.scriptexecute", 2, 0, "write deny-oom getkeys-api", SCRIPT_EXECUTE, true},
    {"ai.scriptrun", 2, 0, "write deny-oom getkeys-api", SCRIPT_RUN, true},
    {"ai._scriptscan", 1, 1, "readonly", SCAN_SCRIPTS, false},
    {"ai.dagexecute", 1, 0, "write deny-oom getkeys-api", DAG, true},
    {"ai.dagexecute_ro", 1, 0, "readonly getkeys-api", DAG, true},
    {"ai.dagrun", 1, 0, "write deny-oom getkeys-api", DAG, true},
    {"ai.dagrun_ro", 1, 0, "readonly getkeys-api", DAG, true},
    {"ai.info", 2, 0, "readonly", FIRST, false},
    {"ai.config", 2, 0, "admin", NO_KEYS, false},
};

static const AiCommand *command_named(const Str *word) {
    for (size_t at = 0; at < sizeof commands / sizeof *commands; at++)
        if (is_word(word, commands[at].name)) return &commands[at];
    return NULL;
}

/* Takes the position of a key among the words. */
typedef void (*OnKey)(void *data, int word, enum Need need);

/* The count in a word, at most as many as there are words after it. */
static int count_at(Str **argv, int argc, int at) {
    if (at >= argc) return 0;
    int64_t count = dimension_of(argv[at]);
    return count > argc - at - 1 ? argc - at - 1 : (int)count;
}

static int keys_counted(Str **argv, int argc, int at, enum Need need, OnKey on_key, void *data) {
    int count = count_at(argv, argc, at);
    for (int next = at + 1; next <= at + count; next++) on_key(data, next, need);
    return at + 1 + count;
}

/* Keys between the words INPUTS and OUTPUTS, and after these. */
static void keys_listed(Str **argv, int argc, int at, OnKey on_key, void *data) {
    int section = -1;
    for (; at < argc; at++) {
        if (is_word(argv[at], "INPUTS")) section = WHOLE;
        else if (is_word(argv[at], "OUTPUTS")) section = KIND_ONLY;
        else if (is_word(argv[at], "TIMEOUT")) at++;
        else if (section >= 0 && !is_word(argv[at], "$")) on_key(data, at, (enum Need)section);
    }
}

static void keys_of_dag(Str **argv, int argc, OnKey on_key, void *data) {
    int at = 1;
    while (at < argc && !is_word(argv[at], "|>")) {
        if (is_word(argv[at], "LOAD")) at = keys_counted(argv, argc, at + 1, WHOLE, on_key, data);
        else if (is_word(argv[at], "PERSIST")) at = keys_counted(argv, argc, at + 1, KIND_ONLY, on_key, data);
        else if (is_word(argv[at], "ROUTING") && at + 1 < argc) {
            on_key(data, at + 1, KIND_ONLY);
            at += 2;
        } else at++;
    }
    /* Tensors between the steps are not in the keyspace; models and scripts are. */
    for (; at + 2 < argc; at++) {
        if (!is_word(argv[at], "|>")) continue;
        const AiCommand *step = command_named(argv[at + 1]);
        if (step != NULL && step->runs_programs && step->form != DAG) on_key(data, at + 2, WHOLE);
    }
}

/* Names each key of a command, whether or not the command is well formed. */
static void each_key(enum Form form, Str **argv, int argc, OnKey on_key, void *data) {
    if (form == DAG) keys_of_dag(argv, argc, on_key, data);
    if (form == DAG || form == NO_KEYS || form >= SCAN_MODELS || argc < 2) return;
    on_key(data, 1, WHOLE);
    int at = 2;
    if (form == EXECUTE) {
        if (at < argc && is_word(argv[at], "INPUTS")) at = keys_counted(argv, argc, at + 1, WHOLE, on_key, data);
        if (at < argc && is_word(argv[at], "OUTPUTS")) keys_counted(argv, argc, at + 1, KIND_ONLY, on_key, data);
    } else if (form == RUN) keys_listed(argv, argc, 2, on_key, data);
    else if (form == SCRIPT_RUN) keys_listed(argv, argc, 3, on_key, data);
    else if (form == SCRIPT_EXECUTE) {
        for (at = 3; at < argc;) {
            if (is_word(argv[at], "INPUTS")) at = keys_counted(argv, argc, at + 1, WHOLE, on_key, data);
            else if (is_word(argv[at], "OUTPUTS") || is_word(argv[at], "KEYS"))
                at = keys_counted(argv, argc, at + 1, KIND_ONLY, on_key, data);
            else if (is_word(argv[at], "ARGS")) at += 2 + count_at(argv, argc, at + 1);
            else at++;
        }
    }
}

static void tell_position(void *ctx, int word, enum Need need) {
    (void)need;
    api_KeyAtPos(ctx, word);
}

/* ---------------------------------------------------------------- Requests */

/* Part of a value that a frame brings. */
enum Part { NO_PART = 0, ALL = 1, IS_KNOWN = 2, PROPERTIES = 3 };

typedef struct {
    /* Index of its key among the words. */
    uint32_t word;
    uint8_t kind;
    bool is_whole;
    enum Part part;
    /* Referred to, if it is a value of ours. */
    Value *value;
} Given;

enum State { SCANS, WAITS, IS_SENT, IS_DONE };

typedef struct Request {
    struct Request *next;
    uint64_t id;
    enum State state;
    int db;
    Blocked *client;
    Str **argv;
    int argc;
    Given *given;
    uint32_t given_count, given_room;
    /* Bytes of its records, and of its words and values if all of them travel. */
    uint64_t record_bytes, data_bytes;
    /* Place of its end among all bytes that the connection gets. */
    uint64_t ends_at;
    long long since_ms;
    /* In RESP3, checked; else the error. */
    char *reply;
    const char *error;
    /* State of AI._MODELSCAN and AI._SCRIPTSCAN. */
    Cursor *cursor;
    int scan_kind;
} Request;

enum Op { OP_HELLO = 1, OP_REQUEST = 2, OP_REPLY = 3, OP_FORGET = 4 };
enum Action { SET_VALUE = 1, DELETE_KEY = 2 };

typedef struct {
    uint32_t given;
    uint8_t action;
    /* Number of the request's last words that are the value's data, instead of bytes of the frame. */
    uint32_t tail;
    uint32_t meta_bytes;
    uint64_t data_bytes;
    /* Null for a deletion, and once the value is in the keyspace. */
    Value *value;
} Write;

typedef struct {
    char *at;
    size_t left;
} Target;

static struct {
    int listening;
    int fd;
    /* Number of this connection; 0 for none. */
    uint64_t id;
    bool is_ready, wants_writable;
    Request *first_waiting, *last_waiting;
    /* Models and scripts that it knows, and that are no more. */
    uint64_t *forgotten;
    size_t forgotten_count, forgotten_room;
    /* Frames that are being sent: parts that lie elsewhere, and copies of short ones, whose place is known when all have been gathered. */
    struct iovec *parts;
    size_t part_count, part_room, part_at;
    char *copies;
    size_t copied, copies_room;
    /* Bytes of this connection. */
    uint64_t gathered_bytes, sent_bytes;
    /* Requests that have been sent, and not answered. */
    uint64_t in_hand;
    bool sends_later;
    /* Requests by the low bits of their ids. */
    Request **slots;
    uint32_t slot_count, slot_hint;
    uint64_t waiting, sent, answered, failed, connections;
    /* Bytes that have been read and not been taken yet. */
    char buffer[BUFFER];
    size_t start, end;
    /* The frame that is being read. */
    enum { READS_HEADER, READS_META, READS_DATA } phase;
    unsigned char header[FRAME_HEADER];
    uint64_t body, frame_id;
    uint32_t op, meta_bytes, write_count, reply_bytes;
    char *meta;
    Write *writes;
    Target *targets;
    uint32_t target_count, target_at;
    Target target;
    char *reply;
} worker = {.listening = -1, .fd = -1};

static void fill_queue(void);
static void drop_worker(const char *reason);
static void on_worker(int fd, void *data, int mask);

static void put(void *to, size_t at, const void *from, size_t bytes) { memcpy((char *)to + at, from, bytes); }

static void put_header(void *to, uint64_t body, uint64_t id, uint32_t op, uint32_t meta, uint32_t first, uint32_t second) {
    put(to, 0, &body, 8);
    put(to, 8, &id, 8);
    put(to, 16, &op, 4);
    put(to, 20, &meta, 4);
    put(to, 24, &first, 4);
    put(to, 28, &second, 4);
}

/* Makes room for one more element of a list. */
static void *grown(void *list, size_t count, size_t *room, size_t element) {
    if (count < *room) return list;
    *room = *room == 0 ? 64 : *room * 2;
    return api_Realloc(list, *room * element);
}

/* Tells the worker with the frames that come next: values are let go of in the middle of much else. */
static void worker_forgets(uint64_t serial, uint64_t sent_to) {
    if (sent_to == 0 || sent_to != worker.id) return;
    worker.forgotten = grown(worker.forgotten, worker.forgotten_count, &worker.forgotten_room, sizeof *worker.forgotten);
    worker.forgotten[worker.forgotten_count++] = serial;
}

static bool take_slot(Request *request) {
    for (uint32_t tried = 0; tried < worker.slot_count; tried++) {
        uint32_t slot = (worker.slot_hint + tried) % worker.slot_count;
        if (worker.slots[slot] != NULL) continue;
        worker.slots[slot] = request;
        worker.slot_hint = slot + 1;
        request->id = next_counter++ << 24 | slot;
        return true;
    }
    uint32_t more = worker.slot_count == 0 ? 64 : worker.slot_count * 2;
    /* The largest index stands for values that no request has stored. */
    if (more >= 0xffffff) return false;
    worker.slots = api_Realloc(worker.slots, more * sizeof *worker.slots);
    memset(worker.slots + worker.slot_count, 0, (more - worker.slot_count) * sizeof *worker.slots);
    worker.slot_hint = worker.slot_count;
    worker.slot_count = more;
    return take_slot(request);
}

static Request *request_with(uint64_t id) {
    uint32_t slot = id & 0xffffff;
    Request *request = slot < worker.slot_count ? worker.slots[slot] : NULL;
    return request != NULL && request->id == id ? request : NULL;
}

/* Lets go of what the request has taken part of: from here on only its reply is wanted. */
static void let_go_of_words(Request *request) {
    for (uint32_t at = 0; at < request->given_count; at++)
        if (request->given[at].value != NULL) let_go(request->given[at].value);
    for (int at = 0; at < request->argc; at++) api_FreeString(NULL, request->argv[at]);
    api_Free(request->given);
    api_Free(request->argv);
    request->given = NULL;
    request->argv = NULL;
    request->given_count = 0;
    request->argc = 0;
    if (request->cursor != NULL) api_ScanCursorDestroy(request->cursor);
    request->cursor = NULL;
}

static void free_request(Ctx *ctx, void *data) {
    (void)ctx;
    Request *request = data;
    api_Free(request->reply);
    api_Free(request);
}

/* Ends a request with what its reply is by now, or with an error. */
static void finish(Request *request, const char *error) {
    request->error = error;
    if (error != NULL) worker.failed++;
    else worker.answered++;
    if (request->state == IS_SENT) worker.in_hand--;
    request->state = IS_DONE;
    worker.slots[request->id & 0xffffff] = NULL;
    let_go_of_words(request);
    api_UnblockClient(request->client, request);
}

static void append(Request *request) {
    request->state = WAITS;
    request->next = NULL;
    if (worker.last_waiting == NULL) worker.first_waiting = request;
    else worker.last_waiting->next = request;
    worker.last_waiting = request;
    worker.waiting++;
}

static Request *take_first(void) {
    Request *request = worker.first_waiting;
    worker.first_waiting = request->next;
    if (worker.first_waiting == NULL) worker.last_waiting = NULL;
    worker.waiting--;
    return request;
}

/* ---------------------------------------------------------------- Frames to the worker */

static void add_part(const char *bytes, size_t length) {
    worker.parts = grown(worker.parts, worker.part_count, &worker.part_room, sizeof *worker.parts);
    worker.parts[worker.part_count++] = (struct iovec){(void *)bytes, length};
    worker.gathered_bytes += length;
}

static void add_copy(const void *bytes, size_t length) {
    if (length == 0) return;
    if (worker.copied + length > worker.copies_room) {
        worker.copies_room = 2 * (worker.copied + length) + GATHERED;
        worker.copies = api_Realloc(worker.copies, worker.copies_room);
    }
    memcpy(worker.copies + worker.copied, bytes, length);
    worker.copied += length;
    struct iovec *last = worker.part_count == 0 ? NULL : &worker.parts[worker.part_count - 1];
    if (last == NULL || last->iov_base != NULL) add_part(NULL, length);
    else {
        last->iov_len += length;
        worker.gathered_bytes += length;
    }
}

static void add_string(const Str *string) {
    if (string == NULL) return;
    size_t length;
    const char *bytes = api_StringPtrLen(string, &length);
    if (length <= MAX_COPIED) add_copy(bytes, length);
    else add_part(bytes, length);
}

/* A scan shows properties only, and leaves the worker without the model. */
static enum Part part_of(const Given *given, bool is_scan) {
    const Value *value = given->value;
    if (value == NULL || !given->is_whole) return NO_PART;
    if (value->kind != TENSOR && value->sent_to == worker.id) return IS_KNOWN;
    return is_scan ? PROPERTIES : ALL;
}

/* Properties and bytes of a value, where they travel. */
static const Str *meta_sent(const Given *given) { return given->part == ALL || given->part == PROPERTIES ? given->value->meta : NULL; }
static const Str *data_sent(const Given *given) { return given->part == ALL ? given->value->data : NULL; }

static void add_record(Given *given, bool is_scan) {
    char record[RECORD] = {0};
    Value *value = given->value;
    given->part = part_of(given, is_scan);
    put(record, 0, &given->word, 4);
    record[4] = (char)given->kind;
    record[6] = (char)given->part;
    if (value != NULL) {
        uint64_t data_bytes = length_of(data_sent(given));
        uint32_t meta_bytes = (uint32_t)length_of(meta_sent(given));
        record[5] = (char)value->dtype;
        put(record, 8, &value->serial, 8);
        put(record, 16, &data_bytes, 8);
        put(record, 24, &value->rank, 4);
        put(record, 28, &meta_bytes, 4);
        if (given->part == ALL && value->kind != TENSOR) value->sent_to = worker.id;
    }
    add_copy(record, RECORD);
    if (value != NULL) add_copy(value->shape, value->rank * sizeof(int64_t));
}

/* Adds the frame of a request, as the worker is now. */
static void encode(Request *request) {
    static const char later[FRAME_HEADER];
    size_t header = worker.copied;
    uint64_t begin = worker.gathered_bytes + FRAME_HEADER;
    add_copy(later, FRAME_HEADER);
    for (int at = 0; at < request->argc; at++) {
        uint64_t bytes = length_of(request->argv[at]);
        add_copy(&bytes, sizeof bytes);
    }
    for (uint32_t at = 0; at < request->given_count; at++) add_record(&request->given[at], request->cursor != NULL);
    uint32_t meta = (uint32_t)(worker.gathered_bytes - begin);
    for (int at = 0; at < request->argc; at++) add_string(request->argv[at]);
    for (uint32_t at = 0; at < request->given_count; at++) {
        add_string(meta_sent(&request->given[at]));
        add_string(data_sent(&request->given[at]));
    }
    request->ends_at = worker.gathered_bytes;
    put_header(worker.copies + header, request->ends_at - begin, request->id, OP_REQUEST, meta, (uint32_t)request->argc, request->given_count);
}

static void forget_parts(void) {
    worker.part_count = worker.part_at = 0;
    worker.copied = 0;
    /* Records of a command of very many keys may have been among them. */
    if (worker.copies_room <= 4 * GATHERED) return;
    api_Free(worker.copies);
    worker.copies = NULL;
    worker.copies_room = 0;
}

/* Gathers the frames that are sent next, about as many bytes as the socket takes at once. False if there are none. */
static bool gather(void) {
    forget_parts();
    for (size_t at = 0; at < worker.forgotten_count; at++) {
        unsigned char frame[FRAME_HEADER];
        put_header(frame, 0, worker.forgotten[at], OP_FORGET, 0, 0, 0);
        add_copy(frame, sizeof frame);
    }
    worker.forgotten_count = 0;
    uint64_t enough = worker.gathered_bytes + GATHERED;
    while (worker.first_waiting != NULL && worker.gathered_bytes < enough) {
        Request *request = take_first();
        request->state = IS_SENT;
        worker.in_hand++;
        worker.sent++;
        encode(request);
    }
    char *copy = worker.copies;
    for (size_t at = 0; at < worker.part_count; at++) {
        if (worker.parts[at].iov_base != NULL) continue;
        worker.parts[at].iov_base = copy;
        copy += worker.parts[at].iov_len;
    }
    return worker.part_count > 0;
}

static void watch_writable(bool is_wanted) {
    if (api_EventLoopAdd == NULL || worker.wants_writable == is_wanted || worker.fd < 0) return;
    worker.wants_writable = is_wanted;
    if (is_wanted) api_EventLoopAdd(worker.fd, SOCKET_WRITABLE, on_worker, NULL);
    else api_EventLoopDel(worker.fd, SOCKET_WRITABLE);
}

/* Sends what the socket takes at once. Returns how many bytes that is; 0, too, once there is no worker. */
static size_t send_parts(void) {
    size_t count = worker.part_count - worker.part_at;
    struct msghdr message = {.msg_iov = worker.parts + worker.part_at, .msg_iovlen = count < IOV_MAX ? count : IOV_MAX};
    ssize_t sent = sendmsg(worker.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR) drop_worker(strerror(errno));
        return 0;
    }
    worker.sent_bytes += (size_t)sent;
    for (size_t left = (size_t)sent; left > 0;) {
        struct iovec *part = &worker.parts[worker.part_at];
        size_t some = left < part->iov_len ? left : part->iov_len;
        part->iov_base = (char *)part->iov_base + some;
        part->iov_len -= some;
        left -= some;
        if (part->iov_len == 0) worker.part_at++;
    }
    return (size_t)sent;
}

/* Sends what waits, until the socket is full or others have to have their turn. Frames that have been begun are ended before others begin. */
static void fill_queue(void) {
    size_t total = 0;
    while (worker.is_ready) {
        if (worker.part_at == worker.part_count && !gather()) {
            watch_writable(false);
            return;
        }
        size_t sent = total < BUDGET ? send_parts() : 0;
        total += sent;
        if (sent > 0) continue;
        watch_writable(true);
        return;
    }
}

static void send_later(Ctx *ctx, void *data) {
    (void)ctx;
    (void)data;
    worker.sends_later = false;
    fill_queue();
}

/*
 * Sends the command that has come. At once if the worker has nothing to do; while it has, with those that come in the same moment. The server
 * moves long words until the command has ended: those are sent after that.
 */
static void send_soon(Ctx *ctx, const Request *request) {
    bool has_long = false;
    for (int at = 0; at < request->argc; at++) has_long |= length_of(request->argv[at]) > MAX_COPIED;
    if (worker.in_hand == 0 && !has_long) fill_queue();
    else if (!worker.sends_later) {
        worker.sends_later = true;
        api_CreateTimer(ctx, 0, send_later, NULL);
    }
}

/* ---------------------------------------------------------------- Commands that the worker answers */

static void add_given(Request *request, uint32_t word, int kind, Value *value, bool is_whole) {
    if (request->given_count == request->given_room) {
        request->given_room = request->given_room == 0 ? 8 : request->given_room * 2;
        request->given = api_Realloc(request->given, request->given_room * sizeof *request->given);
    }
    Given *given = &request->given[request->given_count++];
    *given = (Given){.word = word, .kind = (uint8_t)kind, .is_whole = is_whole, .value = value};
    request->record_bytes += RECORD;
    if (value == NULL) return;
    value->references++;
    request->record_bytes += value->rank * sizeof(int64_t);
    if (is_whole) request->data_bytes += length_of(value->data) + length_of(value->meta);
}

typedef struct {
    Ctx *ctx;
    Request *request;
} Collecting;

static void collect(void *data, int word, enum Need need) {
    Collecting *collecting = data;
    Request *request = collecting->request;
    Value *value;
    int kind = look_at(collecting->ctx, request->argv[word], 0, &value);
    add_given(request, (uint32_t)word, kind, value, need == WHOLE);
}

static void emit_reply(Ctx *ctx, char **at, bool is_new);

static int reply_to_client(Ctx *ctx, Str **argv, int argc) {
    (void)argv;
    (void)argc;
    Request *request = api_GetBlockedClientPrivateData(ctx);
    if (request->error != NULL) return api_ReplyWithError(ctx, request->error);
    char *at = request->reply;
    emit_reply(ctx, &at, speaks_resp3(ctx));
    return API_OK;
}

static void scan_more(Ctx *ctx, void *data);

/* Every AI command that is not answered here. */
static int forward(Ctx *ctx, Str **argv, int argc) {
    const AiCommand *command = command_named(argv[0]);
    if (api_IsKeysPositionRequest(ctx)) {
        if (command != NULL) each_key(command->form, argv, argc, tell_position, ctx);
        return API_OK;
    }
    let_go_of_released();
    /* Renamed by the server's configuration: nothing here can tell which it is. */
    if (command == NULL) return api_ReplyWithError(ctx, "ERR this command has been renamed, and does not work under that name");
    if (argc < command->least_words || (command->most_words > 0 && argc > command->most_words)) return wrong_arity(ctx, command->name);
    if (api_GetContextFlags(ctx) & (IN_LUA | IN_MULTI | NO_BLOCKING)) return api_ReplyWithError(ctx, in_transaction);
    if (worker.listening < 0) return api_ReplyWithError(ctx, no_worker);
    Request *request = api_Calloc(1, sizeof *request);
    if (!take_slot(request)) {
        api_Free(request);
        return api_ReplyWithError(ctx, "ERR too many commands wait for the AI layer");
    }
    request->db = api_GetSelectedDb(ctx);
    request->since_ms = now_ms();
    request->argc = argc;
    request->argv = api_Alloc((size_t)argc * sizeof *request->argv);
    for (int at = 0; at < argc; at++) {
        request->argv[at] = kept(argv[at]);
        request->data_bytes += length_of(argv[at]);
    }
    request->record_bytes = (uint64_t)argc * 8;
    request->client = api_BlockClient(ctx, reply_to_client, NULL, free_request, 0);
    if (command->form >= SCAN_MODELS) {
        request->state = SCANS;
        request->scan_kind = command->form == SCAN_MODELS ? MODEL : SCRIPT;
        request->cursor = api_ScanCursorCreate();
        api_CreateTimer(ctx, 0, scan_more, request);
        return API_OK;
    }
    Collecting collecting = {ctx, request};
    each_key(command->form, request->argv, request->argc, collect, &collecting);
    if (request->record_bytes > MAX_RECORDS || request->data_bytes > settings.max_frame_bytes) {
        finish(request, "ERR the command names more keys, or larger values, than it can be given at once");
        return API_OK;
    }
    append(request);
    send_soon(ctx, request);
    return API_OK;
}

static void scanned(Ctx *ctx, Str *name, Key *open, void *data) {
    Request *request = data;
    Value *value;
    int kind = open == NULL ? look_at(ctx, name, OPEN_NO_TOUCH, &value) : kind_at(open, &value);
    if (kind != request->scan_kind) return;
    size_t length;
    const char *bytes = api_StringPtrLen(name, &length);
    request->argv = api_Realloc(request->argv, (size_t)(request->argc + 1) * sizeof *request->argv);
    request->argv[request->argc] = api_CreateString(NULL, bytes, length);
    add_given(request, (uint32_t)request->argc++, kind, value, true);
}

/* Looks at some keys, a few milliseconds a turn, until all have been seen. */
static void scan_more(Ctx *ctx, void *data) {
    Request *request = data;
    long long until = now_ms() + 2;
    if (api_SelectDb(ctx, request->db) != API_OK) request->db = 0;
    while (api_Scan(ctx, request->cursor, scanned, request)) {
        if (now_ms() < until) continue;
        api_CreateTimer(ctx, 1, scan_more, request);
        return;
    }
    append(request);
    fill_queue();
}

/* ---------------------------------------------------------------- Replies of the worker */

/* The end of a line that begins here; null if there is none. */
static char *line_end(char *at, const char *end) {
    char *mark = memchr(at, '\r', (size_t)(end - at));
    return mark != NULL && mark + 1 < end && mark[1] == '\n' ? mark : NULL;
}

/* The number of a length or an integer between these places; false if it is none. */
static bool number_between(const char *at, const char *end, long long *number) {
    char word[32];
    size_t length = (size_t)(end - at);
    if (length > 20 || !is_integer(at, length) || at[0] == '+') return false;
    memcpy(word, at, length);
    word[length] = 0;
    errno = 0;
    *number = strtoll(word, NULL, 10);
    return errno == 0;
}

/* The end of the reply that begins here, every length of it checked; null if it is not well formed. Lines get a NUL at their ends. */
static char *check_reply(char *at, char *end, int depth) {
    if (depth > MAX_DEPTH || at >= end) return NULL;
    char kind = *at++;
    char *mark = line_end(at, end);
    if (mark == NULL) return NULL;
    char *next = mark + 2;
    long long number = 0;
    switch (kind) {
    case '+':
    case '-':
        if (memchr(at, 0, (size_t)(mark - at)) != NULL || memchr(at, '\n', (size_t)(mark - at)) != NULL) return NULL;
        break;
    case ',': {
        char word[64];
        size_t length = (size_t)(mark - at);
        if (length >= sizeof word) return NULL;
        memcpy(word, at, length);
        word[length] = 0;
        if (strlen(word) != length || !is_float(word)) return NULL;
        break;
    }
    case ':':
        if (!number_between(at, mark, &number)) return NULL;
        break;
    case '_':
        if (mark != at) return NULL;
        break;
    case '$':
        if (!number_between(at, mark, &number) || number < -1) return NULL;
        if (number < 0) break;
        if (number > end - next - 2 || next[number] != '\r' || next[number + 1] != '\n') return NULL;
        next += number + 2;
        break;
    case '*':
    case '~':
    case '%':
        /* An element has at least three bytes. */
        if (!number_between(at, mark, &number) || number < (kind == '*' ? -1 : 0) || number > (end - next) / 3) return NULL;
        if (kind == '%') number *= 2;
        for (; number > 0 && next != NULL; number--) next = check_reply(next, end, depth + 1);
        break;
    default: return NULL;
    }
    *mark = 0;
    return next;
}

/* Replies as the worker did, with lengths that have been checked. */
static void emit_reply(Ctx *ctx, char **place, bool is_new) {
    char *at = *place;
    char kind = *at++;
    size_t length = strlen(at);
    *place = at + length + 2;
    long long number = kind == '+' || kind == '-' || kind == ',' ? 0 : strtoll(at, NULL, 10);
    switch (kind) {
    case '+': api_ReplyWithSimpleString(ctx, at); return;
    case '-': api_ReplyWithError(ctx, at); return;
    case ':': api_ReplyWithLongLong(ctx, number); return;
    case ',':
        if (is_new) api_ReplyWithDouble(ctx, strtod(at, NULL));
        else api_ReplyWithStringBuffer(ctx, at, length);
        return;
    case '$':
        if (number < 0) api_ReplyWithNull(ctx);
        else {
            api_ReplyWithStringBuffer(ctx, *place, (size_t)number);
            *place += number + 2;
        }
        return;
    case '*':
    case '~':
    case '%':
        if (number < 0) {
            api_ReplyWithNull(ctx);
            return;
        }
        if (kind == '%') begin_map(ctx, (long)number);
        else if (kind == '~' && api_ReplyWithSet != NULL) api_ReplyWithSet(ctx, (long)number);
        else api_ReplyWithArray(ctx, (long)number);
        for (long long left = kind == '%' ? 2 * number : number; left > 0; left--) emit_reply(ctx, place, is_new);
        return;
    default: api_ReplyWithNull(ctx);
    }
}

static void free_frame(void) {
    for (uint32_t at = 0; worker.writes != NULL && at < worker.write_count; at++)
        if (worker.writes[at].value != NULL) let_go(worker.writes[at].value);
    api_Free(worker.writes);
    api_Free(worker.targets);
    api_Free(worker.meta);
    api_Free(worker.reply);
    worker.writes = NULL;
    worker.targets = NULL;
    worker.meta = NULL;
    worker.reply = NULL;
    worker.write_count = 0;
    worker.phase = READS_HEADER;
    worker.target = (Target){(char *)worker.header, FRAME_HEADER};
}

/* Reads the header, and makes room for the records that follow. Returns what is wrong, or null. */
static const char *begin_frame(void) {
    memcpy(&worker.body, worker.header, 8);
    memcpy(&worker.frame_id, worker.header + 8, 8);
    memcpy(&worker.op, worker.header + 16, 4);
    memcpy(&worker.meta_bytes, worker.header + 20, 4);
    memcpy(&worker.write_count, worker.header + 24, 4);
    memcpy(&worker.reply_bytes, worker.header + 28, 4);
    if (worker.op == OP_HELLO) {
        if ((worker.body | worker.meta_bytes | worker.write_count | worker.reply_bytes) != 0) return "its greeting has a body";
        if (worker.frame_id != PROTOCOL) return "it speaks another version of the frames";
    } else {
        if (worker.op != OP_REPLY || !worker.is_ready) return "it sent a frame of an unknown kind";
        const Request *request = request_with(worker.frame_id);
        if (request == NULL || request->state != IS_SENT) return "it answered what it was not asked";
        if (worker.write_count > request->given_count || worker.meta_bytes > MAX_META || worker.body > settings.max_frame_bytes ||
            (uint64_t)worker.meta_bytes + worker.reply_bytes > worker.body || worker.meta_bytes < worker.write_count * (uint64_t)RECORD)
            return "a length of its frame is wrong";
    }
    worker.meta = api_Alloc((size_t)worker.meta_bytes + 1);
    worker.target = (Target){worker.meta, worker.meta_bytes};
    worker.phase = READS_META;
    return NULL;
}

/* Reads one record of a write. Returns what is wrong with it, or null. */
static const char *read_write(Write *write, const char *at, const char *end, size_t *used, uint64_t *data) {
    const Request *request = request_with(worker.frame_id);
    if (request == NULL || (size_t)(end - at) < RECORD) return "a record of its frame is cut short";
    uint8_t kind = (uint8_t)at[5], dtype = (uint8_t)at[6];
    uint32_t rank;
    memcpy(&write->given, at, 4);
    write->action = (uint8_t)at[4];
    memcpy(&write->data_bytes, at + 8, 8);
    memcpy(&write->meta_bytes, at + 16, 4);
    memcpy(&rank, at + 20, 4);
    memcpy(&write->tail, at + 24, 4);
    *used = RECORD;
    if (write->given >= request->given_count) return "it wrote a key that was not the command's";
    if (write->action == DELETE_KEY) return (write->data_bytes | write->meta_bytes | rank | write->tail) == 0 ? NULL : "a deletion brings data";
    if (write->action != SET_VALUE || kind < TENSOR || kind > SCRIPT) return "it wrote a value of an unknown kind";
    if (write->data_bytes > *data || write->meta_bytes > *data - write->data_bytes) return "a length of its frame is wrong";
    *data -= write->data_bytes + write->meta_bytes;
    if (kind == TENSOR) {
        if (dtype == 0 || dtype >= DTYPES || rank > MAX_RANK || write->meta_bytes != 0 || write->tail != 0) return "a tensor's record is wrong";
    } else {
        if (rank != 0 || dtype != 0 || write->tail >= (uint32_t)request->argc) return "a model's record is wrong";
        if (write->tail > 0 && write->data_bytes > 0) return "a model's bytes come twice";
    }
    if ((size_t)(end - at) - RECORD < rank * sizeof(int64_t)) return "a record of its frame is cut short";
    write->value = new_value(kind, rank);
    write->value->dtype = dtype;
    memcpy(write->value->shape, at + RECORD, rank * sizeof(int64_t));
    *used += rank * sizeof(int64_t);
    return NULL;
}

static void add_target(char *at, size_t bytes) { worker.targets[worker.target_count++] = (Target){at, bytes}; }

/* Reads the records, and makes room for the data that follow. Returns what is wrong, or null. */
static const char *begin_data(void) {
    const char *at = worker.meta, *end = worker.meta + worker.meta_bytes;
    uint64_t data = worker.body - worker.meta_bytes - worker.reply_bytes;
    worker.writes = api_Calloc(worker.write_count + 1, sizeof *worker.writes);
    worker.targets = api_Calloc(2 * (size_t)worker.write_count + 2, sizeof *worker.targets);
    worker.target_count = 0;
    worker.target_at = 0;
    for (uint32_t index = 0; index < worker.write_count; index++) {
        size_t used;
        const char *problem = read_write(&worker.writes[index], at, end, &used, &data);
        if (problem != NULL) return problem;
        at += used;
    }
    if (at != end || data != 0) return "a length of its frame is wrong";
    for (uint32_t index = 0; index < worker.write_count; index++) {
        const Write *write = &worker.writes[index];
        char *place;
        if (write->action == DELETE_KEY) continue;
        if (write->value->kind != TENSOR) {
            write->value->meta = blank(write->meta_bytes, &place);
            add_target(place, write->meta_bytes);
        }
        if (write->tail == 0) {
            write->value->data = blank(write->data_bytes, &place);
            add_target(place, write->data_bytes);
        }
    }
    worker.reply = api_Alloc((size_t)worker.reply_bytes + 1);
    worker.reply[worker.reply_bytes] = 0;
    add_target(worker.reply, worker.reply_bytes);
    worker.phase = READS_DATA;
    return NULL;
}

/* Data of a model or script that are the last words of the request itself. */
static Str *data_of_tail(const Request *request, uint32_t words) {
    if (words == 1) return kept(request->argv[request->argc - 1]);
    int first = request->argc - (int)words;
    size_t total = 0;
    for (int at = first; at < request->argc; at++) total += length_of(request->argv[at]);
    char *place;
    Str *data = blank(total, &place);
    for (int at = first; at < request->argc; at++) {
        size_t length;
        const char *bytes = api_StringPtrLen(request->argv[at], &length);
        memcpy(place, bytes, length);
        place += length;
    }
    return data;
}

static Request *applying;
static const char *apply_error;

/* Writes of a reply, all or none. The module calls it by name, so that the server replicates them and logs them as those of a command. */
static int apply(Ctx *ctx, Str **argv, int argc) {
    (void)argv;
    (void)argc;
    Request *request = applying;
    if (request == NULL) return api_ReplyWithError(ctx, "ERR only the module itself may do that");
    applying = NULL;
    for (uint32_t at = 0; at < worker.write_count; at++) {
        const Write *write = &worker.writes[at];
        Value *old;
        int kind = look_at(ctx, request->argv[request->given[write->given].word], 0, &old);
        if (kind == NOTHING || (write->action == DELETE_KEY ? old != NULL : kind == write->value->kind)) continue;
        apply_error = wrong_type;
        return api_ReplyWithNull(ctx);
    }
    for (uint32_t at = 0; at < worker.write_count; at++) {
        Write *write = &worker.writes[at];
        Str *name = request->argv[request->given[write->given].word];
        Key *key = api_OpenKey(ctx, name, OPEN_READ | OPEN_WRITE);
        if (write->action == DELETE_KEY) {
            api_DeleteKey(key);
            api_CloseKey(key);
            api_Replicate(ctx, "DEL", "s", name);
            continue;
        }
        Value *value = write->value;
        write->value = NULL;
        if (write->tail > 0) value->data = data_of_tail(request, write->tail);
        if (value->kind != TENSOR) {
            value->serial = request->id;
            value->sent_to = worker.id;
        }
        put_value(key, value);
        api_CloseKey(key);
        size_t count;
        Str **words = words_of(name, value, &count);
        api_Replicate(ctx, command_of(value), "v", words, count);
        free_words(words, count);
    }
    return api_ReplyWithNull(ctx);
}

/* Does what a whole frame says. Returns what is wrong with it, or null. */
static const char *end_frame(void) {
    if (worker.op == OP_HELLO) {
        if (worker.is_ready) return "it greeted twice";
        worker.is_ready = true;
        return NULL;
    }
    /* It was there when the frame began, and no other frame can have ended it. */
    Request *request = request_with(worker.frame_id);
    if (request == NULL) return "it answered what it was not asked";
    if (request->ends_at > worker.sent_bytes) return "it answered before it had read the request";
    for (uint32_t at = 0; at < worker.write_count; at++) {
        const Value *value = worker.writes[at].value;
        size_t length;
        if (value == NULL || value->kind != TENSOR) continue;
        const char *bytes = api_StringPtrLen(value->data, &length);
        if (fit(value->dtype, value->shape, value->rank, bytes, length) != FITS) return "a tensor's content does not match its shape and type";
    }
    char *end = worker.reply + worker.reply_bytes;
    if (check_reply(worker.reply, end, 0) != end) return "its reply is not well formed";
    apply_error = NULL;
    if (worker.write_count > 0) {
        applying = request;
        if (api_GetContextFlags(home) & IN_REPLICA) apply_error = "READONLY You can't write against a read only replica.";
        else if (api_SelectDb(home, request->db) != API_OK) apply_error = "ERR the database is gone";
        else {
            /* Otherwise what the command does stays here: neither replicas nor the log get it. */
            CallReply *reply = api_Call(home, "AI._APPLY", "!");
            if (reply != NULL) api_FreeCallReply(reply);
            if (applying != NULL) apply_error = "ERR the server did not take the results";
        }
        applying = NULL;
        /* The worker may know a model or script by this number. */
        if (apply_error != NULL) worker_forgets(request->id, worker.id);
    }
    request->reply = worker.reply;
    worker.reply = NULL;
    finish(request, apply_error);
    return NULL;
}

/* Goes on to what the frame has next. Returns what is wrong with it, or null. */
static const char *next_target(void) {
    const char *problem = NULL;
    while (problem == NULL && worker.target.left == 0) {
        if (worker.phase == READS_HEADER) problem = begin_frame();
        else if (worker.phase == READS_META) problem = begin_data();
        else if (worker.target_at < worker.target_count) worker.target = worker.targets[worker.target_at++];
        else {
            problem = end_frame();
            free_frame();
        }
    }
    return problem;
}

static void read_worker(void) {
    const char *problem = NULL;
    uint64_t id = worker.id;
    for (size_t budget = BUDGET; problem == NULL && worker.id == id;) {
        if (worker.target.left == 0) {
            problem = next_target();
            continue;
        }
        size_t there = worker.end - worker.start;
        if (there > 0) {
            size_t bytes = there < worker.target.left ? there : worker.target.left;
            memcpy(worker.target.at, worker.buffer + worker.start, bytes);
            worker.start += bytes;
            worker.target.at += bytes;
            worker.target.left -= bytes;
            continue;
        }
        if (budget == 0) return;
        bool is_direct = worker.target.left >= BUFFER;
        size_t room = is_direct ? worker.target.left : BUFFER;
        if (room > budget) room = budget;
        ssize_t bytes = recv(worker.fd, is_direct ? worker.target.at : worker.buffer, room, MSG_DONTWAIT);
        if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (bytes <= 0) {
            problem = bytes == 0 ? "it ended" : strerror(errno);
            break;
        }
        budget -= (size_t)bytes;
        if (is_direct) {
            worker.target.at += bytes;
            worker.target.left -= (size_t)bytes;
        } else {
            worker.start = 0;
            worker.end = (size_t)bytes;
        }
        /* Less than there was room for is all there is: asking again would cost a call of the kernel for each small answer. */
        if ((size_t)bytes < room) budget = 0;
    }
    if (problem != NULL && worker.id == id) drop_worker(problem);
}

/* ---------------------------------------------------------------- The worker's connection */

/* Ends the connection. Requests that it has get an error; those that wait are for the next worker. */
static void drop_worker(const char *reason) {
    if (worker.fd < 0) return;
    api_Log(home, "warning", "the AI layer's connection ends: %s", reason);
    if (api_EventLoopDel != NULL) api_EventLoopDel(worker.fd, SOCKET_READABLE | SOCKET_WRITABLE);
    close(worker.fd);
    worker.fd = -1;
    worker.id = 0;
    worker.is_ready = false;
    worker.wants_writable = false;
    worker.start = worker.end = 0;
    worker.gathered_bytes = worker.sent_bytes = 0;
    worker.forgotten_count = 0;
    forget_parts();
    free_frame();
    for (uint32_t slot = 0; slot < worker.slot_count; slot++) {
        Request *request = worker.slots[slot];
        if (request != NULL && request->state == IS_SENT) finish(request, "ERR the AI layer ended while it ran this command");
    }
}

static void accept_worker(void) {
    for (;;) {
        int fd = accept4(worker.listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        struct ucred peer;
        socklen_t length = sizeof peer;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.uid != geteuid()) {
            api_Log(home, "warning", "a process of another user wanted to be the AI layer");
            close(fd);
            continue;
        }
        drop_worker("another one has come");
        worker.fd = fd;
        worker.id = ++worker.connections;
        free_frame();
        unsigned char hello[FRAME_HEADER];
        put_header(hello, 0, PROTOCOL, OP_HELLO, 0, 0, 0);
        if (send(fd, hello, sizeof hello, MSG_DONTWAIT | MSG_NOSIGNAL) != FRAME_HEADER) {
            drop_worker("it takes no greeting");
            continue;
        }
        if (api_EventLoopAdd != NULL) api_EventLoopAdd(fd, SOCKET_READABLE, on_worker, NULL);
    }
}

static void on_worker(int fd, void *data, int mask) {
    (void)data;
    if (fd != worker.fd) return;
    if (mask & SOCKET_READABLE) read_worker();
    fill_queue();
}

static void on_listening(int fd, void *data, int mask) {
    (void)fd;
    (void)data;
    (void)mask;
    accept_worker();
}

/* Stands in for the event loop in servers that lend none: Redis 6.2. */
static void poll_worker(Ctx *ctx, void *data) {
    accept_worker();
    if (worker.fd >= 0) on_worker(worker.fd, NULL, SOCKET_READABLE);
    api_CreateTimer(ctx, 1, poll_worker, data);
}

static bool listen_for_worker(Ctx *ctx) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(settings.socket) >= sizeof address.sun_path) {
        api_Log(ctx, "warning", "the path of the AI layer's socket is too long");
        return false;
    }
    strcpy(address.sun_path, settings.socket);
    unlink(settings.socket);
    worker.listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    bool is_bound = worker.listening >= 0 && bind(worker.listening, (struct sockaddr *)&address, sizeof address) == 0;
    umask(mask);
    if (!is_bound || listen(worker.listening, 8) != 0) {
        api_Log(ctx, "warning", "the AI layer's socket %s cannot be made: %s", settings.socket, strerror(errno));
        return false;
    }
    if (api_EventLoopAdd == NULL) api_CreateTimer(ctx, 1, poll_worker, NULL);
    else api_EventLoopAdd(worker.listening, SOCKET_READABLE, on_listening, NULL);
    return true;
}

/* ---------------------------------------------------------------- Peers */

/* An address of either family as one of IPv6, with the port. */
static bool normal_address(const struct sockaddr *from, struct in6_addr *to, uint16_t *port) {
    if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
        *to = six->sin6_addr;
        *port = ntohs(six->sin6_port);
        return true;
    }
    if (from->sa_family != AF_INET) return false;
    const struct sockaddr_in *four = (const struct sockaddr_in *)from;
    memset(to, 0, sizeof *to);
    to->s6_addr[10] = to->s6_addr[11] = 0xff;
    memcpy(to->s6_addr + 12, &four->sin_addr, 4);
    *port = ntohs(four->sin_port);
    return true;
}

static bool parse_address(const char *text, struct in6_addr *to) {
    char mapped[INET6_ADDRSTRLEN + 8];
    if (inet_pton(AF_INET6, text, to) == 1) return true;
    if (strlen(text) > INET_ADDRSTRLEN) return false;
    snprintf(mapped, sizeof mapped, "::ffff:%s", text);
    return inet_pton(AF_INET6, mapped, to) == 1;
}

static bool is_loopback(const struct in6_addr *address) {
    return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static bool is_own(const struct in6_addr *address) {
    struct ifaddrs *first;
    bool found = false;
    if (getifaddrs(&first) != 0) return true;
    for (struct ifaddrs *at = first; at != NULL && !found; at = at->ifa_next) {
        struct in6_addr own;
        uint16_t port;
        found = at->ifa_addr != NULL && normal_address(at->ifa_addr, &own, &port) && memcmp(&own, address, sizeof own) == 0;
    }
    freeifaddrs(first);
    return found;
}

static bool is_allowed(const struct in6_addr *address) {
    for (int at = 0; at < settings.allowed_count; at++)
        if (memcmp(&settings.allowed[at], address, sizeof *address) == 0) return true;
    DIR *folder = settings.allow_folder == NULL ? NULL : opendir(settings.allow_folder);
    bool found = false;
    for (struct dirent *entry; folder != NULL && !found && (entry = readdir(folder)) != NULL;) {
        struct in6_addr named;
        found = parse_address(entry->d_name, &named) && memcmp(&named, address, sizeof named) == 0;
    }
    if (folder != NULL) closedir(folder);
    return found;
}

/* An address as /proc/net/tcp6 writes it; behind its first 24 digits as /proc/net/tcp does. */
static void kernel_text(const struct in6_addr *address, uint16_t port, char *text, size_t size) {
    uint32_t words[4];
    memcpy(words, address, sizeof words);
    snprintf(text, size, "%08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3], port);
}

enum Owner { OWN, FOREIGN, UNKNOWN };

/* ESTABLISHED, FIN_WAIT1 or FIN_WAIT2; a socket that no process has any more shows neither inode nor user. */
static enum Owner owner_by(unsigned state, unsigned uid, unsigned long inode) {
    if ((state != 1 && state != 4 && state != 5) || (inode == 0 && uid == 0)) return UNKNOWN;
    return uid == geteuid() ? OWN : FOREIGN;
}

/* The owner of the peer's end by one of the kernel's tables, where its row says one. */
static enum Owner owner_in(const char *path, const char *ends) {
    char line[512];
    enum Owner owner = UNKNOWN;
    FILE *table = fopen(path, "re");
    while (table != NULL && fgets(line, sizeof line, table) != NULL) {
        char *row = strstr(line, ends);
        unsigned state, uid;
        unsigned long inode;
        if (row == NULL || sscanf(row + strlen(ends), "%x %*s %*s %*s %u %*s %lu", &state, &uid, &inode) != 3) continue;
        enum Owner one = owner_by(state, uid, inode);
        if (one == FOREIGN || (one == OWN && owner == UNKNOWN)) owner = one;
    }
    if (table != NULL) fclose(table);
    return owner;
}

/* Asks the kernel for the peer's end alone, which takes microseconds however many connections there are. False where it does not answer. */
static bool ask_kernel(const struct in6_addr *peer, uint16_t peer_port, const struct in6_addr *self, uint16_t port, enum Owner *owner) {
    static int link = -1;
    static bool has_answered;
    bool is_four = IN6_IS_ADDR_V4MAPPED(peer) && IN6_IS_ADDR_V4MAPPED(self);
    size_t from = is_four ? 12 : 0, size = is_four ? 4 : 16;
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 question;
    } ask = {.header = {.nlmsg_len = sizeof ask, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
             .question = {.sdiag_family = is_four ? AF_INET : AF_INET6, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u}};
    ask.question.id.idiag_sport = htons(peer_port);
    ask.question.id.idiag_dport = htons(port);
    memcpy(ask.question.id.idiag_src, peer->s6_addr + from, size);
    memcpy(ask.question.id.idiag_dst, self->s6_addr + from, size);
    ask.question.id.idiag_cookie[0] = ask.question.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (link < 0) link = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (link < 0) return false;
    union {
        struct nlmsghdr header;
        char bytes[4096];
    } answer;
    if (send(link, &ask, sizeof ask, 0) != (ssize_t)sizeof ask) return false;
    /* The kernel has answered by now. */
    ssize_t bytes = recv(link, &answer, sizeof answer, MSG_DONTWAIT);
    if (bytes < (ssize_t)sizeof answer.header) {
        close(link);
        link = -1;
        return false;
    }
    *owner = UNKNOWN;
    if (answer.header.nlmsg_type == NLMSG_ERROR && bytes >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr))) {
        const struct nlmsgerr *error = NLMSG_DATA(&answer.header);
        /* There is no such connection, or the kernel cannot be asked in this way. */
        return error->error == -ENOENT && has_answered;
    }
    if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY || bytes < (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg))) return false;
    const struct inet_diag_msg *found = NLMSG_DATA(&answer.header);
    /* Without such a connection it tells of whoever listens on the peer's port. */
    bool is_it = found->id.idiag_sport == ask.question.id.idiag_sport && found->id.idiag_dport == ask.question.id.idiag_dport &&
                 memcmp(found->id.idiag_src, ask.question.id.idiag_src, size) == 0 && memcmp(found->id.idiag_dst, ask.question.id.idiag_dst, size) == 0;
    has_answered |= is_it;
    if (is_it) *owner = owner_by(found->idiag_state, found->idiag_uid, found->idiag_inode);
    return true;
}

static enum Owner owner_of(const struct in6_addr *peer, uint16_t peer_port, const struct in6_addr *self, uint16_t port) {
    enum Owner told;
    if (ask_kernel(peer, peer_port, self, port, &told)) return told;
    char from[48], to[48], ends[112];
    kernel_text(peer, peer_port, from, sizeof from);
    kernel_text(self, port, to, sizeof to);
    enum Owner four = UNKNOWN;
    if (IN6_IS_ADDR_V4MAPPED(peer) && IN6_IS_ADDR_V4MAPPED(self)) {
        snprintf(ends, sizeof ends, ": %s %s ", from + 24, to + 24);
        four = owner_in("/proc/net/tcp", ends);
    }
    if (four != UNKNOWN) return four;
    snprintf(ends, sizeof ends, ": %s %s ", from, to);
    return owner_in("/proc/net/tcp6", ends);
}

/* Value of a field of a client, as the server lists it, as text; false if it does not. */
static bool client_field(Ctx *ctx, uint64_t client, const char *name, char *value, size_t room) {
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)client);
    CallReply *reply = api_Call(ctx, "CLIENT", "ccc", "LIST", "ID", number);
    if (reply == NULL) return false;
    size_t length;
    const char *text = api_CallReplyStringPtr(reply, &length);
    char line[512];
    bool is_told = false;
    if (text != NULL) {
        snprintf(line, sizeof line, "%.*s", (int)(length < sizeof line ? length : sizeof line - 1), text);
        const char *field = strstr(line, name);
        is_told = field != NULL;
        if (is_told) {
            field += strlen(name);
            snprintf(value, room, "%.*s", (int)strcspn(field, " \n"), field);
        }
    }
    api_FreeCallReply(reply);
    return is_told;
}

/* Descriptor of a client's socket; -1 if the server does not tell it. */
static int descriptor_of(Ctx *ctx, uint64_t client) {
    char text[24];
    return client_field(ctx, client, " fd=", text, sizeof text) ? atoi(text) : -1;
}

static const char gone[] = "the peer closed its end before it was known whose it is";

static bool is_on_bus(const struct in6_addr *address) {
    for (int at = 0; at < settings.bus_peer_count; at++)
        if (memcmp(&settings.bus_peers[at], address, sizeof *address) == 0) return true;
    return false;
}

/* The reason for which a peer is refused; null if it is served. */
static const char *refusal_of(int fd, bool (*is_listed)(const struct in6_addr *address)) {
    static char not_listed[INET6_ADDRSTRLEN + 64];
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_storage peer, self;
    socklen_t peer_length = sizeof peer, self_length = sizeof self;
    struct in6_addr address, own;
    uint16_t peer_port, port;
    if (getpeername(fd, (struct sockaddr *)&peer, &peer_length) != 0 || getsockname(fd, (struct sockaddr *)&self, &self_length) != 0)
        return gone;
    if (peer.ss_family == AF_UNIX) return NULL;
    if (!normal_address((struct sockaddr *)&peer, &address, &peer_port) || !normal_address((struct sockaddr *)&self, &own, &port))
        return "the peer's address is of an unknown kind";
    bool is_local = is_loopback(&address);
    if (!is_local && !is_listed(&address)) {
        bool is_four = IN6_IS_ADDR_V4MAPPED(&address);
        inet_ntop(is_four ? AF_INET : AF_INET6, is_four ? address.s6_addr + 12 : address.s6_addr, text, sizeof text);
        snprintf(not_listed, sizeof not_listed, "%s is not on this orchestrator's list of addresses", text);
        return not_listed;
    }
    if (!settings.peer_check || !(is_local || is_own(&address))) return NULL;
    enum Owner owner = UNKNOWN;
    /* The kernel gives the table in pieces: a row can be missed while others come and go. */
    for (int reading = 0; reading < 2 && owner == UNKNOWN; reading++) owner = owner_of(&address, peer_port, &own, port);
    /* A peer that resets its connection leaves its port to another process: the row counts only if the connection still stands. */
    peer_length = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &peer_length) != 0) return gone;
    return owner == OWN ? NULL : "only processes of the user who runs this orchestrator are served";
}

static uint64_t refused;

/* Looks at each client before its first command, and ends those that are not to be served. */
static void on_client(Ctx *ctx, Event event, uint64_t sub, void *data) {
    (void)event;
    const ClientInfo *client = data;
    if (sub != CLIENT_CONNECTED || client->flags & CLIENT_ON_UNIX_SOCKET) return;
    int fd = descriptor_of(ctx, client->id);
    const char *reason = fd < 0 ? "the server does not tell the peer's socket" : refusal_of(fd, is_allowed);
    if (reason == NULL) return;
    /* Nobody is warned of a peer that has gone. */
    if (reason != gone) {
        refused++;
        api_Log(ctx, "warning", "%s is refused: %s", client->address, reason);
    }
    char line[160];
    int length = snprintf(line, sizeof line, "-DENIED %s\r\n", reason);
    if (fd >= 0 && send(fd, line, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) api_Log(ctx, "debug", "it has gone");
    api_DeauthenticateAndCloseClient(ctx, client->id);
}

/* ---------------------------------------------------------------- Cluster */

/*
 * A cluster without replicas needs no bus: which shard has which slots is in the file that each server reads at its start, and never changes.
 * The bus knows no user and no allow list, so nobody is let in: a filter drops every packet to its port, and who had come before is cut.
 *
 * With replicas the servers tell each other over the bus who has taken over. Then a filter lets packets in from their hosts only, and who has
 * come from the own host, where there may be others' processes, is cut unless it is of the same user. A server takes whoever introduces himself for
 * a new one of the cluster: those are forgotten in the very tick in which they would be asked who they are.
 */
static bool bus_is_closed, bus_is_guarded;
/* True if the last look has found the listening socket, and closed it. */
static bool is_filtered;

/* Sockets that one look goes through, so that a server of many clients is not kept from them. */
enum { LOOK = 4096 };

/* Calls `visit` for the sockets of the bus, which listens on that port; those after the first `LOOK` have their turn the next time. */
static void each_of_bus(uint16_t bus_port, void (*visit)(Ctx *ctx, int fd, bool listens), Ctx *ctx) {
    static int next;
    int looked = 0, last = -1;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry; folder != NULL && looked < LOOK && (entry = readdir(folder)) != NULL;) {
        struct sockaddr_storage self;
        struct in6_addr address;
        uint16_t port;
        socklen_t length = sizeof self;
        int fd = atoi(entry->d_name), listens = 0;
        if (entry->d_name[0] == '.' || fd < next) continue;
        last = fd;
        looked++;
        if (getsockname(fd, (struct sockaddr *)&self, &length) != 0) continue;
        if (!normal_address((struct sockaddr *)&self, &address, &port) || port != bus_port) continue;
        length = sizeof listens;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0) visit(ctx, fd, listens);
    }
    if (folder != NULL) closedir(folder);
    next = looked < LOOK ? 0 : last + 1;
}

static bool attach(Ctx *ctx, int fd, struct sock_filter *code, size_t length) {
    struct sock_fprog filter = {.len = (unsigned short)length, .filter = code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) return true;
    api_Log(ctx, "warning", "the cluster's bus cannot be closed: %s", strerror(errno));
    return false;
}

static void close_one(Ctx *ctx, int fd, bool listens) {
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    if (!listens) shutdown(fd, SHUT_RDWR);
    else if (attach(ctx, fd, &nothing, 1)) is_filtered = true;
}

/* Lets packets from the hosts of the cluster's servers in. False for hosts that have no address of IPv4. */
static bool let_servers_in(Ctx *ctx, int fd) {
    static struct sock_filter code[2 * MAX_BUS_PEERS + 2];
    size_t length = 0;
    /* The packet's address of origin. */
    code[length++] = (struct sock_filter){.code = BPF_LD | BPF_W | BPF_ABS, .k = (uint32_t)(SKF_NET_OFF + 12)};
    for (int at = 0; at < settings.bus_peer_count; at++) {
        const struct in6_addr *peer = &settings.bus_peers[at];
        uint32_t address;
        if (!IN6_IS_ADDR_V4MAPPED(peer)) return false;
        memcpy(&address, peer->s6_addr + 12, sizeof address);
        code[length++] = (struct sock_filter){.code = BPF_JMP | BPF_JEQ | BPF_K, .k = ntohl(address), .jt = 0, .jf = 1};
        code[length++] = (struct sock_filter){.code = BPF_RET | BPF_K, .k = UINT32_MAX};
    }
    code[length++] = (struct sock_filter){.code = BPF_RET | BPF_K, .k = 0};
    return attach(ctx, fd, code, length);
}

static void guard_one(Ctx *ctx, int fd, bool listens) {
    /* Inodes of the connections that have been looked at, by their descriptors. */
    static ino_t *known;
    static int room;
    struct stat status;
    if (listens) {
        if (bus_is_guarded) return;
        bus_is_guarded = true;
        if (!let_servers_in(ctx, fd)) api_Log(ctx, "warning", "the kernel does not guard the cluster's bus: its connections are looked at when they are there");
        else api_Log(ctx, "notice", "the cluster's bus is open to its servers only");
        return;
    }
    if (fstat(fd, &status) != 0) return;
    if (fd >= room) {
        known = api_Realloc(known, sizeof *known * (size_t)(fd + 64));
        memset(known + room, 0, sizeof *known * (size_t)(fd + 64 - room));
        room = fd + 64;
    }
    if (known[fd] == status.st_ino) return;
    const char *reason = refusal_of(fd, is_on_bus);
    known[fd] = status.st_ino;
    if (reason == NULL || reason == gone) return;
    api_Log(ctx, "warning", "a connection to the cluster's bus is cut: %s", reason);
    shutdown(fd, SHUT_RDWR);
}

static bool is_of_cluster(const char *id) {
    for (int at = 0; at < settings.bus_server_count; at++)
        if (strncmp(settings.bus_servers[at], id, NODE_ID) == 0) return true;
    return false;
}

static void forget_strangers(Ctx *ctx) {
    CallReply *reply = api_Call(ctx, "CLUSTER", "c", "NODES");
    if (reply == NULL) return;
    size_t length;
    const char *line = api_CallReplyStringPtr(reply, &length), *end = line + length;
    while (line != NULL && end - line > NODE_ID) {
        char id[NODE_ID + 1];
        memcpy(id, line, NODE_ID);
        id[NODE_ID] = '\0';
        if (!is_of_cluster(id)) {
            CallReply *forgotten = api_Call(ctx, "CLUSTER", "cc", "FORGET", id);
            if (forgotten != NULL) api_FreeCallReply(forgotten);
            api_Log(ctx, "warning", "a server that does not belong to the cluster is forgotten: %s", id);
        }
        const char *next = memchr(line, '\n', (size_t)(end - line));
        line = next == NULL ? NULL : next + 1;
    }
    api_FreeCallReply(reply);
}

static void look_after_bus(Ctx *ctx) {
    /* Connections that it had let in before may be seen at a later look only. */
    static int looks_left = 3;
    if (settings.guarded_bus_port > 0) {
        each_of_bus(settings.guarded_bus_port, guard_one, ctx);
        forget_strangers(ctx);
    }
    if (settings.closed_bus_port == 0 || looks_left == 0) return;
    is_filtered = false;
    each_of_bus(settings.closed_bus_port, close_one, ctx);
    if (!is_filtered || --looks_left > 0) return;
    bus_is_closed = true;
    api_Log(ctx, "notice", "the cluster's bus is closed");
}

/* ---------------------------------------------------------------- Clients that believe in a cluster */

enum { SLOTS = 16384 };

/* A client that believes in a cluster puts this before the names of models and scripts: the prefix of a shard whose first slot is 0. */
static const char only_shard[] = {'{', 0, 0, '}', '.'};
static char node_id[NODE_ID + 1];

static int slot_of(const char *key, size_t length) {
    const char *open = memchr(key, '{', length);
    const char *close = open == NULL ? NULL : memchr(open + 1, '}', length - (size_t)(open + 1 - key));
    if (close != NULL && close > open + 1) {
        key = open + 1;
        length = (size_t)(close - key);
    }
    unsigned crc = 0;
    for (size_t at = 0; at < length; at++) {
        crc ^= (unsigned)(unsigned char)key[at] << 8;
        for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    }
    return (int)(crc & (SLOTS - 1));
}

typedef struct {
    int slot;
    long long keys;
} SlotCount;

static void count_in_slot(Ctx *ctx, Str *name, Key *key, void *data) {
    (void)ctx;
    (void)key;
    SlotCount *count = data;
    size_t length;
    const char *bytes = api_StringPtrLen(name, &length);
    if (slot_of(bytes, length) == count->slot) count->keys++;
}

static int reply_with_count(Ctx *ctx, const Str *word) {
    char text[8];
    size_t length;
    const char *bytes = api_StringPtrLen(word, &length);
    snprintf(text, sizeof text, "%.*s", (int)(length < sizeof text ? length : sizeof text - 1), bytes);
    char *end;
    long slot = strtol(text, &end, 10);
    if (end == text || *end != 0) return api_ReplyWithError(ctx, "ERR value is out of range");
    if (length >= sizeof text || slot < 0 || slot >= SLOTS) return api_ReplyWithError(ctx, "ERR Invalid slot");
    SlotCount count = {.slot = (int)slot};
    Cursor *cursor = api_ScanCursorCreate();
    while (api_Scan(ctx, cursor, count_in_slot, &count)) continue;
    api_ScanCursorDestroy(cursor);
    return api_ReplyWithLongLong(ctx, count.keys);
}

/* The address at which the client has reached this server; one on a Unix socket gets that of its port. */
static void address_reached(Ctx *ctx, char *host, size_t room, long long *port) {
    char field[160];
    snprintf(host, room, "127.0.0.1");
    *port = settings.port;
    if (!client_field(ctx, api_GetClientId(ctx), " laddr=", field, sizeof field)) return;
    char *colon = strrchr(field, ':');
    if (field[0] == '/' || colon == NULL || atoi(colon + 1) == 0) return;
    *port = atoi(colon + 1);
    *colon = 0;
    size_t skip = field[0] == '[';
    snprintf(host, room, "%.*s", (int)(strlen(field) - 2 * skip), field + skip);
}

static void reply_with_pair(Ctx *ctx, const char *name, const char *value) {
    reply_text(ctx, name);
    reply_text(ctx, value);
}

static int reply_with_shards(Ctx *ctx, const char *host, long long port) {
    api_ReplyWithArray(ctx, 1);
    begin_map(ctx, 2);
    reply_text(ctx, "slots");
    api_ReplyWithArray(ctx, 2);
    api_ReplyWithLongLong(ctx, 0);
    api_ReplyWithLongLong(ctx, SLOTS - 1);
    reply_text(ctx, "nodes");
    api_ReplyWithArray(ctx, 1);
    begin_map(ctx, 7);
    reply_with_pair(ctx, "id", node_id);
    reply_text(ctx, "port");
    api_ReplyWithLongLong(ctx, port);
    reply_with_pair(ctx, "ip", host);
    reply_with_pair(ctx, "endpoint", host);
    reply_with_pair(ctx, "role", "master");
    reply_text(ctx, "replication-offset");
    api_ReplyWithLongLong(ctx, 0);
    reply_with_pair(ctx, "health", "online");
    return API_OK;
}

/* AI._CLUSTER: what a server without a cluster answers to CLUSTER, as the embedded store does: a cluster of one, which has all slots. */
static int cluster(Ctx *ctx, Str **argv, int argc) {
    if (argc < 2) return wrong_arity(ctx, "cluster");
    char host[INET6_ADDRSTRLEN], text[512];
    long long port;
    if (is_word(argv[1], "MYID")) return api_ReplyWithStringBuffer(ctx, node_id, NODE_ID);
    if (is_word(argv[1], "INFO")) {
        int length = snprintf(text, sizeof text,
                              "cluster_enabled:1\r\ncluster_state:ok\r\ncluster_slots_assigned:%d\r\ncluster_slots_ok:%d\r\n"
                              "cluster_slots_pfail:0\r\ncluster_slots_fail:0\r\ncluster_known_nodes:1\r\ncluster_size:1\r\n"
                              "cluster_current_epoch:1\r\ncluster_my_epoch:1\r\n",
                              SLOTS, SLOTS);
        return api_ReplyWithStringBuffer(ctx, text, (size_t)length);
    }
    if (is_word(argv[1], "KEYSLOT")) {
        if (argc != 3) return wrong_arity(ctx, "cluster|keyslot");
        size_t length;
        const char *key = api_StringPtrLen(argv[2], &length);
        return api_ReplyWithLongLong(ctx, slot_of(key, length));
    }
    if (is_word(argv[1], "COUNTKEYSINSLOT"))
        return argc == 3 ? reply_with_count(ctx, argv[2]) : wrong_arity(ctx, "cluster|countkeysinslot");
    address_reached(ctx, host, sizeof host, &port);
    if (is_word(argv[1], "NODES")) {
        int length = snprintf(text, sizeof text, "%s %s:%lld@0 myself,master - 0 0 1 connected 0-%d\n", node_id, host, port, SLOTS - 1);
        return api_ReplyWithStringBuffer(ctx, text, (size_t)length);
    }
    if (is_word(argv[1], "SHARDS")) return reply_with_shards(ctx, host, port);
    if (is_word(argv[1], "SLOTS")) {
        api_ReplyWithArray(ctx, 1);
        api_ReplyWithArray(ctx, 3);
        api_ReplyWithLongLong(ctx, 0);
        api_ReplyWithLongLong(ctx, SLOTS - 1);
        api_ReplyWithArray(ctx, 4);
        reply_text(ctx, host);
        api_ReplyWithLongLong(ctx, port);
        api_ReplyWithStringBuffer(ctx, node_id, NODE_ID);
        return api_ReplyWithArray(ctx, 0);
    }
    size_t length;
    const char *word = api_StringPtrLen(argv[1], &length);
    for (size_t at = 0; at < length; at++)
        if (word[at] < ' ') length = at;
    snprintf(text, sizeof text, "ERR unknown subcommand '%.*s'. Try CLUSTER HELP.", (int)(length < 128 ? length : 128), word);
    return api_ReplyWithError(ctx, text);
}

static bool has_prefix(const Str *word) {
    size_t length;
    const char *bytes = api_StringPtrLen(word, &length);
    return length > sizeof only_shard && memcmp(bytes, only_shard, sizeof only_shard) == 0;
}

/* Takes the prefix of the only shard from a word of a command; if `is_asked`, only where a model or script has the name without it. */
static void take_prefix(Filtered *filtered, int at, bool is_asked) {
    const Str *word = api_CommandFilterArgGet(filtered, at);
    if (!has_prefix(word)) return;
    size_t length;
    const char *bytes = api_StringPtrLen(word, &length);
    Str *plain = api_CreateString(NULL, bytes + sizeof only_shard, length - sizeof only_shard);
    int kind = MODEL;
    if (is_asked) {
        Value *value;
        kind = look_at(home, plain, OPEN_NO_TOUCH, &value);
    }
    if (kind == MODEL || kind == SCRIPT) api_CommandFilterArgReplace(filtered, at, plain);
    else api_FreeString(NULL, plain);
}

/* Lets clients that believe in a cluster find one, with the models and scripts of those that do not. It sees every command: it must be quick. */
static void filter(Filtered *filtered) {
    int words = api_CommandFilterArgsCount(filtered);
    if (words < 2) return;
    size_t length;
    const char *name = api_StringPtrLen(api_CommandFilterArgGet(filtered, 0), &length);
    if (length == 7 && strncasecmp(name, "cluster", length) == 0) {
        api_CommandFilterArgReplace(filtered, 0, string_of("ai._cluster"));
        return;
    }
    bool is_asked = (length == 6 && (strncasecmp(name, "exists", length) == 0 || strncasecmp(name, "unlink", length) == 0)) ||
                    (length == 3 && strncasecmp(name, "del", length) == 0);
    if (is_asked) {
        for (int at = 1; at < words; at++) take_prefix(filtered, at, true);
        return;
    }
    if (length < 7 || strncasecmp(name, "ai.", 3) != 0 || !has_prefix(api_CommandFilterArgGet(filtered, 1))) return;
    bool is_named = strncasecmp(name + 3, "model", 5) == 0 || strncasecmp(name + 3, "script", 6) == 0 || strcasecmp(name + 3, "info") == 0;
    if (is_named) take_prefix(filtered, 1, false);
}

static bool stand_for_cluster(Ctx *ctx) {
    if (api_GetContextFlags(ctx) & IN_CLUSTER) return true;
    api_GetRandomHexChars(node_id, NODE_ID);
    return api_CreateCommand(ctx, "ai._cluster", cluster, "readonly", 0, 0, 0) == API_OK &&
           api_RegisterCommandFilter(ctx, filter, FILTER_NOT_OWN_CALLS) != NULL;
}

/* ---------------------------------------------------------------- Start */

/* True once the server does more than load. */
static bool is_up;

/* Ten times a second. */
static void on_cron(Ctx *ctx, Event event, uint64_t sub, void *data) {
    (void)event;
    (void)sub;
    (void)data;
    let_go_of_released();
    look_after_bus(ctx);
    if (settings.parent > 0 && !is_up) {
        is_up = true;
        /* It may come once for each thread of the parent, and a second SIGINT ends the server before its replicas have the rest. */
        prctl(PR_SET_PDEATHSIG, 0);
    }
    if (settings.parent > 0 && getppid() != settings.parent) {
        api_Log(ctx, "warning", "the process that holds this server has gone");
        settings.parent = 0;
        raise(SIGINT);
    }
    while (worker.first_waiting != NULL && !worker.is_ready && now_ms() - worker.first_waiting->since_ms > settings.worker_wait_ms)
        finish(take_first(), "ERR the AI layer does not run");
    fill_queue();
}

static void tell(InfoCtx *ctx, int is_crash) {
    if (is_crash) return;
    if (!settings.guards_only) {
        /* RedisAI's, by which its clients know it. */
        api_InfoAddSection(ctx, "versions");
        api_InfoAddFieldCString(ctx, "RedisAI_version", "1.2.7");
        api_InfoAddFieldULongLong(ctx, "low_level_API_version", 1);
        api_InfoAddFieldULongLong(ctx, "rdb_version", 4);
    }
    api_InfoAddSection(ctx, "engine");
    api_InfoAddFieldULongLong(ctx, "clients_refused", refused);
    api_InfoAddFieldULongLong(ctx, "bus_closed", bus_is_closed);
    api_InfoAddFieldULongLong(ctx, "bus_guarded", bus_is_guarded);
    if (settings.guards_only) return;
    api_InfoAddFieldULongLong(ctx, "protocol", PROTOCOL);
    api_InfoAddFieldULongLong(ctx, "worker_connected", worker.is_ready);
    api_InfoAddFieldULongLong(ctx, "worker_connections", worker.connections);
    api_InfoAddFieldULongLong(ctx, "requests_waiting", worker.waiting);
    api_InfoAddFieldULongLong(ctx, "requests_sent", worker.sent);
    api_InfoAddFieldULongLong(ctx, "requests_answered", worker.answered);
    api_InfoAddFieldULongLong(ctx, "requests_failed", worker.failed);
    api_InfoAddFieldULongLong(ctx, "models", alive[MODEL]);
    api_InfoAddFieldULongLong(ctx, "scripts", alive[SCRIPT]);
}

static const char *text_of(const Str *word) {
    size_t length;
    return strdup(api_StringPtrLen(word, &length));
}

/* Options are pairs of words. Returns what is wrong with them, or null. */
static const char *read_options(Str **argv, int argc) {
    if (argc % 2 != 0) return "options of the module are pairs of a name and a value";
    for (int at = 0; at < argc; at += 2) {
        const char *value = text_of(argv[at + 1]);
        if (is_word(argv[at], "socket")) settings.socket = value;
        else if (is_word(argv[at], "parent")) settings.parent = (pid_t)atoi(value);
        else if (is_word(argv[at], "peer-check")) settings.peer_check = strcmp(value, "no") != 0;
        else if (is_word(argv[at], "guards-only")) settings.guards_only = strcmp(value, "yes") == 0;
        else if (is_word(argv[at], "allow-folder")) settings.allow_folder = value;
        else if (is_word(argv[at], "port")) settings.port = atoll(value);
        else if (is_word(argv[at], "worker-wait-ms")) settings.worker_wait_ms = atoll(value);
        else if (is_word(argv[at], "closed-bus-port")) settings.closed_bus_port = (uint16_t)atoi(value);
        else if (is_word(argv[at], "guarded-bus-port")) settings.guarded_bus_port = (uint16_t)atoi(value);
        else if (is_word(argv[at], "max-bulk-bytes")) settings.max_bulk_bytes = strtoull(value, NULL, 10);
        else if (is_word(argv[at], "max-frame-bytes")) settings.max_frame_bytes = strtoull(value, NULL, 10);
        else if (is_word(argv[at], "allow")) {
            if (settings.allowed_count == MAX_ALLOWED) return "too many addresses: give a folder";
            if (!parse_address(value, &settings.allowed[settings.allowed_count++])) return "an address of the option 'allow' is none";
        } else if (is_word(argv[at], "bus-server")) {
            if (settings.bus_server_count == MAX_BUS_PEERS || strlen(value) != NODE_ID) return "a name of a server of a cluster is none";
            settings.bus_servers[settings.bus_server_count++] = value;
        } else if (is_word(argv[at], "bus-peer")) {
            if (settings.bus_peer_count == MAX_BUS_PEERS) return "too many servers of a cluster";
            if (!parse_address(value, &settings.bus_peers[settings.bus_peer_count++])) return "an address of the option 'bus-peer' is none";
        } else return "an option of the module is unknown";
    }
    return NULL;
}

static int failed(Ctx *ctx, const char *why) {
    api_Log(ctx, "warning", "%s", why);
    return API_ERROR;
}

static Type *make_type(Ctx *ctx, const char *name, void *(*load)(IO *, int)) {
    TypeMethods methods = {.version = 3,
                           .rdb_load = load,
                           .rdb_save = save_value,
                           .aof_rewrite = rewrite_value,
                           .memory = memory_of_value,
                           .digest = digest_value,
                           .release = release,
                           .copy = copy_value};
    return api_CreateDataType(ctx, name, ENCODING, &methods);
}

static bool make_commands(Ctx *ctx) {
    bool is_made = api_CreateCommand(ctx, "ai.tensorset", tensor_set, "write deny-oom", 1, 1, 1) == API_OK &&
                   api_CreateCommand(ctx, "ai.tensorget", tensor_get, "readonly", 1, 1, 1) == API_OK &&
                   api_CreateCommand(ctx, "ai._restore", restore, "write deny-oom", 1, 1, 1) == API_OK &&
                   api_CreateCommand(ctx, "ai._apply", apply, "write", 0, 0, 0) == API_OK;
    for (size_t at = 0; is_made && at < sizeof commands / sizeof *commands; at++) {
        /* A command without a key in its first word is not bound to a shard, unless its keys are found otherwise. */
        int first = commands[at].form == NO_KEYS || commands[at].form >= SCAN_MODELS ? 0 : 1;
        is_made = api_CreateCommand(ctx, commands[at].name, forward, commands[at].flags, first, first, first) == API_OK;
    }
    return is_made;
}

static pid_t server_pid;

/* In a process that the server has forked: one that saves would go on without it, and put its file in the place of a later one. */
static void end_with_server(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != server_pid) _exit(1);
}

__attribute__((visibility("default"))) int RedisModule_OnLoad(Ctx *ctx, Str **argv, int argc);

int RedisModule_OnLoad(Ctx *ctx, Str **argv, int argc) {
    is_main_thread = true;
    const char *missing = load_api(ctx);
    if (missing != NULL) {
        /* Nothing else is sure to be there, not even the log. */
        fprintf(stderr, "simwright: this server is too old for the module: it lacks the call %s\n", missing);
        return API_ERROR;
    }
    const char *problem = read_options(argv, argc);
    const char *name = settings.guards_only ? "simwright" : "ai";
    if (api_IsModuleNameBusy(name)) return API_ERROR;
    api_SetModuleAttribs(ctx, name, MODULE_VERSION, API_VERSION);
    if (problem != NULL) return failed(ctx, problem);
    home = api_GetDetachedThreadSafeContext(ctx);
    if (!settings.guards_only) {
        api_SetModuleOptions(ctx, OPTION_HANDLES_IO_ERRORS);
        tensor_type = make_type(ctx, "AI_TENSOR", load_tensor);
        model_type = make_type(ctx, "AI__MODEL", load_model);
        script_type = make_type(ctx, "AI_SCRIPT", load_script);
        if (tensor_type == NULL || model_type == NULL || script_type == NULL) return failed(ctx, "the module's types cannot be made");
        if (!make_commands(ctx) || !stand_for_cluster(ctx))
            return failed(ctx, "the module's commands cannot be made: another module has them");
    }
    if (api_SubscribeToServerEvent(ctx, (Event){EVENT_CLIENT, 1}, on_client) != API_OK ||
        api_SubscribeToServerEvent(ctx, (Event){EVENT_CRON, 1}, on_cron) != API_OK)
        return failed(ctx, "the server does not tell of its clients");
    api_RegisterInfoFunc(ctx, tell);
    /* Clients that map the slots once, and differ from the server in which part of a key counts, must not be sent elsewhere. */
    if (settings.closed_bus_port > 0) api_SetClusterFlags(ctx, CLUSTER_NO_REDIRECTION);
    if (settings.parent > 0) {
        /* Launchers send it to every process of a step that is to end: the one that holds this server saves first, and then says so. */
        signal(SIGTERM, SIG_IGN);
        /* A server that loads, or looks for what is wrong with a file, ends by nothing less. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != settings.parent) return failed(ctx, "the process that started this server has gone");
        server_pid = getpid();
        if (pthread_atfork(NULL, NULL, end_with_server) != 0) return failed(ctx, "the server's own processes cannot be watched");
    }
    free_frame();
    if (settings.socket != NULL && !listen_for_worker(ctx)) return API_ERROR;
    return API_OK;
}
